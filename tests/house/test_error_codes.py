"""docs/errors.md and the sources name the same codes."""

import re

import pytest

from linli_api import incoming
from tests.house import codes
from tests.house.sources import Source
from tests.support.databases import ROOT

UPHELD = "## Upheld by the database"


def _rows() -> list[tuple[str, ...]]:
    """(code, what, what to do), and the heading each stands under."""
    rows, heading = [], ""
    for line in (ROOT / "docs/errors.md").read_text().splitlines():
        if line.startswith("## "):
            heading = line
        elif line.startswith("| `"):
            code, *sentences = (cell.strip() for cell in line.strip("|").split(" | "))
            rows.append((code.strip("` "), heading, *sentences))
    return rows


def test_the_page_names_every_code_of_the_product_and_no_other() -> None:
    stated = {code for code, heading, *_ in _rows() if heading != UPHELD}
    written = codes.in_sources()

    assert (written - stated, stated - written) == (set(), set())


def test_the_page_names_every_constraint_that_can_answer_and_no_other() -> None:
    stated = {code for code, heading, *_ in _rows() if heading == UPHELD}
    upheld = codes.of_constraints()

    assert (upheld - stated, stated - upheld) == (set(), set())


def test_each_code_stands_once_with_what_is_wrong_and_what_to_do() -> None:
    rows = _rows()
    names = [code for code, *_ in rows]

    assert [name for name in names if names.count(name) > 1] == []
    for code, _heading, *sentences in rows:
        assert len(sentences) == 2, code
        for sentence in sentences:
            assert re.fullmatch(r"[A-Z0-9`].*\.", sentence.strip(" |")), (code, sentence)


def test_the_page_names_every_status_of_http_that_a_request_gets() -> None:
    said = (
        (ROOT / "docs/errors.md").read_text().partition("- a **request**")[2].partition("\n\n")[0]
    )
    told = {int(number) for number in re.findall(r"\b[45]\d\d\b", said)}
    assert told == {400, *incoming.STATUS.values(), 404, 503}


# ── The reader itself: it sees each way a code is written ────────────────────────────────────────

SAMPLES = [
    ('raise Refused("A_CODE", _("No."))', {"A_CODE"}),
    ('raise Refused("ONE" if a else "OTHER", message)', {"ONE", "OTHER"}),
    ('Refused(f"{name.upper()}_INVALID", message)', {"<FIELD>_INVALID"}),
    ('check(a, code="HANDED_ON")\ndef check(a, code):\n    raise Refused(code, "")', {"HANDED_ON"}),
    ("Refused(fault.code, fault.message)", set()),
    (
        'class Gone(Refused):\n    def __init__(self):\n        super().__init__("GONE", "")',
        {"GONE"},
    ),
    ('class Other:\n    def __init__(self):\n        super().__init__("GONE", "")', set()),
    ('choose("NO_CODE", code=lower)', set()),
]


@pytest.mark.parametrize(("text", "found"), SAMPLES)
def test_the_reader_sees(text: str, found: set[str]) -> None:
    assert set(codes.codes_of(Source("tenants/fund/actions.py", text))) == found


@pytest.mark.parametrize(
    "text", ['Refused(CODE, "")', 'Refused("lower", "")', 'Refused(a + b, "")']
)
def test_a_code_that_nobody_can_find_is_refused(text: str) -> None:
    with pytest.raises(codes.Unreadable, match="write the code out"):
        set(codes.codes_of(Source("tenants/fund/actions.py", text)))
