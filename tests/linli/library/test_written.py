"""What is bounded, and what a policy sets, is held to what its place can be when it is written (M3)."""

from datetime import date

import pytest
from django.utils import translation

from linli.errors import Refused
from linli.library.bounds import parse_bounds
from linli.library.comparing import Contents, as_text, compare
from linli.library.layers import LayerSpec
from linli.library.written import check_policy, write_bounds

RATE = "partners.contributions[stationed].rate"
EVERY_RATE = "partners.contributions[*].rate"
FEE = "partners.contributions[*].fee_fen"
MONTHS = "partners.rent_free_months"
DAYS = "evaluation.rectification_days"
JOINT = "meetings.joint.day_of_month"


def refusal(call, *args):
    with pytest.raises(Refused) as refused:
        call(*args)
    return refused.value


def told(refused, language="en"):
    with translation.override(language):
        return [(one.code, one.field, str(one.message)) for one in refused.faults]


# ── Bounds ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "raw", "one_spelling"),
    [
        (EVERY_RATE, {"minimum": "0.010", "maximum": "1.0"}, {"minimum": "0.01", "maximum": "1"}),
        (FEE, {"minimum": "0", "maximum": "50000"}, {"minimum": 0, "maximum": 50000}),
        (DAYS, {"maximum": "30.0"}, {"maximum": 30}),
        (DAYS, {"one_of": ["15", 30]}, {"one_of": [15, 30]}),
        (RATE, {"one_of": ["0.030", "0.04"]}, {"one_of": ["0.03", "0.04"]}),
        (JOINT, {"one_of": [10, None]}, {"one_of": [10, None]}),
        # An odd number is wanted there; a range may end at any.
        ("fund.committee.min_members", {"maximum": 8}, {"maximum": 8}),
        ("partners.contributions[*].modes", {"one_of": ["visiting"]}, {"one_of": ["visiting"]}),
        ("partners.contributions[*].type", {"one_of": ["share"]}, {"one_of": ["share"]}),
        ("partners.contributions[*].bands[*].rate", {"maximum": "0.05"}, {"maximum": "0.05"}),
        ("fund.committee", {"locked": True}, {"locked": True}),
    ],
)
def test_a_bound_has_one_spelling(path, raw, one_spelling):
    bound = write_bounds({path: raw})[path]
    assert bound.plain() == one_spelling
    assert parse_bounds({path: one_spelling})[path] == bound


WHOLE = "Write a whole number from {} to {}."
RATE_AS_TEXT = (
    'Write a rate as text, a decimal fraction from "0" to "1" with at most 6 places: "0.03" is 3 %.'
)
WRITE = 'A rate is a decimal fraction as text. Write "{}" in place of {}.'
NOTHING = "{} cannot stand here, so it bounds nothing. {}"


@pytest.mark.parametrize(
    ("path", "raw", "sentence"),
    [
        (EVERY_RATE, {"minimum": "1%"}, NOTHING.format("1%", WRITE.format("0.01", "1%"))),
        (EVERY_RATE, {"maximum": 0.05}, NOTHING.format("0.05", WRITE.format("0.05", "0.05"))),
        (EVERY_RATE, {"maximum": 5}, NOTHING.format("5", RATE_AS_TEXT)),
        (EVERY_RATE, {"maximum": "1.5"}, NOTHING.format("1.5", RATE_AS_TEXT)),
        (RATE, {"one_of": ["0.03", "3%"]}, NOTHING.format("3%", WRITE.format("0.03", "3%"))),
        (DAYS, {"maximum": 9999}, NOTHING.format("9999", WHOLE.format(1, 365))),
        (DAYS, {"minimum": "-1"}, NOTHING.format("-1", WHOLE.format(1, 365))),
        (DAYS, {"minimum": "15.5"}, NOTHING.format("15.5", WHOLE.format(1, 365))),
        (DAYS, {"minimum": True}, NOTHING.format("true", WHOLE.format(1, 365))),
        (DAYS, {"one_of": [30, "三十"]}, NOTHING.format("三十", WHOLE.format(1, 365))),
        (DAYS, {"one_of": [30, 9999]}, NOTHING.format("9999", WHOLE.format(1, 365))),
        (DAYS, {"one_of": [30, None]}, NOTHING.format("null", WHOLE.format(1, 365))),
        (
            "partners.contributions[*].modes",
            {"one_of": ["stationed", "daily"]},
            NOTHING.format("daily", "Choose one of: stationed, visiting."),
        ),
        ("partners.kinds", {"maximum": 3}, "Only a number can have a minimum or a maximum."),
        (
            "partners.kinds[*]",
            {"locked": True},
            "Lock the whole list or one of its items, not each item.",
        ),
    ],
)
def test_a_bound_of_what_cannot_stand_there_is_refused_with_what_would_be_right(
    path, raw, sentence
):
    refused = refusal(write_bounds, {path: raw})
    assert told(refused) == [("BOUND_INVALID", path, sentence)]
    [(_code, _field, chinese)] = told(refused, "zh-hans")
    assert any("一" <= letter <= "鿿" for letter in chinese)


