"""docs/quickstart.md, run: each block of GraphQL with the answer it is said to get."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from linli_api.ids import encode, split
from onboarding.demo import report
from onboarding.demo.stage import Stage
from tests.demo.conftest import HOST
from tests.house.pages import Page, examples
from tests.support.databases import ROOT

OPAQUE = re.compile("(id|cursor)$", re.IGNORECASE)
COMMUNITY = encode("Community", "01a20df0-dc9e-745d-8572-9d236bce369c")
PAGE = Page(ROOT / "docs/quickstart.md")


def test_the_page_is_true(port: int) -> None:
    stage = Stage(HOST, port)
    found = list(differences(PAGE, stage))
    assert not found, "\n".join(found)
    # Whoever has followed the page still has a demo that `make demo-check` finds in order.
    assert report.faults(stage) == []
    stage.close()


def differences(page: Page, stage: Stage) -> Iterator[str]:
    """Where an answer is another than the page says. What it cost is not shown, and a page tells
    the port of `make demo`."""
    ids: dict[str, str] = {}
    for example in examples(page):
        variables = _translated(example.variables, ids)
        host = stage.host(example.who, example.at)
        answer = host.ask(example.document, variables, language="en")
        answer.pop("extensions", None)
        answer = json.loads(json.dumps(answer).replace(f":{stage.port}/", ":8000/"))
        for difference in compared(example.answer, answer, ids):
            yield f"{page}:{example.line}: {difference}"


def compared(told: Any, found: Any, ids: dict[str, str], at: str = "") -> Iterator[str]:
    """Where JSON that was told differs from what was found.

    A list or a text that ends with "…" was cut there. An id, or a cursor, stands for the one found in
    its place, and for the same one wherever it stands again: `ids` keeps which.
    """
    if isinstance(told, dict) and isinstance(found, dict) and told.keys() == found.keys():
        for name, value in told.items():
            yield from compared(value, found[name], ids, f"{at}.{name}")
    elif isinstance(told, list) and isinstance(found, list):
        if told[-1:] == ["…"]:
            told, found = told[:-1], found[: len(told) - 1]
        if len(told) != len(found):
            yield f"{at}: {len(told)} told, {len(found)} found: {found}"
        for position, (one, other) in enumerate(zip(told, found, strict=False)):
            yield from compared(one, other, ids, f"{at}[{position}]")
    elif isinstance(told, str) and isinstance(found, str) and told.endswith("…"):
        if not found.startswith(told[:-1]):
            yield f"{at}: told {told!r}, found {found!r}"
    elif isinstance(told, str) and isinstance(found, str) and (OPAQUE.search(at) or split(told)):
        if ids.setdefault(told, found) != found:
            yield f"{at}: another object than before"
    elif type(told) is not type(found) or told != found:
        yield f"{at}: told {told!r}, found {found!r}"


def _translated(value: Any, ids: dict[str, str]) -> Any:
    """Variables with the ids of this demo."""
    if isinstance(value, dict):
        return {name: _translated(one, ids) for name, one in value.items()}
    if isinstance(value, list):
        return [_translated(one, ids) for one in value]
    return ids.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("told", "found", "differences"),
    [
        ({"a": [1, {"id": "x"}]}, {"a": [1, {"id": "y"}]}, []),
        ([{"id": "x"}, {"id": "x"}], [{"id": "y"}, {"id": "z"}], ["[1].id"]),
        ({"rate": "0.03"}, {"rate": "0.04"}, [".rate"]),
        ({"a": 1}, {"a": True}, [".a"]),
        ({"a": 1}, {"a": 1, "b": 2}, [""]),
        ([1], [1, 2], [""]),
        ([1, "…"], [1, 2, 3], []),
        ([1, 2, "…"], [1], [""]),
        ({"secret": "whsec_…"}, {"secret": "whsec_fT0"}, []),
        ({"secret": "whsec_…"}, {"secret": "none"}, [".secret"]),
        (
            [{"endCursor": "x"}, {"endCursor": "x"}],
            [{"endCursor": "y"}, {"endCursor": "z"}],
            ["[1].endCursor"],
        ),
        ([{"of": COMMUNITY}, {"of": COMMUNITY}], [{"of": "y"}, {"of": "z"}], ["[1].of"]),
        ({"errors": []}, {"errors": None}, [".errors"]),
    ],
)
def test_a_difference_is_seen(told: Any, found: Any, differences: list[str]) -> None:
    assert [one.partition(":")[0] for one in compared(told, found, {})] == differences
