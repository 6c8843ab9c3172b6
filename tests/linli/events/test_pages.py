"""docs/events.md: the table of types is the code's, and the recipe verifies what is really sent."""

import re
import time

import pytest

from linli.events.secrets import signature
from linli.events.types import event_types
from tests.house.pages import Page
from tests.support.databases import ROOT

PAGE = Page(ROOT / "docs/events.md")


def test_the_types_are_those_of_the_code() -> None:
    table = PAGE.text.partition("<!-- types")[2].partition("<!-- end of types")[0]
    told = re.findall(r"^\| `(.+)` \| `(.+)` \| (.+) \| (.+) \|$", table, re.MULTILINE)
    assert told == [
        (
            one.name,
            one.about,
            ", ".join(f"`{name}`" for name in one.wire_names.values()) or "–",
            one.description,
        )
        for one in event_types()
    ]


@pytest.fixture
def recipes():
    made: dict = {}
    for block in PAGE.blocks("python"):
        exec(block.text, made)  # the page's own code, as a reader would copy it
    return made


@pytest.fixture
def verify(recipes):
    return recipes["is_from_linli"]


BODY = '{"type":"partner.admitted","data":{"kind":"社会组织"}}'.encode()


def test_the_recipe_takes_what_is_signed_by_any_live_secret(verify) -> None:
    header = signature(["old", "new"], int(time.time()), BODY)
    assert verify(header, BODY, "old")
    assert verify(header, BODY, "new")


def test_the_recipe_refuses_everything_else(verify) -> None:
    now = int(time.time())
    header = signature(["secret"], now, BODY)
    assert not verify(header, BODY, "another")
    assert not verify(header, BODY + b" ", "secret")
    assert not verify(signature(["secret"], now - 301, BODY), BODY, "secret")
    assert not verify(signature(["secret"], now + 301, BODY), BODY, "secret")
    assert not verify(header.replace(f"t={now}", f"t={now - 1}"), BODY, "secret")
    for broken in ("", "t=", "t=x,v1=y", "v1=" + header.partition("v1=")[2], f"t={now}"):
        assert not verify(broken, BODY, "secret")


def test_the_recipe_for_many_units_goes_by_the_secret_and_the_body(recipes) -> None:
    unit_of, now = recipes["unit_of"], int(time.time())
    secrets = {"A": "of A", "B": "of B"}
    body = b'{"tenantId":"B"}'
    assert unit_of(signature(["of B"], now, body), body, secrets) == "B"
    # Who has the secret of A says nothing in the name of B.
    assert unit_of(signature(["of A"], now, body), body, secrets) is None
    assert unit_of(signature(["of C"], now, b"no JSON"), b"no JSON", secrets) is None
