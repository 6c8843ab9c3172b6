"""A released schema changes with notice, and the change log tells of it."""

from datetime import date

import pytest
from django.core.management import CommandError, call_command
from graphql import build_schema

from linli_api import sdl
from linli_api.evolution import log
from linli_api.evolution.compare import compare, without_notice
from linli_api.evolution.notice import NoNotice, notice, read
from linli_api.schema import SCHEMAS

TODAY = date(2026, 11, 24)
PASSED = notice("2026-01-01", "2026-07-01", "Use title.")
AHEAD = notice("2026-11-01", "2027-05-01", "Use title.")

BEFORE = """
type Query { partners(kind: String, mode: Mode): [Partner!]! }
type Partner { name: String! legacy: Legacy mode: Mode }
type Legacy { code: String }
enum Mode { STATIONED VISITING }
input PartnerInput { name: String! nickname: String }
type Mutation { admit(input: PartnerInput!): Partner }
"""


def deprecated(what: str, reason: str) -> str:
    """The SDL with what is deprecated for a reason."""
    assert what in BEFORE
    return BEFORE.replace(what, f'{what} @deprecated(reason: "{reason}")', 1)


REMOVALS = [
    # what, how it stood, how the breaking change is told
    ("field", "legacy: Legacy", "Partner.legacy was removed."),
    ("argument", "kind: String,", "Query.partners arg kind was removed."),
    ("value", "VISITING", "VISITING was removed from enum type Mode."),
    ("input", "nickname: String", "PartnerInput.nickname was removed."),
]
every_removal = pytest.mark.parametrize(
    ("stood", "told"), [pytest.param(*rest, id=kind) for kind, *rest in REMOVALS]
)


@every_removal
def test_what_was_not_deprecated_may_not_go(stood, told):
    assert compare(BEFORE, BEFORE.replace(stood, "", 1), today=TODAY).refused == [told]


@every_removal
@pytest.mark.parametrize("reason", [AHEAD, "Use title.", "Since 2020-01-01, removed after never."])
def test_nor_before_its_day_or_without_dates(stood, told, reason):
    after = BEFORE.replace(stood, "", 1)
    assert compare(deprecated(stood.strip(","), reason), after, today=TODAY).refused == [told]


@every_removal
def test_after_its_day_it_may(stood, told):
    after = BEFORE.replace(stood, "", 1)
    changes = compare(deprecated(stood.strip(","), PASSED), after, today=TODAY)
    assert changes.refused == []
    assert len(changes.removed) == 1


def test_a_type_goes_with_the_last_thing_that_led_to_it():
    after = BEFORE.replace("legacy: Legacy", "").replace("type Legacy { code: String }", "")
    assert compare(deprecated("legacy: Legacy", PASSED), after, today=TODAY).refused == []
    assert "Legacy was removed." in compare(BEFORE, after, today=TODAY).refused


def test_a_type_that_something_else_leads_to_stays():
    before = deprecated("legacy: Legacy", PASSED) + "extend type Query { legacy: Legacy }"
    after = BEFORE.replace("legacy: Legacy", "").replace("type Legacy { code: String }", "")
    refused = compare(before, after, today=TODAY).refused
    assert "Legacy was removed." in refused
    assert "Query.legacy was removed." in refused


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("mode: Mode }", "mode: String }"),
        ("nickname: String", "nickname: String!"),
        ("kind: String,", "kind: String!,"),
        ("name: String! legacy", "name: String legacy"),
    ],
)
def test_a_change_of_type_is_never_a_removal(before, after):
    assert len(compare(BEFORE, BEFORE.replace(before, after, 1), today=TODAY).refused) == 1


def test_additions_are_told_once_with_their_type():
    after = BEFORE + "extend type Query { one(id: ID!): One } type One { a: Int b: Int }"
    changes = compare(BEFORE, after, today=TODAY)
    assert [(e.coordinate, e.type) for e in changes.added] == [("One", ""), ("Query.one", "One")]
    assert changes.refused == changes.dangerous == []


