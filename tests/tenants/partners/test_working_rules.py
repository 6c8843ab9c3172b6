"""Fixed fees, bands, minimum and maximum, in kind, several together: exact, and in words (P4)."""

import itertools
import json
import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from linli.errors import Refused
from linli.library.document import (
    CombinedRule,
    FixedRule,
    InKindRule,
    PerSessionRule,
    ShareRule,
    Text,
    TieredRule,
)
from linli.library.document.sections.contributions import Band
from tenants.partners.working import Declared, Segment, explain, work_out
from tenants.partners.working.amounts import of_days

COMMON = {"title": Text(zh="反哺"), "modes": ("stationed",)}
SHARE = ShareRule(**COMMON, key="share", type="share", base="takings", rate="0.03")
SESSION = PerSessionRule(**COMMON, key="session", type="per_session", fee_fen=5000)
FIXED = FixedRule(**COMMON, key="fixed", type="fixed", fee_fen=1_200_000)
LOW, HIGH, TOP = (
    Band(key="low", from_fen=0, rate="0.01"),
    Band(key="high", from_fen=1_000_000, rate="0.03"),
    Band(key="top", from_fen=5_000_000, rate="0.05"),
)
TIERED = TieredRule(
    **COMMON, key="bands", type="tiered", base="takings", counting="marginal",
    bands=(LOW, HIGH, TOP),
)  # fmt: skip
WHOLE = TIERED.model_copy(update={"key": "whole", "counting": "whole"})
IN_KIND = InKindRule(
    **COMMON, key="clinics", type="in_kind",
    gives=Text(zh="每月两场义诊", en="two free clinics a month"), valued=Text(zh="按门诊价目"),
)  # fmt: skip
MARCH, APRIL = date(2025, 3, 1), date(2025, 4, 1)
YEAR, NEXT_YEAR = date(2025, 1, 1), date(2026, 1, 1)


def combined(*parts, **limits):
    keys = tuple(part.key for part in parts)
    return CombinedRule(**COMMON, key="all", type="combined", of=keys, **limits), parts


def month(rule, income=0, sessions=0, parts=(), **more):
    segment = Segment(31, rule, parts=parts, rule_digest="d", **more)
    return work_out([segment], Declared(MARCH, APRIL, income, sessions))


def said(worked, language="en"):
    with translation.override(language):
        return [str(explain(line)) for line in worked.lines]


def test_a_fixed_fee_is_owed_by_calendar_days():
    """31 days of 12,000.00 a year of 365: 1,019.1780…, of which March has 101918 in whole fen."""
    worked = month(FIXED)

    assert worked.amount_fen == 101_918
    assert said(worked) == [
        "2025-03-01 to 2025-03-31: 31 days of 12,000.00 yuan a calendar year = 1,019.18 yuan; "
        "the year's amount is spread over its days in whole fen."
    ]


