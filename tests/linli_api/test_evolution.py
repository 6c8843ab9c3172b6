"""A released schema changes with notice, and the change log tells of it."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from linli.accounts.policy import Permission
from linli.accounts.scopes import SCOPES
from linli.events import types
from linli_api import guard, sdl
from linli_api.events.types import _carried
from linli_api.evolution import compare as comparing
from linli_api.evolution import http, log, needs
from linli_api.evolution.compare import Changes, Promise, unfair_at_first
from linli_api.evolution.needs import Need
from linli_api.evolution.notice import NoNotice, notice, passed, read
from linli_api.schema import SCHEMAS
from tests.house.test_error_codes import _rows as rows_of_codes

TODAY = date(2026, 11, 24)
PASSED = notice("2026-01-01", "2026-07-01", "Use title.")
LAST = notice("2026-01-01", "2026-11-23", "Use title.")  # its last day was yesterday
AHEAD = notice("2026-01-01", "2026-11-24", "Use title.")  # its last day is today
FAIR = notice("2026-11-24", "2027-05-24", "Use title.")  # fair to who hears of it today

BEFORE = """
type Query { partners(kind: String, mode: Mode): [Partner!]! }
type Partner { name: String! legacy: Legacy mode: Mode }
type Legacy { code: String }
enum Mode { STATIONED VISITING }
input PartnerInput { name: String! nickname: String }
type Mutation { admit(input: PartnerInput!): Partner }
"""


def compare(before: str, after: str, *, today: date) -> Changes:
    return comparing.compare(Promise(before), Promise(after), today=today)


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
@pytest.mark.parametrize("reason", [PASSED, LAST])
def test_after_its_day_it_may(stood, told, reason):
    after = BEFORE.replace(stood, "", 1)
    changes = compare(deprecated(stood.strip(","), reason), after, today=TODAY)
    assert changes.refused == []
    assert len(changes.removed) == 1


@every_removal
@pytest.mark.parametrize(
    ("reason", "refused"), [(PASSED, True), (LAST, True), (AHEAD, True), (FAIR, False)]
)
def test_what_is_deprecated_today_stays_for_half_a_year_from_today(stood, told, reason, refused):
    """Whatever day the notice says that it was given on."""
    found = compare(BEFORE, deprecated(stood.strip(","), reason), today=TODAY).refused
    assert bool(found) == refused
    if refused:
        assert "stays until 2027-05-24 at least" in found[0]


def test_so_does_what_comes_deprecated():
    field = "extend type Partner { title: String @deprecated(reason: %r) }".replace("%r", '"%s"')
    assert len(compare(BEFORE, BEFORE + field % AHEAD, today=TODAY).refused) == 1
    assert compare(BEFORE, BEFORE + field % FAIR, today=TODAY).refused == []


@pytest.mark.parametrize(
    ("told", "reason", "refused"),
    [
        (AHEAD, AHEAD, False),  # as it was told
        (AHEAD, notice("2026-01-01", "2026-12-31", "Use title."), False),  # later
        (AHEAD, notice("2026-01-01", "2026-11-24", "Use name."), False),  # in other words
        (AHEAD, notice("2026-01-01", "2026-11-23", "Use title."), True),  # sooner
        ("Since 2025-01-01, removed after 2030-01-01. No.", FAIR, False),  # sooner, in good time
        ("Use title.", AHEAD, True),  # without a day before, so clients hear of it today
        (AHEAD, "Use title.", True),
    ],
)
def test_a_day_that_was_told_comes_no_sooner(told, reason, refused):
    before, after = (deprecated("legacy: Legacy", text) for text in (told, reason))
    assert bool(compare(before, after, today=TODAY).refused) == refused


def test_what_was_deprecated_only_here_may_not_go_either():
    """Deprecated and removed between two releases: nobody heard of it."""
    after = BEFORE.replace("legacy: Legacy", "").replace("type Legacy { code: String }", "")
    assert compare(BEFORE, after, today=TODAY).refused


@pytest.mark.parametrize("kind", ["argument", "input"])
def test_what_could_be_left_out_may_not_be_asked_for(kind):
    given = {
        "argument": "type Query { found(why: String!%s): Int }",
        "input": "type Query { found(of: Asked): Int } input Asked { why: String!%s }",
    }[kind]
    [refused] = compare(given % ' = ""', given % "", today=TODAY).refused
    assert refused.endswith("could be left out, and has to be given now.")
    assert compare(given % ' = ""', given % ' = "so"', today=TODAY).refused == []


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


def test_a_type_that_leads_to_itself_goes_too():
    before = BEFORE.replace("code: String }", "code: String up: Legacy }")
    before = before.replace("legacy: Legacy", f'legacy: Legacy @deprecated(reason: "{PASSED}")')
    after = BEFORE.replace("legacy: Legacy", "").replace("type Legacy { code: String }", "")
    assert compare(before, after, today=TODAY).refused == []


@pytest.mark.parametrize("way", ["Alone", "Twin"])
def test_what_is_found_by_its_interface_only_keeps_what_it_leads_to(way):
    """Though it is led to by itself, at once or around."""
    alone = "type Alone { up: WAY other: Other } type Twin { of: Alone } type Other { a: String }"
    types = BEFORE + alone.replace("WAY", way)
    before = types + f'extend type Query {{ other: Other @deprecated(reason: "{PASSED}") }}'
    assert compare(before, types, today=TODAY).refused == []
    without = types.replace(" other: Other", "").replace("type Other { a: String }", "")
    refused = compare(before, without, today=TODAY).refused
    assert sorted(refused) == ["Alone.other was removed.", "Other was removed."]


def test_a_type_stays_without_its_last_part_while_something_leads_to_it():
    before = deprecated("code: String", PASSED)
    after = BEFORE.replace("legacy: Legacy", "").replace("type Legacy { code: String }", "")
    assert compare(before, BEFORE, today=TODAY).refused == []
    refused = compare(before, after, today=TODAY).refused
    assert sorted(refused) == ["Legacy was removed.", "Partner.legacy was removed."]


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


def test_a_change_of_type_or_default_is_told_though_it_breaks_nothing():
    after = BEFORE.replace(
        "name: String! nickname: String }", 'name: String! nickname: String = "a" }'
    )
    after = after.replace("legacy: Legacy", "legacy: Legacy!").replace(
        "kind: String,", 'kind: String = "b",'
    )
    changes = compare(BEFORE, after, today=TODAY)
    assert [(e.coordinate, was.type, e.type) for was, e in changes.changed] == [
        ("Partner.legacy", "Legacy", "Legacy!"),
        ("PartnerInput.nickname", "String", 'String = "a"'),
        ("Query.partners(kind:)", "String", 'String = "b"'),
    ]
    assert changes.refused == changes.dangerous == []
    [(was, is_)] = compare(after, after.replace('"b"', '"c"'), today=TODAY).changed
    assert (was.type, is_.type) == ('String = "b"', 'String = "c"')
    assert compare(after, after.replace('"b"', '"c"'), today=TODAY).dangerous == []


def test_what_stays_after_all_is_told():
    changes = compare(deprecated("legacy: Legacy", AHEAD), BEFORE, today=TODAY)
    assert [e.coordinate for e in changes.undone] == ["Partner.legacy"]


def test_additions_are_told_once_with_their_type():
    after = BEFORE + "extend type Query { one(id: ID!): One } type One { a: Int b: Int }"
    changes = compare(BEFORE, after, today=TODAY)
    assert [(e.coordinate, e.type) for e in changes.added] == [("One", ""), ("Query.one", "One")]
    assert changes.refused == changes.dangerous == []


def test_what_may_surprise_is_told():
    changes = compare(BEFORE, BEFORE.replace("VISITING", "VISITING OTHER"), today=TODAY)
    assert changes.dangerous == ["OTHER was added to enum type Mode."]


# ── Notices ──────────────────────────────────────────────────────────────────────────────────────


LONG_AGO = date(2000, 1, 1)  # when a half year from today was over for every notice


@pytest.mark.parametrize("side", sdl.SIDES)
def test_everything_deprecated_has_its_notice(side):
    assert unfair_at_first(log.promised()[side], today=LONG_AGO) == []


def test_what_has_none_is_found():
    [found] = unfair_at_first(Promise(deprecated("kind: String", "Use title.")), today=LONG_AGO)
    assert found.startswith("Query.partners(kind:): 'Use title.' is not")
    promise = Promise(BEFORE, announced={"Query.partners": "Soon."})
    [found] = unfair_at_first(promise, today=LONG_AGO)
    assert found.startswith("Query.partners: 'Soon.' is not")


def test_a_first_release_gives_half_a_year_too():
    promise = Promise(deprecated("kind: String", AHEAD), announced={"Query.partners": PASSED})
    assert len(unfair_at_first(promise, today=TODAY)) == 2
    promise = Promise(deprecated("kind: String", FAIR), announced={"Query.partners": FAIR})
    assert unfair_at_first(promise, today=TODAY) == []


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "0000-01-01"])
def test_a_day_is_one_of_the_calendar(day):
    reason = f"Since 2025-01-01, removed after {day}. Use title."
    with pytest.raises(NoNotice):
        read(reason)
    assert not passed(reason, today=TODAY)


def test_a_notice_is_half_a_year_at_least():
    assert read(notice("2026-08-31", "2027-02-28", "Use title.")).instead == "Use title."
    with pytest.raises(NoNotice, match="less than 6 months"):
        notice("2026-12-31", "2027-06-29", "Use title.")
    with pytest.raises(NoNotice, match="less than 6 months"):
        notice("2026-11-24", "2027-05-23", "Use title.")
    with pytest.raises(NoNotice):
        notice("2026-11-24", "2027-05-24", "")


# ── Needs ────────────────────────────────────────────────────────────────────────────────────────

NOTHING, ANYBODY = Need(), Need("member")
READ = Need("partners.read", ("partners:read",))
READ_BY_MORE = Need("partners.read", ("partners:read", "partners:write"))
SIGN = Need("partners.sign", ("partners:write",))


def change_of_need(was: Need, is_: Need, before: str = "", now: str = "") -> Changes:
    return comparing.compare(
        Promise(BEFORE, {"Mutation.admit": was}, {"Mutation.admit": before} if before else {}),
        Promise(BEFORE, {"Mutation.admit": is_}, {"Mutation.admit": now} if now else {}),
        today=TODAY,
    )


@pytest.mark.parametrize(
    ("was", "is_"),
    [
        (NOTHING, ANYBODY),
        (NOTHING, READ),
        (ANYBODY, READ),
        (READ, SIGN),
        (READ_BY_MORE, READ),  # a program with the scope that is gone
        (READ, Need("partners.read", ("partners:write",))),
        (READ, Need("partners.sign", ("partners:read",))),  # people by their roles
    ],
)
def test_who_was_let_in_is_not_shut_out_without_notice(was, is_):
    assert change_of_need(was, is_).refused == [
        f"Mutation.admit needs {is_}, and {was} was enough."
    ]
    assert change_of_need(was, is_, before=AHEAD).refused
    assert change_of_need(was, is_, now=FAIR).refused
    assert change_of_need(was, is_, before=LAST).refused == []
    assert change_of_need(was, is_).needs == [("Mutation.admit", was, is_)]


@pytest.mark.parametrize(
    ("was", "is_"), [(ANYBODY, NOTHING), (SIGN, NOTHING), (SIGN, ANYBODY), (READ, READ_BY_MORE)]
)
def test_more_may_be_let_in_and_it_is_told(was, is_):
    assert change_of_need(was, is_).refused == []
    assert change_of_need(was, is_).needs == [("Mutation.admit", was, is_)]


def test_an_announcement_is_told_in_time_and_is_for_once():
    assert change_of_need(READ, READ, now=FAIR).announced == [("Mutation.admit", FAIR)]
    assert change_of_need(READ, READ, now=FAIR).refused == []
    assert len(change_of_need(READ, READ, now=AHEAD).refused) == 1
    assert change_of_need(READ, READ, before=AHEAD, now=AHEAD).refused == []
    [left] = change_of_need(READ, SIGN, before=LAST, now=LAST).refused
    assert "take its announcement out" in left


def test_what_is_new_or_may_go_needs_what_it_likes():
    after = BEFORE + "extend type Mutation { sign: Partner }"
    new = comparing.compare(Promise(BEFORE), Promise(after, {"Mutation.sign": SIGN}), today=TODAY)
    assert new.refused == []
    before = BEFORE.replace("): Partner }", f'): Partner @deprecated(reason: "{LAST}") }}')
    anew = comparing.compare(
        Promise(before), Promise(BEFORE, {"Mutation.admit": SIGN}), today=TODAY
    )
    assert anew.refused == []
    assert len(anew.needs) == 1


def test_what_is_announced_is_there():
    promise = Promise(BEFORE, announced={"Mutation.gone": FAIR})
    [found] = comparing.compare(Promise(BEFORE), promise, today=TODAY).refused
    assert found.startswith("Mutation.gone is announced")


@pytest.mark.parametrize(
    ("side", "coordinate", "need"),
    [
        ("tenant", "Mutation.signAgreement", "partners.sign partners:write"),
        ("tenant", "Partner", "partners.read partners:read"),
        ("tenant", "Query.balances", "fund.read fund:read"),
        ("tenant", "Query.viewer", "member"),
        ("tenant", "Export", "member"),
        ("platform", "Mutation.requestTenant", "tenants.request tenants:write"),
        ("events", "Data.PARTNER_ADMITTED", "partners.read partners:read"),
    ],
)
def test_needs_are_those_declared(side, coordinate, need):
    assert needs.needs(side)[coordinate].written == need
    assert Need.read(need) == needs.needs(side)[coordinate]


@pytest.mark.parametrize("side", SCHEMAS)
def test_each_check_of_the_guard_follows_from_a_need(side):
    """Whatever is checked on the way to a field is the need of its type or its own."""
    schema, known = SCHEMAS[side].graphql_schema, needs.needs(side)
    for name, type_ in schema.type_map.items():
        for field_name, field in getattr(type_, "fields", {}).items():
            to = str(field.type).strip("[]!").removesuffix("Connection").removesuffix("Edge")
            for rule in guard.rules_of(field) if hasattr(field, "resolve") else ():
                assert Need.of(rule) in (known.get(f"{name}.{field_name}"), known.get(to))
    assert {f"Mutation.{name}" for name in schema.mutation_type.fields} <= known.keys() | OPEN


OPEN: set[str] = set()  # mutations for whoever comes

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


# ── What only the code of a release can change ───────────────────────────────────────────────────


def refused_and_told() -> tuple[str, str]:
    call_command("graphql_sdl")
    told = log.LOG.read_text().partition("## Not released yet")[2].partition("\n## 2")[0]
    try:
        call_command("graphql_release", "--check")
    except CommandError as error:
        return str(error), told
    return "", told


@pytest.fixture
def event(monkeypatch):
    """Puts something else in the place of a type of event; None takes it out."""

    def put(name: str, **changes) -> None:
        known = dict(types._by_name)
        one = known.pop(name)
        if changes:
            known[name] = replace(one, **changes)
        monkeypatch.setattr(types, "_by_name", known)

    return put


ADMITTED = "partner.admitted"


def data_of_admitted(**changes) -> dict:
    data = {**types.event_type(ADMITTED).data, **changes}
    return {name: field for name, field in data.items() if field is not None}


def test_a_key_that_goes_breaks(own, event):
    event(ADMITTED, data=data_of_admitted(kind=None))
    refused, told = refused_and_told()
    assert "PartnerAdmitted.kind was removed." in refused
    assert "### In the events of webhooks" in told
    assert "Removed:\n\n- `PartnerAdmitted.kind`\n" in told


@pytest.mark.parametrize(
    ("field", "told_as"),
    [
        (types.Value("Its kind.", "Int!"), "Int!, was String!"),
        (types.Value("Its kind.", "String"), "String, was String!"),
        (types.Id("Partner", "Its kind."), "PartnerId!, was String!"),
    ],
)
def test_so_does_a_key_of_another_type(own, event, field, told_as):
    event(ADMITTED, data=data_of_admitted(kind=field))
    refused, told = refused_and_told()
    assert "PartnerAdmitted.kind changed type" in refused
    assert f"Changed:\n\n- `PartnerAdmitted.kind` {told_as}\n" in told


def test_so_does_the_id_of_something_else(own, event):
    event(ADMITTED, data=data_of_admitted(community=types.Id("Fund", "Which.")))
    assert "PartnerAdmitted.community changed type from CommunityId!" in refused_and_told()[0]
    event(ADMITTED, about="Community")
    assert "ObjectId.PARTNER_ADMITTED changed type from PartnerId!" in refused_and_told()[0]


def test_so_does_a_kind_of_event_that_goes(own, event):
    event(ADMITTED)
    refused, told = refused_and_told()
    assert "Data.PARTNER_ADMITTED was removed." in refused
    assert "- `PartnerAdmitted`\n" in told


def test_so_does_another_permission_to_hear_of_it(own, event):
    event(ADMITTED, permission=Permission.AUDIT_READ)
    refused, told = refused_and_told()
    assert "Data.PARTNER_ADMITTED needs `audit.read` (scope `audit:read`)" in refused
    assert "Needs:\n\n- `Data.PARTNER_ADMITTED` needs `audit.read` (scope" in told


def test_a_new_key_is_told_and_breaks_nothing(own, event):
    event(ADMITTED, data=data_of_admitted(tier=types.Value("Its tier.")))
    refused, told = refused_and_told()
    assert refused == ""
    assert "Added:\n\n- `PartnerAdmitted.tier` String!: Its tier.\n" in told


def test_a_key_goes_by_notice(own, event):
    """Deprecated in one release, it may be left out of one after its day."""
    today = timezone.localdate()
    day = today.replace(year=today.year + 1, day=1)
    reason = notice(str(today), str(day), "Ask for Partner.kind.")
    kind = replace(types.event_type(ADMITTED).data["kind"], deprecation=reason)
    event(ADMITTED, data=data_of_admitted(kind=kind))
    refused, told = refused_and_told()
    assert refused == ""
    assert f"Deprecated:\n\n- `PartnerAdmitted.kind`: {reason}" in told
    log.freeze(today=today)
    event(ADMITTED, data=data_of_admitted(kind=None))
    assert "PartnerAdmitted.kind was removed." in refused_and_told()[0]
    later = log.changes(today=day.replace(day=2))["events"]
    assert later.refused == []


@pytest.mark.parametrize(
    ("field", "value"), [("mode", "visiting"), ("source", "guarantee"), ("state", "clashing")]
)
def test_a_value_that_a_key_holds_no_more_breaks(own, field, value):
    """As if the code had one less than what was released."""
    text = log.released("events").read_text()
    assert f"  {value}\n" in text
    log.released("events").write_text(text.replace(f"  {value}\n", f"  {value}\n\n  of_old\n", 1))
    refused, told = refused_and_told()
    enum = {"mode": "AgreementMode", "source": "FundSource", "state": "LayerState"}[field]
    assert f"of_old was removed from enum type {enum}." in refused
    assert f"Removed:\n\n- `{enum}.of_old`\n" in told


def test_a_value_that_a_key_holds_anew_is_told_and_breaks_nothing(own):
    text = log.released("events").read_text()
    told_of = '  """The partner comes by the session, and has no room (流动)."""\n  visiting\n'
    assert told_of in text
    log.released("events").write_text(text.replace(told_of, ""))
    refused, told = refused_and_told()
    assert refused == ""
    assert "Added:\n\n- `AgreementMode.visiting`: The partner comes" in told


def test_what_an_event_carries_is_what_is_promised():
    signed = types.event_type("agreement.signed")
    given = dict.fromkeys(signed.data, "x") | {"partner": uuid4(), "mode": "visiting"}
    assert signed.carried(given)["mode"] == "visiting"
    with pytest.raises(TypeError, match="promises no mode of 'strolling'"):
        signed.carried(given | {"mode": "strolling"})


# ── Codes and headers ────────────────────────────────────────────────────────────────────────────

TAKEN = "| `SLUG_TAKEN` | Another unit has this address. | Choose another slug. |\n"


@pytest.fixture
def page(own, monkeypatch):
    """Puts something else in the place of a row of docs/errors.md."""

    def put(row: str) -> None:
        text = pages_own.read_text()
        assert TAKEN in text
        (own / "errors.md").write_text(text.replace(TAKEN, row))
        monkeypatch.setattr(http, "PAGE", own / "errors.md")

    pages_own = http.PAGE
    return put


def test_a_code_that_goes_breaks(page):
    page("")
    refused, told = refused_and_told()
    assert "SLUG_TAKEN was removed from enum type ErrorCode." in refused
    assert "### In codes of errors and in headers" in told
    assert "Removed:\n\n- `ErrorCode.SLUG_TAKEN`\n" in told


def test_a_new_code_is_told_and_breaks_nothing(page):
    page(TAKEN + "| `SLUG_SHY` | The slug hides. | Find it. |\n")
    refused, told = refused_and_told()
    assert refused == ""
    assert "Added:\n\n- `ErrorCode.SLUG_SHY`: The slug hides.\n" in told


def test_a_code_goes_by_notice(page):
    today = timezone.localdate()
    day = today.replace(year=today.year + 1, day=1)
    reason = notice(str(today), str(day), "Match on SLUG_HELD.")
    page(TAKEN.replace("another slug. |", f"another slug. {reason} |"))
    refused, told = refused_and_told()
    assert refused == ""
    assert f"Deprecated:\n\n- `ErrorCode.SLUG_TAKEN`: {reason}" in told
    log.freeze(today=today)
    page("")
    assert "SLUG_TAKEN was removed" in refused_and_told()[0]
    assert log.changes(today=day.replace(day=2))["http"].refused == []


def test_every_code_of_the_page_is_promised():
    found = {code.name for code in http.codes()}
    assert found == {code for code, *_ in rows_of_codes()}
    assert len(found) == len(http.http().type_map["ErrorCode"].values) > 150


@pytest.mark.parametrize("side", ["ANSWER", "WEBHOOK", "REQUEST", "RECEIVER"])
def test_a_header_that_goes_breaks(own, monkeypatch, side):
    *left, last = getattr(http, side)
    left = left or [http.REQUEST[-1]]
    monkeypatch.setattr(http, side, left)
    refused, told = refused_and_told()
    assert f"Headers.{last.spelled} was removed." in refused
    assert f"Headers.{last.spelled}`\n" in told


def test_so_does_one_that_has_to_be_sent(own, monkeypatch):
    asked = http.Header("Linli-Version", "String!", "Which release.")
    monkeypatch.setattr(http, "REQUEST", (*http.REQUEST, asked))
    refused = refused_and_told()[0]
    assert "A required field Linli_Version on input type RequestHeaders was added." in refused


def test_one_more_is_told_and_breaks_nothing(own, monkeypatch):
    more = http.Header("Linli-Region", "String!", "Where it was sent from.")
    monkeypatch.setattr(http, "WEBHOOK", (*http.WEBHOOK, more))
    refused, told = refused_and_told()
    assert refused == ""
    assert "- `WebhookHeaders.Linli_Region` String!: `Linli-Region`: Where" in told


def test_the_type_of_an_event_is_described_with_its_data():
    described = (
        SCHEMAS["tenant"].graphql_schema.type_map["EventType"].values["FACT_STATED"].description
    )
    assert described.endswith(
        "data: `community: ID` of `Community`, `key: String!`, `corrected: Boolean!`."
    )
    going = types.Value("Its kind.", deprecation=FAIR)
    assert _carried("kind", going) == f"`kind: String!` (deprecated: {FAIR})"


def test_a_scope_that_gives_less_breaks(own, monkeypatch):
    less = SCOPES["partners:write"] - {Permission.PARTNERS_SIGN}
    monkeypatch.setitem(SCOPES, "partners:write", less)
    refused, told = refused_and_told()
    line = "`Mutation.signAgreement` needs `partners.sign` (no scope gives it)"
    assert "Mutation.signAgreement needs `partners.sign` (no scope gives it), and" in refused
    assert f"{line}; it was `partners.sign` (scope `partners:write`)\n" in told
    assert "admitPartner" not in told


def test_so_does_another_permission_of_a_mutation_a_type_or_a_field(own, monkeypatch):
    built = SCHEMAS["tenant"].graphql_schema
    admit = built.type_map["AdmitPartnerPayload"].graphene_type._meta
    monkeypatch.setitem(admit.__dict__, "permission", Permission.PARTNERS_SIGN)
    partner = built.type_map["Partner"].graphene_type._meta
    monkeypatch.setitem(partner.__dict__, "permission", Permission.AUDIT_READ)
    balances = built.query_type.graphene_type._meta.fields["balances"]
    monkeypatch.setattr(balances, "permission", Permission.AUDIT_READ)
    refused, told = refused_and_told()
    for line in (
        "Mutation.admitPartner needs `partners.sign`",
        "Partner needs `audit.read`",
        "Query.balances needs `audit.read`",
    ):
        assert line in refused
        coordinate, _needs, rest = line.partition(" ")
        assert f"- `{coordinate}` {rest}" in told


def test_not_even_a_first_release_deprecates_without_notice(own, event):
    event(ADMITTED, deprecation="Use partners.")
    with pytest.raises(CommandError, match=r"without notice:\n  .*PARTNER_ADMITTED: 'Use partners"):
        call_command("graphql_release", "--first")
    assert "Use partners" not in log.released("events").read_text()


def test_a_release_lost_is_no_release_to_pass_by(own):
    log.released_needs("events").unlink()
    with pytest.raises(CommandError, match="Nothing released to compare with:\n  events"):
        call_command("graphql_release", "--check")