@pytest.mark.parametrize(
    "path",
    [
        "partners.contributions[*].rates",
        "partners.wages",
        "partners.rent_free_months[*]",
        "partners.contributions[" + "a" * 41 + "].rate",
    ],
)
def test_a_bound_of_a_place_that_cannot_exist_is_refused(path):
    refused = refusal(write_bounds, {path: {"locked": True}})
    assert [(one.code, one.field) for one in refused.faults] == [("UNKNOWN_PATH", path)]


def test_all_wrong_bounds_are_told_at_once():
    refused = refusal(write_bounds, {DAYS: {"maximum": 9999}, "partners.x": {"locked": True}})
    assert refused.code == "LAYER_REFUSED"
    assert {one.field for one in refused.faults} == {DAYS, "partners.x"}


def test_what_was_stored_before_is_read_as_it_stands():
    old = {EVERY_RATE: {"minimum": "0.010"}, "partners.contributions[*].rates": {"maximum": "9"}}
    assert {p: b.plain() for p, b in parse_bounds(old).items()} == old


def test_another_spelling_is_no_difference():
    one, other = {EVERY_RATE: {"minimum": "0.010"}}, {EVERY_RATE: {"minimum": "0.01"}}
    assert compare(Contents({}, one), Contents({}, other)) == []
    narrower = {EVERY_RATE: {"minimum": "0.020"}}
    with translation.override("zh-hans"):
        assert as_text(compare(Contents({}, one), Contents({}, narrower))).endswith(
            "不低于 1 % → 不低于 2 %"
        )


# ── Policies ─────────────────────────────────────────────────────────────────────────────────────


def policy(values=None, bounds=None, kind="district", name="张店区"):
    return LayerSpec(kind, name, values or {}, write_bounds(bounds or {}), date(2025, 1, 1))


def citys(values=None, bounds=None):
    return policy(values, bounds, "city", "淄博市")


SHARES = [
    {"key": "services", "title": {"zh": "服务"}, "share": "0.5"},
    {"key": "rest", "title": {"zh": "其余"}, "share": "0.4"},
]


def share_rule(rate):
    return {
        "key": "second",
        "title": {"zh": "新规则"},
        "type": "share",
        "modes": ["stationed"],
        "base": "takings",
        "rate": rate,
    }


SECOND = "partners.contributions[second]"


@pytest.mark.parametrize(
    ("values", "bounds", "faults"),
    [
        ({RATE: "3%"}, {}, [("DOCUMENT_INVALID", RATE)]),
        ({MONTHS: "viele"}, {}, [("DOCUMENT_INVALID", MONTHS)]),
        ({MONTHS: float("nan")}, {}, [("DOCUMENT_INVALID", MONTHS)]),
        ({RATE: "3%", MONTHS: 900}, {}, [("DOCUMENT_INVALID", RATE), ("DOCUMENT_INVALID", MONTHS)]),
        ({"partners.wages": 1}, {}, [("UNKNOWN_PATH", "partners.wages")]),
        ({EVERY_RATE: "0.03"}, {}, [("UNKNOWN_PATH", EVERY_RATE)]),
        ({"fund.waterfall": SHARES}, {}, [("DOCUMENT_INVALID", "fund.waterfall")]),
        # Nobody knows the others, with which they sum to 1.
        (
            {"fund.waterfall[services].share": "0.9"},
            {},
            [("DOCUMENT_INVALID", "fund.waterfall[services].share")],
        ),
        (
            {"fund.waterfall[services]": SHARES[0]},
            {},
            [("DOCUMENT_INVALID", "fund.waterfall[services]")],
        ),
        (
            {"evaluation.criteria[service_quality]": None},
            {},
            [("DOCUMENT_INVALID", "evaluation.criteria[service_quality]")],
        ),
        ({SECOND: share_rule("9")}, {}, [("DOCUMENT_INVALID", f"{SECOND}.rate")]),
        ({SECOND: {**share_rule("0.03"), "key": "third"}}, {}, [("KEY_CHANGED", SECOND)]),
        ({RATE: "0.06"}, {RATE: {"maximum": "0.05"}}, [("OUTSIDE_BOUNDS", RATE)]),
        ({RATE: "0.06"}, {EVERY_RATE: {"maximum": "0.05"}}, [("OUTSIDE_BOUNDS", RATE)]),
        (
            {SECOND: share_rule("0.06")},
            {EVERY_RATE: {"maximum": "0.05"}},
            [("OUTSIDE_BOUNDS", f"{SECOND}.rate")],
        ),
        (
            {"partners.contributions": [share_rule("0.06")]},
            {f"{SECOND}.rate": {"maximum": "0.05"}},
            [("OUTSIDE_BOUNDS", f"{SECOND}.rate")],
        ),
        (
            {},
            {EVERY_RATE: {"maximum": "0.03"}, RATE: {"minimum": "0.04"}},
            [("BOUND_INVALID", RATE)],
        ),
        (
            {},
            {EVERY_RATE: {"one_of": ["0.01", "0.02"]}, RATE: {"minimum": "0.03"}},
            [("BOUND_INVALID", RATE)],
        ),
        (
            {},
            {EVERY_RATE: {"one_of": ["0.01"]}, RATE: {"one_of": ["0.02"]}},
            [("BOUND_INVALID", RATE)],
        ),
    ],
)
def test_a_policy_of_which_no_street_could_make_anything_is_refused(values, bounds, faults):
    refused = refusal(check_policy, policy(values, bounds), [])
    assert [(one.code, one.field) for one in refused.faults] == faults