def test_twelve_months_of_a_fixed_fee_are_the_year_s():
    """So are four quarters, and the days one by one; in a leap year too."""
    for year in (2024, 2025):
        firsts = [date(year, month, 1) for month in range(1, 13)] + [date(year + 1, 1, 1)]
        months = [of_days(1_200_000, a, b) for a, b in itertools.pairwise(firsts)]
        days = (firsts[-1] - firsts[0]).days
        one_by_one = [
            of_days(1_200_000, day, day + timedelta(1))
            for day in (firsts[0] + timedelta(n) for n in range(days))
        ]
        assert sum(months) == sum(one_by_one) == 1_200_000
        assert set(one_by_one) == {1_200_000 // days, 1_200_000 // days + 1}


def test_bands_are_marginal_or_whole():
    """2 000 000 fen: the first million at 1 %, the second at 3 %; or all of it at 3 %."""
    assert month(TIERED, 2_000_000).amount_fen == 10_000 + 30_000
    assert month(WHOLE, 2_000_000).amount_fen == 60_000
    assert (month(WHOLE, 999_999).amount_fen, month(WHOLE, 1_000_000).amount_fen) == (
        10_000,
        30_000,
    )
    assert month(TIERED, 0).amount_fen == month(WHOLE, 0).amount_fen == 0
    assert said(month(TIERED, 2_000_000)) == [
        "2025-03-01 to 2025-03-31: takings of 20,000.00 yuan by bands: 1 % of 10,000.00 yuan, from "
        "0.00 yuan on + 3 % of 10,000.00 yuan, from 10,000.00 yuan on = 400.00 yuan, rounded to "
        "the nearest fen, half a fen upwards."
    ]
    assert said(month(WHOLE, 2_000_000)) == [
        "2025-03-01 to 2025-03-31: takings of 20,000.00 yuan by bands: 3 % of all 20,000.00 yuan, "
        "as it reaches 10,000.00 yuan = 600.00 yuan, rounded to the nearest fen, half a fen upwards."
    ]


def test_a_cut_neither_spares_a_band_nor_adds_one():
    """10 of 31 days rent-free: the rest pays its part of what the whole month's bands make."""
    segments = [Segment(10, TIERED, rent_free=True), Segment(21, TIERED)]
    worked = work_out(segments, Declared(MARCH, APRIL, 3_100_000))

    assert [line["base_fen"] for line in worked.lines] == [1_000_000, 2_100_000]
    # The whole month: 10 000 + 2 100 000 × 3 % = 73 000; of it 21/31.
    assert [line["amount_fen"] for line in worked.lines] == [0, 49_452]
    assert said(worked)[1] == (
        "2025-03-11 to 2025-03-31: takings of 31,000.00 yuan in the whole period by bands: 1 % of "
        "10,000.00 yuan, from 0.00 yuan on + 3 % of 21,000.00 yuan, from 10,000.00 yuan on; of "
        "that the part of 21,000.00 yuan, by days = 494.52 yuan, rounded to the nearest fen, half "
        "a fen upwards."
    )


def test_what_is_given_in_kind_owes_no_money_and_says_so():
    worked = month(IN_KIND, 500, 3)

    assert worked.amount_fen == 0
    assert said(worked) == [
        "2025-03-01 to 2025-03-31: in kind, two free clinics a month; valued 按门诊价目. "
        "No money is owed."
    ]
    assert said(worked, "zh-hans") == [
        "2025-03-01 至 2025-03-31：以实物或服务反哺：每月两场义诊；计价方式：按门诊价目。无需缴纳现金。"
    ]


def test_a_minimum_and_a_maximum_are_a_year_s_and_count_by_days():
    """Of 36,500.00 a year 3,100.00 fall on March."""
    least = SHARE.model_copy(update={"minimum_fen": 3_650_000})
    most = SHARE.model_copy(update={"maximum_fen": 3_650_000})
    both = SHARE.model_copy(update={"minimum_fen": 3_650_000, "maximum_fen": 7_300_000})

    assert month(least, 1_000_000).amount_fen == month(most, 90_000_000).amount_fen == 310_000
    assert month(least, 90_000_000).amount_fen == 2_700_000
    assert month(both, 15_000_000).amount_fen == 450_000
    assert said(month(least, 1_000_000))[0].endswith(
        " = 300.00 yuan, rounded to the nearest fen, half a fen upwards. At least 3,100.00 yuan "
        "are owed for these days of the year: 2,800.00 more."
    )
    assert said(month(most, 90_000_000))[0].endswith(
        "At most 3,100.00 yuan are owed for these days of the year: 23,900.00 less."
    )
    assert said(month(least, 90_000_000))[0].endswith(
        "It is no less than the 3,100.00 yuan laid down for these days."
    )
    assert said(month(most, 0))[0].endswith(
        "It is no more than the 3,100.00 yuan laid down for these days."
    )
    assert said(month(both, 15_000_000))[0].endswith(
        "It lies between the 3,100.00 and 6,200.00 yuan laid down for these days."
    )


def test_a_loss_still_owes_the_minimum():
    rule = SHARE.model_copy(update={"base": "profit", "minimum_fen": 3_650_000})
    worked = work_out([Segment(31, rule)], Declared(MARCH, APRIL, -500, base="profit"))
    assert worked.amount_fen == 310_000


def test_rent_free_days_owe_no_minimum():
    rule = SHARE.model_copy(update={"minimum_fen": 3_650_000})
    segments = [Segment(10, rule, rent_free=True), Segment(21, rule)]
    assert [line["amount_fen"] for line in work_out(segments, Declared(MARCH, APRIL)).lines] == [
        0, 210_000,
    ]  # fmt: skip


def test_combined_rules_all_count_each_with_its_line():
    rule, parts = combined(FIXED, SHARE, SESSION, IN_KIND)
    worked = month(rule, 1_000_000, 3, parts)

    assert [(line["rule_key"], line["amount_fen"]) for line in worked.lines] == [
        ("fixed", 101_918), ("share", 30_000), ("session", 15_000), ("clinics", 0),
    ]  # fmt: skip
    assert {line["part_of"] for line in worked.lines} == {"all"}
    assert worked.amount_fen == 146_918
    assert json.loads(json.dumps(worked.lines)) == list(worked.lines)


def test_the_sum_of_combined_rules_has_its_own_limits():
    rule, parts = combined(SHARE, SESSION, minimum_fen=3_650_000, maximum_fen=3_650_000 * 2)
    low, high = month(rule, 1_000_000, 3, parts), month(rule, 90_000_000, 3, parts)

    assert (low.amount_fen, high.amount_fen) == (310_000, 620_000)
    assert [line["amount_fen"] for line in low.lines] == [30_000, 15_000, 265_000]
    assert [line["amount_fen"] for line in high.lines] == [2_700_000, 15_000, -2_095_000]
    assert said(low)[-1] == (
        "2025-03-01 to 2025-03-31: the parts come to 450.00 yuan together. At least 3,100.00 yuan "
        "are owed for these days of the year: 2,650.00 more."
    )
    free = month(rule, 1_000_000, 3, parts, rent_free=True)
    assert [(line["rule_key"], line["amount_fen"]) for line in free.lines] == [("all", 0)]


def test_an_agreed_rate_stands_in_for_the_share_among_combined_rules():
    rule, parts = combined(FIXED, SHARE)
    worked = month(rule, 1_000_000, parts=parts, rate=Decimal("0.01"))
    assert [line["amount_fen"] for line in worked.lines] == [101_918, 10_000]


def test_a_combined_share_of_another_base_is_refused():
    rule, parts = combined(FIXED, SHARE.model_copy(update={"base": "profit"}))
    with pytest.raises(Refused) as refused:
        month(rule, 100, parts=parts)
    assert (refused.value.code, refused.value.data) == ("BASE_DIFFERS", {"allowed": ["profit"]})


def test_every_sentence_is_there_in_chinese():
    rule, parts = combined(
        FIXED, TIERED, WHOLE.model_copy(update={"minimum_fen": 1, "maximum_fen": 10**9}), SESSION,
        IN_KIND, minimum_fen=10**9,
    )  # fmt: skip
    cut = [Segment(10, FIXED, rent_free=True), Segment(21, rule, parts=parts)]
    sentences = said(work_out(cut, Declared(MARCH, APRIL, 9_000_000, 4)), "zh-hans")
    sentences += said(month(rule, 9_000_000, 4, parts), "zh-hans")
    for sentence in sentences:
        assert re.search("[a-z]{2}", sentence) is None, sentence


# ── Against a slow and obvious recomputation ──────────────────────────────────────────────────────

fen = st.integers(0, 10**10)
limits = st.tuples(st.none() | fen, st.none() | fen).map(
    lambda pair: tuple(sorted(pair)) if None not in pair else pair
)
rates = st.integers(0, 10**6).map(lambda millionths: Decimal(millionths).scaleb(-6))


@st.composite
def simple(draw, key):
    rule = draw(st.sampled_from([SHARE, SESSION, FIXED, TIERED, WHOLE, IN_KIND]))
    changed = {"key": key}
    if rule.type != "in_kind":
        changed |= dict(zip(("minimum_fen", "maximum_fen"), draw(limits), strict=True))
    if rule.type == "share":
        changed["rate"] = draw(rates)
    elif rule.type in ("per_session", "fixed"):
        changed["fee_fen"] = draw(st.integers(0, 10**9))
    elif rule.type == "tiered":
        starts = sorted({0, *draw(st.lists(st.integers(1, 10**9), max_size=4))})
        changed["bands"] = tuple(
            Band(key=f"b{n}", from_fen=start, rate=f"{draw(rates):f}")
            for n, start in enumerate(starts)
        )
    return rule.model_copy(update=changed)


@st.composite
def segment(draw):
    days, free = draw(st.integers(1, 400)), draw(st.booleans())
    digest = draw(st.sampled_from("abc"))
    if draw(st.booleans()):
        return Segment(days, draw(simple("one")), rent_free=free, rule_digest=digest)
    parts = tuple(draw(simple(f"p{n}")) for n in range(draw(st.integers(1, 3))))
    least, most = draw(limits)
    rule, parts = combined(*parts, minimum_fen=least, maximum_fen=most)
    return Segment(days, rule, rent_free=free, rule_digest=digest, parts=parts)


def slow_of_days(amount, days):
    """Day by day: what the year has come to by its end, less what it had come to before it."""
    total = 0
    for day in days:
        new_year = date(day.year, 1, 1)
        place, length = (day - new_year).days, (date(day.year + 1, 1, 1) - new_year).days
        total += amount * (place + 1) // length - amount * place // length
    return total


def half_up(exact):
    return int((exact + Fraction(1, 2)) // 1)


def slow_simple(rule, days, part, whole, sessions):
    if rule.type == "in_kind":
        return 0
    if rule.type == "share":
        owed = half_up(part * Fraction(rule.rate))
    elif rule.type == "per_session":
        owed = sessions * rule.fee_fen
    elif rule.type == "fixed":
        owed = slow_of_days(rule.fee_fen, days)
    else:
        exact = Fraction(0)
        for place, band in enumerate(rule.bands):
            after = rule.bands[place + 1].from_fen if place + 1 < len(rule.bands) else None
            if rule.counting == "whole":
                if band.from_fen <= whole and (after is None or whole < after):
                    exact = whole * Fraction(band.rate)
            else:
                within = (whole if after is None else min(whole, after)) - band.from_fen
                exact += max(0, within) * Fraction(band.rate)
        owed = half_up(exact * part / whole) if whole else 0
    return slow_limits(rule, owed, days)


def slow_limits(rule, owed, days):
    if rule.minimum_fen is not None:
        owed = max(owed, slow_of_days(rule.minimum_fen, days))
    if rule.maximum_fen is not None:
        owed = min(owed, slow_of_days(rule.maximum_fen, days))
    return owed


def slow_split(total, weights):
    """One by one: each further fen to the part that is furthest below its exact share of all."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    missing = [Fraction(total * w, whole) - p for w, p in zip(weights, parts, strict=True)]
    for _ in range(total - sum(parts)):
        place = missing.index(max(missing))
        parts[place] += 1
        missing[place] = Fraction(-1)
    return parts


@settings(deadline=None)
@given(st.lists(segment(), min_size=1, max_size=4), st.integers(0, 10**11), st.integers(0, 500))
def test_it_is_what_a_slow_recomputation_makes_it(segments, income, sessions):
    joined = []
    for one in segments:
        if joined and joined[-1][1:] == (one.rule, one.parts, one.rent_free, one.rule_digest):
            joined[-1] = (joined[-1][0] + one.days, *joined[-1][1:])
        else:
            joined.append((one.days, one.rule, one.parts, one.rent_free, one.rule_digest))
    incomes, counts = (slow_split(t, [j[0] for j in joined]) for t in (income, sessions))
    expected, day = 0, MARCH
    for (length, rule, parts, free, _digest), part, count in zip(
        joined, incomes, counts, strict=True
    ):
        days = [day + timedelta(n) for n in range(length)]
        day += timedelta(length)
        if free:
            continue
        if rule.type == "combined":
            owed = sum(slow_simple(one, days, part, income, count) for one in parts)
            expected += slow_limits(rule, owed, days)
        else:
            expected += slow_simple(rule, days, part, income, count)
    assert sum(incomes) == income
    assert sum(counts) == sessions

    worked = work_out(segments, Declared(MARCH, day, income, sessions))

    assert worked.amount_fen == expected
    assert sum(line["amount_fen"] for line in worked.lines) == expected


@settings(deadline=None)
@given(st.lists(segment(), min_size=1, max_size=4), st.integers(0, 10**11), st.integers(0, 500))
def test_each_line_can_be_said_and_kept_as_json(segments, income, sessions):
    days = sum(one.days for one in segments)
    worked = work_out(segments, Declared(MARCH, MARCH + timedelta(days), income, sessions))
    kept = json.loads(json.dumps(worked.lines))
    assert kept == list(worked.lines)
    for line in kept:
        assert "{" not in str(explain(line))


@given(fen, st.integers(0, 2000), st.lists(st.integers(0, 900), min_size=1, max_size=8))
def test_wherever_a_year_s_amount_is_cut_it_sums_to_the_same(amount, start, lengths):
    first = YEAR + timedelta(start)
    cuts = [first]
    for length in lengths:
        cuts.append(cuts[-1] + timedelta(length))
    pieces = [of_days(amount, a, b) for a, b in itertools.pairwise(cuts)]
    assert sum(pieces) == of_days(amount, first, cuts[-1])
    assert of_days(amount, YEAR, NEXT_YEAR) == amount
