"""What a partner owes: exact, explained, each fen and session counted once (P4)."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from linli.errors import Refused
from linli.library.document import PerSessionRule, ShareRule, Text
from tenants.partners.working import Declared, Segment, explain, work_out

SHARE = ShareRule(
    key="stationed",
    title=Text(zh="常驻反哺"),
    type="share",
    modes=("stationed",),
    base="takings",
    rate="0.03",
)
PROFIT = SHARE.model_copy(update={"key": "profit", "base": "profit", "rate": Decimal("0.05")})
SESSION = PerSessionRule(
    key="visiting", title=Text(zh="流动反哺"), type="per_session", modes=("visiting",), fee_fen=5000
)
MARCH = date(2025, 3, 1)
APRIL = date(2025, 4, 1)


def test_a_month_under_one_rule():
    worked = work_out([Segment(31, SHARE, rule_digest="d1")], Declared(MARCH, APRIL, 1234567))
    assert worked.amount_fen == 37037  # 37 037.01
    assert worked.lines == (
        {
            "starts_on": "2025-03-01",
            "ends_on": "2025-04-01",
            "type": "share",
            "rule_key": "stationed",
            "rule_digest": "d1",
            "rent_free": False,
            "base": "takings",
            "declared_fen": 1234567,
            "base_fen": 1234567,
            "rate": "0.03",
            "declared_sessions": 0,
            "sessions": 0,
            "fee_fen": None,
            "amount_fen": 37037,
        },
    )
    assert json.loads(json.dumps(worked.lines)) == list(worked.lines)


def test_the_agreed_rate_stands_in_for_the_rule():
    segment = Segment(31, SHARE, rate=Decimal("0.015"))
    worked = work_out([segment], Declared(MARCH, APRIL, 100))
    assert (worked.amount_fen, worked.lines[0]["rate"]) == (2, "0.015")  # 1.5 is rounded up


def test_a_rule_that_changed_divides_the_period_by_days():
    later = SHARE.model_copy(update={"rate": Decimal("0.05")})
    segments = [Segment(10, SHARE, rule_digest="old"), Segment(21, later, rule_digest="new")]
    worked = work_out(segments, Declared(MARCH, APRIL, 1000000))
    assert [line["base_fen"] for line in worked.lines] == [322581, 677419]
    assert [line["amount_fen"] for line in worked.lines] == [9677, 33871]
    assert [(line["starts_on"], line["ends_on"]) for line in worked.lines] == [
        ("2025-03-01", "2025-03-11"),
        ("2025-03-11", "2025-04-01"),
    ]
    assert worked.amount_fen == 43548


def test_sessions_are_divided_whole():
    dearer = SESSION.model_copy(update={"fee_fen": 8000})
    segments = [Segment(15, SESSION), Segment(16, dearer)]
    worked = work_out(segments, Declared(MARCH, APRIL, sessions=5))
    assert [line["sessions"] for line in worked.lines] == [2, 3]
    assert worked.amount_fen == 2 * 5000 + 3 * 8000


def test_rent_free_days_owe_nothing_and_keep_their_part_of_the_income():
    segments = [Segment(10, SHARE, rent_free=True), Segment(21, SHARE)]
    worked = work_out(segments, Declared(MARCH, APRIL, 310000))
    assert [line["base_fen"] for line in worked.lines] == [100000, 210000]
    assert [line["amount_fen"] for line in worked.lines] == [0, 6300]
    free = work_out([Segment(31, SESSION, rent_free=True)], Declared(MARCH, APRIL, sessions=9))
    assert (free.amount_fen, free.lines[0]["sessions"]) == (0, 9)


def test_a_loss_owes_nothing():
    worked = work_out([Segment(31, PROFIT)], Declared(MARCH, APRIL, -500, base="profit"))
    assert (worked.amount_fen, worked.lines[0]["base_fen"]) == (0, -500)
    with translation.override("en"):
        assert str(explain(worked.lines[0])) == (
            "2025-03-01 to 2025-03-31: profit of -5.00 yuan is a loss, of which no share is taken."
        )


@pytest.mark.parametrize(
    ("declared", "field"), [({"income_fen": -1}, "income"), ({"sessions": -1}, "sessions")]
)
def test_takings_and_sessions_are_not_negative(declared, field):
    with pytest.raises(Refused) as refused:
        work_out([Segment(31, SHARE)], Declared(MARCH, APRIL, **declared))
    assert (refused.value.code, refused.value.field) == ("DECLARED_NEGATIVE", field)


def test_another_base_than_the_rules_is_refused_unless_nothing_is_owed():
    declared = Declared(MARCH, APRIL, 100, base="takings")
    with pytest.raises(Refused) as refused:
        work_out([Segment(31, PROFIT)], declared)
    assert (refused.value.code, refused.value.field) == ("BASE_DIFFERS", "base")
    assert refused.value.data == {"allowed": ["profit"]}
    assert work_out([Segment(31, PROFIT, rent_free=True)], declared).amount_fen == 0


@pytest.mark.parametrize("days", [[], [30], [32], [0, 31], [-1, 32]])
def test_segments_cover_the_period_exactly(days):  # however alike they are
    segments = [Segment(d, SHARE, rule_digest=str(i)) for i, d in enumerate(days)]
    with pytest.raises(ValueError, match="cover"):
        work_out(segments, Declared(MARCH, APRIL, 100))


def test_each_line_explains_itself():
    later = SHARE.model_copy(update={"rate": Decimal("0.05")})
    segments = [Segment(10, SHARE), Segment(20, later), Segment(1, SESSION, rent_free=True)]
    share, *_rest, free = work_out(segments, Declared(MARCH, APRIL, 1000000)).lines
    whole = work_out([Segment(31, SHARE)], Declared(MARCH, APRIL, 1000000)).lines[0]
    per_session = work_out([Segment(31, SESSION)], Declared(MARCH, APRIL, sessions=3)).lines[0]
    with translation.override("en"):
        assert str(explain(share)) == (
            "2025-03-01 to 2025-03-10: by days, 3,225.81 of 10,000.00 yuan; "
            "3 % of that takings = 96.77 yuan, rounded to the nearest fen, half a fen upwards."
        )
        assert str(explain(whole)) == (
            "2025-03-01 to 2025-03-31: 3 % of takings of 10,000.00 yuan = 300.00 yuan, "
            "rounded to the nearest fen, half a fen upwards."
        )
        assert str(explain(per_session)) == (
            "2025-03-01 to 2025-03-31: 3 sessions × 50.00 yuan = 150.00 yuan."
        )
        assert str(explain(free)) == "2025-03-31 to 2025-03-31: rent-free, nothing is owed."


rules = st.one_of(
    st.builds(
        lambda rate: SHARE.model_copy(update={"rate": Decimal(rate).scaleb(-6)}),
        st.integers(0, 10**6),
    ),
    st.builds(lambda fee: SESSION.model_copy(update={"fee_fen": fee}), st.integers(0, 10**9)),
)
segments_of = st.lists(
    st.builds(
        Segment,
        days=st.integers(1, 400),
        rule=rules,
        rent_free=st.booleans(),
        rule_digest=st.sampled_from("abc"),
    ),
    min_size=1,
    max_size=8,
)


def declare(segments, income, sessions):
    days = sum(segment.days for segment in segments)
    return Declared(MARCH, MARCH + timedelta(days), income, sessions)


@given(segments_of, st.integers(0, 10**15), st.integers(0, 10**6))
def test_each_fen_and_session_counts_once_and_the_lines_add_up(segments, income, sessions):
    worked = work_out(segments, declare(segments, income, sessions))
    assert sum(line["base_fen"] for line in worked.lines) == income
    assert sum(line["sessions"] for line in worked.lines) == sessions
    assert sum(line["amount_fen"] for line in worked.lines) == worked.amount_fen
    ends = [line["ends_on"] for line in worked.lines[:-1]]
    assert ends == [line["starts_on"] for line in worked.lines[1:]]
    for line in worked.lines:
        if line["rent_free"]:
            assert line["amount_fen"] == 0
        elif line["type"] == "share":
            exact = Decimal(line["rate"]) * line["base_fen"]
            assert Decimal("-0.5") < line["amount_fen"] - exact <= Decimal("0.5")
        else:
            assert line["amount_fen"] == line["sessions"] * line["fee_fen"]


@given(segments_of, st.integers(0, 10**15), st.integers(0, 10**6))
def test_where_the_same_rule_is_cut_changes_nothing(segments, income, sessions):
    declared = declare(segments, income, sessions)
    by_day = [
        Segment(1, s.rule, s.rate, s.rent_free, s.rule_digest)
        for s in segments
        for _day in range(s.days)
    ]
    assert work_out(by_day, declared) == work_out(segments, declared)


@given(segments_of, st.integers(0, 10**15), st.integers(0, 10**6), st.data())
def test_a_change_of_other_rules_changes_nothing_that_is_owed(segments, income, sessions, data):
    """What else is in force tells by its digest; the rule itself is the same, whatever it is called."""
    limited = [
        replace(s, rule=s.rule.model_copy(update={"minimum_fen": 10_000, "maximum_fen": 20_000}))
        for s in segments
    ]
    declared = declare(limited, income, sessions)
    named = SHARE.title.model_copy(update={"zh": "改名"})
    cut = []
    for s in limited:
        first = data.draw(st.integers(1, s.days))
        cut.append(replace(s, days=first, rule_digest="before"))
        if first < s.days:
            rule = s.rule.model_copy(update={"title": named})
            cut.append(replace(s, days=s.days - first, rule=rule, rule_digest="after"))
    worked, whole = work_out(cut, declared), work_out(limited, declared)
    assert worked.amount_fen == whole.amount_fen
    assert [{**line, "rule_digest": ""} for line in worked.lines] == [
        {**line, "rule_digest": ""} for line in whole.lines
    ]


def test_one_session_a_year_owes_the_least_of_it_whenever_another_rule_changes():
    """100 yuan at least and 200 at most a year, other rules changed on 2 July: once 149.86."""
    fee = {"fee_fen": 10_000, "minimum_fen": 10_000, "maximum_fen": 20_000}
    rule = SESSION.model_copy(update=fee)
    segments = [Segment(182, rule, rule_digest="old"), Segment(183, rule, rule_digest="new")]
    declared = Declared(date(2025, 1, 1), date(2026, 1, 1), sessions=1)
    [line] = work_out(segments, declared).lines
    assert (line["amount_fen"], line["rule_digest"]) == (10_000, "new")


@given(segments_of, st.integers(0, 10**15), st.randoms())
def test_the_order_of_rules_moves_at_most_a_fen_of_income_a_line(segments, income, random):
    distinct = [
        Segment(s.days, s.rule.model_copy(update={"key": f"r{i}"}), rule_digest=str(i))
        for i, s in enumerate(segments)
    ]
    mixed = random.sample(distinct, len(distinct))
    declared = declare(distinct, income, 0)
    straight = {line["rule_digest"]: line for line in work_out(distinct, declared).lines}
    for line in work_out(mixed, declared).lines:
        assert abs(line["base_fen"] - straight[line["rule_digest"]]["base_fen"]) <= 1