@pytest.mark.parametrize(
    ("values", "bounds"),
    [
        ({RATE: "0.05"}, {EVERY_RATE: {"minimum": "0.01", "maximum": "0.05"}}),
        ({SECOND: share_rule("0.03")}, {EVERY_RATE: {"maximum": "0.03"}}),
        ({SECOND: None, JOINT: None}, {}),
        ({"fund.waterfall": [{**SHARES[0], "share": "1"}]}, {}),
        ({"fund.waterfall[services].title.zh": "服务群众"}, {}),
        ({MONTHS: 6}, {MONTHS: {"locked": True}, "partners": {"locked": True}}),
        ({}, {EVERY_RATE: {"maximum": "0.03"}, RATE: {"minimum": "0.03"}}),
    ],
)
def test_a_policy_of_which_some_model_can_make_something_stands(values, bounds):
    check_policy(policy(values, bounds), [])


@pytest.mark.parametrize(
    ("above", "own", "fault"),
    [
        ({EVERY_RATE: {"maximum": "0.05"}}, {EVERY_RATE: {"maximum": "0.06"}}, "BOUND_WIDENED"),
        ({EVERY_RATE: {"maximum": "0.05"}}, {RATE: {"maximum": "0.06"}}, "BOUND_WIDENED"),
        ({MONTHS: {"locked": True}}, {MONTHS: {"maximum": 6}}, "BOUND_WIDENED"),
        ({DAYS: {"one_of": [15, 30]}}, {DAYS: {"one_of": [30, 60]}}, "BOUND_WIDENED"),
        ({EVERY_RATE: {"maximum": "0.03"}}, {RATE: {"minimum": "0.04"}}, "BOUND_INVALID"),
        ({EVERY_RATE: {"maximum": "0.05"}}, {EVERY_RATE: {"maximum": "0.04"}}, None),
        # The others are narrowed, and the city's holds beside it.
        ({RATE: {"maximum": "0.05"}}, {EVERY_RATE: {"maximum": "0.06"}}, None),
        ({EVERY_RATE: {"maximum": "0.05"}}, {MONTHS: {"maximum": 6}}, None),
    ],
)
def test_a_districts_bounds_narrow_those_of_its_city(above, own, fault):
    if fault is None:
        check_policy(policy(bounds=own), [citys(bounds=above)])
        return
    refused = refusal(check_policy, policy(bounds=own), [citys(bounds=above)])
    assert (refused.code, refused.field) == (fault, *own)
    assert "淄博市" in told(refused)[0][2]


def test_what_a_district_sets_lies_within_what_its_city_laid_down():
    within = [
        citys({MONTHS: 6}, {EVERY_RATE: {"maximum": "0.05"}, "fund.committee": {"locked": True}})
    ]
    check_policy(policy({RATE: "0.05", MONTHS: 9}), within)
    for path, value in ((RATE, "0.06"), ("fund.committee.min_members", 5)):
        refused = refusal(check_policy, policy({path: value}), within)
        assert (refused.code, refused.field) == ("OUTSIDE_BOUNDS", path)
        assert refused.data["set_by"]["name"] == "淄博市"
    locked = [citys({MONTHS: 6}, {MONTHS: {"locked": True}})]
    check_policy(policy({MONTHS: 6}), locked)
    assert refusal(check_policy, policy({MONTHS: 7}), locked).code == "OUTSIDE_BOUNDS"


def test_a_set_holds_each_value_once():
    """In one spelling, so of two spellings the one."""
    bound = write_bounds({RATE: {"one_of": ["0.03", "0.030", "0.04", "0.03"]}})[RATE]
    assert bound.plain() == {"one_of": ["0.03", "0.04"]}