def test_what_may_surprise_is_told():
    changes = compare(BEFORE, BEFORE.replace("VISITING", "VISITING OTHER"), today=TODAY)
    assert changes.dangerous == ["OTHER was added to enum type Mode."]


# ── Notices ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("side", SCHEMAS)
def test_everything_deprecated_has_its_notice(side):
    assert without_notice(SCHEMAS[side].graphql_schema) == []


def test_what_has_none_is_found():
    schema = build_schema(deprecated("kind: String", "Use title."))
    [found] = without_notice(schema)
    assert found.startswith("Query.partners(kind:): 'Use title.' is not")


def test_a_notice_is_half_a_year_at_least():
    assert read(notice("2026-08-31", "2027-02-28", "Use title.")).instead == "Use title."
    with pytest.raises(NoNotice, match="less than 6 months"):
        notice("2026-11-24", "2027-05-23", "Use title.")
    with pytest.raises(NoNotice):
        notice("2026-11-24", "2027-05-24", "")


# ── The log ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A log and a released schema of the test's own, begun on a day before today."""
    monkeypatch.setattr(log, "LOG", tmp_path / "changelog.md")
    monkeypatch.setattr(log, "RELEASED", tmp_path / "released")
    monkeypatch.setattr(sdl, "FOLDER", tmp_path)
    log.start(today=date(2026, 1, 1))
    call_command("graphql_sdl")
    return tmp_path


def test_the_committed_log_tells_of_everything():
    assert log.LOG.read_text() == log.current(today=TODAY), "Run: make sdl"


def release_without(own, side: str, field: str) -> None:
    """As if the last release had not had it."""
    text = log.released(side).read_text()
    assert text.count(field) == 1
    log.released(side).write_text(text.replace(field, ""))


def release_with(own, side: str, field: str) -> None:
    """As if it had had this one too."""
    text = log.released(side).read_text()
    log.released(side).write_text(
        text.replace("\ntype Viewer {\n", f"\ntype Viewer {{\n  {field}\n")
    )


def test_a_change_has_to_be_told_of_before_the_check_passes(own, capsys):
    described = '  """Months from the start in which nothing is owed."""\n'
    release_without(own, "tenant", f"{described}  rentFreeMonths: Int!\n")
    with pytest.raises(CommandError, match=r"changelog\.md differ from the code"):
        call_command("graphql_sdl", "--check")
    assert "`Agreement.rentFreeMonths` Int!: Months" in capsys.readouterr().out
    call_command("graphql_sdl")
    call_command("graphql_sdl", "--check")
    assert (
        "## Not released yet\n\n### At a tenant's host\n\nAdded:\n\n- `Agree" in log.LOG.read_text()
    )


def test_a_breaking_change_is_refused_and_a_release_of_it_too(own):
    release_with(own, "platform", "nickname: String")
    frozen = log.released("platform").read_text()
    for options in (["--check"], []):
        with pytest.raises(CommandError, match=r"platform\.graphql.*\n.*Viewer\.nickname was"):
            call_command("graphql_release", *options)
    assert log.released("platform").read_text() == frozen


def test_a_release_dates_what_was_told_and_begins_anew(own):
    reason = notice("2020-01-01", "2020-07-01", "Use name.")
    release_with(own, "tenant", f'nickname: String @deprecated(reason: "{reason}")')
    call_command("graphql_release")
    told = log.LOG.read_text()
    assert "## Not released yet\n\nNothing.\n\n## 2" in told
    assert "Removed:\n\n- `Viewer.nickname`\n" in told
    assert told.rstrip().endswith(log.FIRST.strip())
    assert "nickname" not in log.released("tenant").read_text()
    call_command("graphql_sdl", "--check")
    with pytest.raises(CommandError, match="has its release"):
        call_command("graphql_release")


def test_the_first_release_forgets_what_was_before(own):
    release_with(own, "platform", "nickname: String")
    call_command("graphql_release", "--first")
    call_command("graphql_release", "--check")
    assert log.LOG.read_text().count("\n## ") == 2
