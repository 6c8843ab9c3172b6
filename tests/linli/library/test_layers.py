"""Layers: what stands above holds, however a value got there, and says whose it is (M3)."""

import itertools
import json
import uuid
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linli.errors import Refused
from linli.library import paths
from linli.library.bounds import POLICIES, Bound, Origin, parse_bounds
from linli.library.changes import Change, changes
from linli.library.document import canonical, digest, parse_document, plain
from linli.library.layers import LayerSpec, resolve, under
from tests.support.models_at_random import models, policies

DOCUMENT = parse_document((Path(__file__).parent / "chengnan.json").read_text())
RATE = "partners.contributions[stationed].rate"
FEE = "partners.contributions[visiting].fee_fen"
DAY = "meetings.joint.day_of_month"
MONTHS = "partners.rent_free_months"
EVERY_RATE = "partners.contributions[*].rate"
PLACE = "“Partners › Contributions › Share of takings › Rate”"
NARROW = "A layer below may only narrow it."
MODEL = Origin("model", "城南模式 1")
REF = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")
RANGE = Bound(minimum="0.01", maximum="0.05")


def effective(*layers, **bounds):
    return resolve(DOCUMENT, bounds.get("bounds", {}), layers, base=MODEL)


def district(values=None, bounds=None):
    return LayerSpec("district", "张店区", values or {}, bounds or {}, date(2025, 1, 1), REF)


def street(values=None, bounds=None):
    return LayerSpec("street", "车站街道", values or {}, bounds or {}, date(2025, 2, 1))


def community(values=None, bounds=None):
    return LayerSpec("community", "城南社区", values or {}, bounds or {})


def refusal(*layers, bounds=None):
    with pytest.raises(Refused) as refused:
        resolve(DOCUMENT, bounds or {}, layers, base=MODEL)
    return refused.value


def said(refused):
    with translation.override("en"):
        return str(refused.message)


def share_rule(key, rate):
    return {
        "key": key,
        "title": {"zh": "新规则"},
        "type": "share",
        "modes": ["stationed"],
        "base": "takings",
        "rate": rate,
    }


# --- paths --------------------------------------------------------------------------------------


def test_a_path_names_members_and_finds_items_by_key():
    raw = effective().raw
    assert paths.get(raw, RATE) == "0.03"
    assert paths.get(raw, "venues.aspects[care].functions[nursery].required") is False
    changed = paths.put(raw, RATE, "0.04")
    assert (paths.get(changed, RATE), paths.get(raw, RATE)) == ("0.04", "0.03")


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("partners.contributions[stationd].rate", "partners.contributions[stationd]"),
        ("partners.contribution[stationed].rate", "partners.contribution"),
        ("partners.contributions[0].rate", "[0].rate"),
        ("partners.contributions.rate", "partners.contributions.rate"),
        ("partners.contributions[visiting].rate", "partners.contributions[visiting].rate"),
        ("partners.contributions[visiting].modes[x]", "partners.contributions[visiting].modes[x]"),
        ("partners..kinds", "..kinds"),
        ("[stationed]", "[stationed]"),
        ("", ""),
        ("partners.", "."),
    ],
)
def test_an_unknown_path_is_refused_naming_the_first_part_that_is_not_there(path, part):
    raw = effective().raw
    for use in (lambda: paths.get(raw, path), lambda: paths.put(raw, path, "0.01")):
        with pytest.raises(Refused) as refused:
            use()
        assert (refused.value.code, refused.value.field) == ("UNKNOWN_PATH", path)
        assert refused.value.data == {"unknown": part}
    assert refusal(street({path: "0.01"})).code == "UNKNOWN_PATH"


@pytest.mark.parametrize(
    ("path", "english", "chinese"),
    [
        ("", "The path is empty. Name members with dots", "路径为空。"),
        ("a b", "There is no “ b” in the document.", "文档中没有“ b”。"),
        ("fund.x", "There is no “fund.x” in the document.", "文档中没有“fund.x”。"),
    ],
)
def test_of_a_path_it_is_said_where_it_ends(path, english, chinese):
    with pytest.raises(Refused) as refused:
        paths.get(effective().raw, path)
    for language, said in (("en", english), ("zh-hans", chinese)):
        with translation.override(language):
            assert str(refused.value.message).startswith(said)


def test_an_item_is_added_taken_away_and_keeps_its_key():
    path = "partners.contributions[second]"
    added = effective(street({path: share_rule("second", "0.02")}))
    assert [rule.key for rule in added.document.partners.contributions] == [
        "stationed",
        "visiting",
        "second",
    ]
    gone = effective(street({"partners.contributions[visiting]": None}))
    assert [rule.key for rule in gone.document.partners.contributions] == ["stationed"]
    renamed = {"partners.contributions[stationed]": share_rule("other", "0.02")}
    assert refusal(street(renamed)).code == "KEY_CHANGED"


# --- values and where they came from --------------------------------------------------------------


def test_without_layers_everything_is_the_models():
    rule = effective()
    assert rule.document == DOCUMENT
    assert (rule.value(RATE), rule.origin(RATE), rule.origins) == ("0.03", MODEL, {})
    assert rule.bound(RATE) is None


def test_the_deepest_layer_that_set_a_value_is_its_origin():
    rule = effective(
        district({RATE: "0.02", "meetings.joint.day_of_month": 10}),
        street({RATE: "0.040"}),
        community({"evaluation.pass_line": 70}),
    )
    assert rule.document.partners.contributions[0].rate == Decimal("0.04")
    assert rule.value(RATE) == "0.04"
    assert rule.origin(RATE) == Origin("street", "车站街道", date(2025, 2, 1), None)
    assert rule.origin("meetings.joint.day_of_month") == Origin(
        "district", "张店区", date(2025, 1, 1), REF
    )
    assert rule.origin("evaluation").name == "城南社区"
    assert rule.origin("fund") == MODEL
    assert set(rule.origins) == {RATE, "meetings.joint.day_of_month", "evaluation.pass_line"}


def test_a_section_set_as_a_whole_replaces_what_was_set_within_it():
    whole = effective().value("partners.contributions")
    rule = effective(district({RATE: "0.02"}), street({"partners.contributions": whole}))
    assert rule.value(RATE) == "0.03"
    assert rule.origin(RATE).name == "车站街道"
    assert set(rule.origins) == {"partners.contributions"}


def test_values_that_depend_on_each_other_are_set_together():
    weight = "evaluation.criteria[{}].weight"
    values = {weight.format("service_quality"): "0.5"}
    refused = refusal(street(values))
    assert (refused.code, refused.field) == ("DOCUMENT_INVALID", "evaluation.criteria")
    rule = effective(street(values | {weight.format("resident_satisfaction"): "0.5"}))
    assert [criterion.weight for criterion in rule.document.evaluation.criteria] == [
        Decimal("0.5"),
        Decimal("0.5"),
    ]


def test_the_same_layer_sets_what_holds_others_first():
    path = "partners.contributions[second]"
    values = {f"{path}.rate": "0.01", path: share_rule("second", "0.02")}
    assert effective(street(values)).value(f"{path}.rate") == "0.01"


def test_the_effective_rule_cannot_be_changed_through_what_it_hands_out():
    rule = effective()
    rule.content()["document"]["partners"]["kinds"].clear()
    rule.raw["partners"]["kinds"].clear()
    with pytest.raises(TypeError, match="make a copy"):
        rule.value("partners.kinds").clear()
    assert len(rule.value("partners.kinds")) == 5


def test_the_digest_is_of_values_and_origins():
    rule, same = effective(street({RATE: "0.02"})), effective(street({RATE: "0.020"}))
    assert rule.digest == same.digest == digest(rule.content())
    assert json.loads(canonical(rule.content())) == rule.content()
    assert parse_document(rule.content()["document"]) == rule.document
    others = [effective(), effective(district({RATE: "0.02"})), effective(street({RATE: "0.01"}))]
    assert len({rule.digest, *(other.digest for other in others)}) == 4


# --- bounds ---------------------------------------------------------------------------------------


def test_a_value_outside_its_bounds_names_the_bound_and_who_set_it():
    refused = refusal(street({RATE: "0.08"}), bounds={RATE: RANGE})
    assert (refused.code, refused.field) == ("OUTSIDE_BOUNDS", RATE)
    assert said(refused) == f"{PLACE} is 8 %; 城南模式 1 has laid down: at most 5 %."
    model = {"kind": "model", "name": "城南模式 1", "since": None, "ref": None}
    assert refused.data == {
        "path": RATE,
        "value": "0.08",
        "minimum": "0.01",
        "maximum": "0.05",
        "one_of": None,
        "set_by": model,
        "layer": {"kind": "street", "name": "车站街道", "since": "2025-02-01", "ref": None},
    }
    low = refusal(community({RATE: "0"}), bounds={RATE: RANGE})
    assert said(low) == f"{PLACE} is 0 %; 城南模式 1 has laid down: at least 1 %."
    for edge in ("0.01", "0.05"):
        assert (
            resolve(DOCUMENT, {RATE: RANGE}, [street({RATE: edge})], base=MODEL).value(RATE) == edge
        )


def test_a_district_narrows_and_is_named_for_its_side():
    policy = district(bounds={RATE: Bound(maximum="0.04")})
    rule = resolve(DOCUMENT, {RATE: RANGE}, [policy], base=MODEL)
    limits = rule.bound(RATE)
    assert (limits.minimum, limits.minimum_by) == ("0.01", MODEL)
    assert (limits.maximum, limits.maximum_by) == ("0.04", policy.origin)
    refused = refusal(policy, street({RATE: "0.045"}), bounds={RATE: RANGE})
    assert refused.data["set_by"] == policy.origin.plain()
    assert (refused.data["minimum"], refused.data["maximum"]) == ("0.01", "0.04")


@pytest.mark.parametrize(
    ("path", "above", "same", "outside"),
    [
        (DAY, Bound(one_of=(10, 25)), Bound(one_of=(25, 10)), 5),
        (RATE, Bound(one_of=("0.03", "0.04")), Bound(one_of=("0.04", "0.030")), "0.02"),
        (RATE, RANGE, Bound(minimum="0.010", maximum="0.050"), "0.06"),
        (RATE, RANGE, RANGE, "0"),
    ],
)
def test_of_two_equal_bounds_the_upper_stands_and_is_named(path, above, same, outside):
    rule = effective(district(bounds={path: same}), bounds={path: above})
    limits = rule.bound(path)
    assert {limits.minimum_by, limits.maximum_by, limits.one_of_by} == {None, MODEL}
    refused = refusal(district(bounds={path: same}), street({path: outside}), bounds={path: above})
    assert (refused.code, refused.data["set_by"]) == ("OUTSIDE_BOUNDS", MODEL.plain())


def test_of_two_sets_the_lower_is_named_where_it_leaves_fewer():
    policy = district(bounds={DAY: Bound(one_of=(25,))})
    limits = effective(policy, bounds={DAY: Bound(one_of=(10, 25))}).bound(DAY)
    assert (limits.one_of, limits.one_of_by) == ((25,), policy.origin)


def test_a_bound_that_rules_out_a_value_from_above_waits_for_a_layer_below_to_mend_it():
    narrower = district(bounds={RATE: Bound(maximum="0.02")})
    for mending in (
        [street({RATE: "0.02"})],
        [street({"partners.contributions[stationed]": share_rule("stationed", "0.02")})],
        [street({DAY: 10}), community({RATE: "0.015"})],
        [street(bounds={RATE: Bound(maximum="0.015")}), community({RATE: "0.01"})],
    ):
        rule = effective(narrower, *mending)
        assert Decimal(rule.value(RATE)) <= Decimal("0.02")
        assert rule.bound(RATE).maximum in ("0.02", "0.015")
    assert effective(district({RATE: "0.02"}, narrower.bounds)).value(RATE) == "0.02"


def test_what_no_layer_mends_is_refused_naming_value_and_bound_and_whose_each_is():
    narrower = district(bounds={RATE: Bound(maximum="0.02")})
    for below in ([], [street({DAY: 10}), community({FEE: 4000})]):
        refused = refusal(narrower, *below)
        assert (refused.code, refused.field) == ("OUTSIDE_BOUNDS", RATE)
        assert said(refused) == (
            f"{PLACE} is 3 %; 张店区 has laid down: at most 2 %. "
            "城南模式 1 has set this value: set one that fits."
        )
        assert refused.data == {
            "path": RATE,
            "value": "0.03",
            "minimum": None,
            "maximum": "0.02",
            "one_of": None,
            "set_by": narrower.origin.plain(),
            "value_by": MODEL.plain(),
            "layer": narrower.origin.plain(),
        }
    own = street(bounds={FEE: Bound(minimum=6000)})
    refused = refusal(district({FEE: 4000}), own)
    assert refused.data["value_by"]["name"] == "张店区"
    assert refused.data["layer"] == own.origin.plain()


def test_several_bounds_of_a_layer_that_nobody_meets_are_told_at_once():
    bounds = {RATE: Bound(maximum="0.02"), FEE: Bound(one_of=(1000, 2000))}
    refused = refusal(district(bounds=bounds), street(bounds={DAY: Bound(maximum=10)}))
    assert refused.code == "LAYER_REFUSED"
    assert {cause.field for cause in refused.causes} == {RATE, FEE}
    assert refused.data["layer"]["name"] == "张店区"
    refused = refusal(
        district(bounds=bounds), street({RATE: "0.02", FEE: 1000}, {DAY: Bound(maximum=10)})
    )
    assert (refused.field, refused.data["layer"]["name"]) == (DAY, "车站街道")


@pytest.mark.parametrize(
    "values",
    [
        {RATE: "0.025"},
        {RATE: "0.03"},
        {"partners.contributions[stationed]": share_rule("stationed", "0.03")},
        {"partners.contributions": [share_rule("stationed", "0.025")]},
    ],
)
def test_what_a_layer_sets_is_held_to_the_bounds_above_it_whatever_stands_below(values):
    narrower = district(bounds={RATE: Bound(maximum="0.02")})
    refused = refusal(narrower, street(values), community({RATE: "0.01"}))
    assert (refused.code, refused.data["path"]) == ("OUTSIDE_BOUNDS", RATE)
    assert refused.data["layer"]["name"] == "车站街道"
    assert refused.data["set_by"] == narrower.origin.plain()
    assert "value_by" not in refused.data


def test_what_a_layer_sets_lies_within_its_own_bounds():
    own = street({RATE: "0.03"}, {RATE: Bound(maximum="0.02")})
    refused = refusal(own, community({RATE: "0.01"}))
    assert (refused.code, refused.data["layer"]["name"]) == ("OUTSIDE_BOUNDS", "车站街道")


@pytest.mark.parametrize(
    ("above", "below", "sentence"),
    [
        (
            {RATE: RANGE},
            {RATE: Bound(maximum="0.06")},
            f"城南模式 1 has laid down for {PLACE}: at most 5 %. {NARROW}",
        ),
        (
            {RATE: RANGE},
            {RATE: Bound(minimum="0.005", maximum="0.04")},
            f"城南模式 1 has laid down for {PLACE}: at least 1 %. {NARROW}",
        ),
        (
            {RATE: Bound(locked=True)},
            {RATE: RANGE},
            f"{PLACE} is locked by 城南模式 1; a layer below cannot open it.",
        ),
        (
            {"partners": Bound(locked=True)},
            {RATE: RANGE},
            f"{PLACE} is locked by 城南模式 1; a layer below cannot open it.",
        ),
        (
            {"meetings.joint.day_of_month": Bound(one_of=(15, 25))},
            {"meetings.joint.day_of_month": Bound(one_of=(25, 28))},
            "城南模式 1 has laid down for “Meetings › Joint meeting › Day of the month”: one of day 15 of the "
            f"month, day 25 of the month. {NARROW}",
        ),
        (
            {EVERY_RATE: RANGE},
            {RATE: Bound(maximum="0.06")},
            f"城南模式 1 has laid down for {PLACE}: at most 5 %. {NARROW}",
        ),
        (
            {EVERY_RATE: RANGE},
            {EVERY_RATE: Bound(maximum="0.06")},
            f"城南模式 1 has laid down for “Partners › Contributions › each › Rate”: at most 5 %. {NARROW}",
        ),
    ],
)
def test_a_bound_may_be_narrowed_and_never_widened(above, below, sentence):
    refused = refusal(street(bounds=below), bounds=above)
    (path,) = below
    assert (refused.code, refused.field) == ("BOUND_WIDENED", path)
    assert said(refused) == sentence
    assert refused.data["set_by"] == MODEL.plain()


def test_a_locked_place_stays_as_it_was_when_it_was_locked():
    lock = district({RATE: "0.02"}, {"partners.contributions": Bound(locked=True)})
    refused = refusal(lock, street({RATE: "0.03"}))
    assert (refused.code, refused.field) == ("OUTSIDE_BOUNDS", RATE)
    assert refused.data["path"] == "partners.contributions"
    assert refused.data["set_by"]["name"] == "张店区"
    assert said(refused).startswith(
        "“Partners › Contributions” is locked by 张店区; it cannot become"
    )
    assert (
        refusal(lock, street({"partners.contributions[visiting]": None})).code == "OUTSIDE_BOUNDS"
    )
    assert effective(lock, street({RATE: "0.020"})).value(RATE) == "0.02"


@pytest.mark.parametrize(
    "values",
    [
        {"partners.contributions": [share_rule("stationed", "0.5")]},
        {"partners.contributions[stationed]": share_rule("stationed", "0.5")},
        {"partners.contributions": [share_rule("other", "0.5")]},
        {"partners.contributions[stationed]": None},
        {"partners.contributions[stationed].key": "other"},
        {
            "partners.contributions[stationed]": {
                "key": "stationed",
                "title": {"zh": "按场次"},
                "type": "per_session",
                "modes": ["stationed"],
                "fee_fen": 0,
            }
        },
    ],
)
def test_a_bounded_item_cannot_be_escaped(values):
    refused = refusal(street(values), bounds={RATE: RANGE})
    assert (refused.code, refused.data["path"]) == ("OUTSIDE_BOUNDS", RATE)
    # Nor where the bound still waits for somebody to meet it, nor by putting back what fits.
    for mended in ({}, {"partners.contributions": [share_rule("stationed", "0.02")]}):
        narrower = district(bounds={RATE: Bound(maximum="0.02")})
        refused = refusal(narrower, street(values), community(mended), bounds={RATE: RANGE})
        assert (refused.code, refused.data["path"]) == ("OUTSIDE_BOUNDS", RATE)
        assert refused.data["layer"]["name"] == "车站街道"


def test_a_bound_on_each_item_holds_for_items_added_later():
    values = {"partners.contributions[second]": share_rule("second", "0.5")}
    assert effective(street(values)).document.partners.contributions[2].rate == Decimal("0.5")
    refused = refusal(street(values), bounds={EVERY_RATE: RANGE})
    assert refused.data["path"] == "partners.contributions[second].rate"
    values = {"partners.contributions[second]": share_rule("second", "0.04")}
    rule = resolve(DOCUMENT, {EVERY_RATE: RANGE}, [street(values)], base=MODEL)
    assert rule.bound("partners.contributions[second].rate").maximum == "0.05"
    assert rule.bound(FEE) is None


def test_what_may_be_absent_must_be_there_once_it_is_bounded():
    path = "services.price_classes[low_cost].ceiling_fen"
    bounds = {path: Bound(maximum=3000)}
    assert refusal(street({path: None}), bounds=bounds).code == "OUTSIDE_BOUNDS"
    assert refusal(street({path: 3001}), bounds=bounds).code == "OUTSIDE_BOUNDS"
    assert resolve(DOCUMENT, bounds, [street({path: 3000})], base=MODEL).value(path) == 3000


def test_a_set_bounds_each_value_of_a_list_and_numbers_by_what_they_say():
    modes = "partners.contributions[stationed].modes"
    bounds = {modes: Bound(one_of=("stationed",)), RATE: Bound(one_of=("0.030", "0.04"))}
    refused = refusal(street({modes: ["stationed", "visiting"]}), bounds=bounds)
    assert said(refused).endswith("城南模式 1 has laid down: one of stationed.")
    assert resolve(DOCUMENT, bounds, [street({RATE: "0.040"})], base=MODEL).value(RATE) == "0.04"
    assert refusal(street({RATE: "0.05"}), bounds=bounds).data["one_of"] == ["0.030", "0.04"]


def test_several_faults_of_a_layer_are_told_at_once():
    values = {
        RATE: "0.5",
        FEE: "free",
        "partners.colour": "red",
        "meetings.joint.day_of_month": 20,
    }
    lock = {"meetings.joint": Bound(locked=True), RATE: RANGE}
    refused = refusal(street(values, {FEE: Bound(minimum=0), "fund.x": RANGE}), bounds=lock)
    assert refused.code == "LAYER_REFUSED"
    assert {(cause.code, cause.field) for cause in refused.causes} == {
        ("UNKNOWN_PATH", "partners.colour"),
        ("OUTSIDE_BOUNDS", RATE),
        ("OUTSIDE_BOUNDS", "meetings.joint.day_of_month"),
        ("BOUND_INVALID", FEE),
        ("UNKNOWN_PATH", "fund.x"),
    }
    assert refused.data["layer"]["name"] == "车站街道"
    both = refusal(street({RATE: "0.5", FEE: "free"}), bounds={RATE: RANGE})
    assert {(cause.code, cause.field) for cause in both.causes} == {
        ("OUTSIDE_BOUNDS", RATE),
        ("DOCUMENT_INVALID", FEE),
    }


def test_a_models_own_values_lie_within_its_bounds():
    assert refusal(bounds={RATE: Bound(maximum="0.02")}).code == "OUTSIDE_BOUNDS"
    assert refusal(bounds={"partners.x": Bound(locked=True)}).code == "UNKNOWN_PATH"
    assert refusal(bounds={"partners[*].x": RANGE}).code == "BOUND_INVALID"
    assert refusal(bounds={"partners.kinds[*]": Bound(locked=True)}).code == "BOUND_INVALID"
    assert refusal(bounds={"partners.kinds": RANGE}).code == "BOUND_INVALID"


def test_bounds_are_read_from_json():
    raw = {
        RATE: {"minimum": "0.01", "maximum": "0.05"},
        FEE: {"minimum": 0},
        "fund": {"locked": True},
        "meetings.joint.day_of_month": {"one_of": [15, 25]},
    }
    bounds = parse_bounds(raw)
    assert bounds[RATE] == RANGE
    assert {path: bound.plain() for path, bound in bounds.items()} == raw


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"locked": False},
        {"locked": True, "minimum": 1},
        {"minimum": "0.05", "maximum": "0.01"},
        {"minimum": 0.01},
        {"minimum": "3%"},
        {"maximum": "NaN"},
        {"maximum": True},
        {"one_of": []},
        {"one_of": [1], "maximum": 1},
        {"one_of": [float("nan")]},
        {"least": 1},
        [],
        None,
        {"one_of": [Decimal(1)]},
    ],
)
def test_a_bound_has_one_shape(raw):
    with pytest.raises(Refused) as refused:
        parse_bounds({RATE: raw})
    assert (refused.value.code, refused.value.field) == ("BOUND_INVALID", RATE)


# --- policies, which know no model ----------------------------------------------------------------


def city(values=None, bounds=None):
    return LayerSpec("city", "淄博市", values or {}, bounds or {}, date(2025, 1, 1), REF)


ABSENT = "partners.contributions[elsewhere]"


def test_a_policy_that_is_looser_than_what_stands_above_it_has_no_further_effect():
    author = {EVERY_RATE: Bound(minimum="0.02", maximum="0.04"), DAY: Bound(one_of=(20, 25))}
    looser = {EVERY_RATE: RANGE, RATE: RANGE, DAY: Bound(one_of=(5, 20, 25))}
    for policy in (city(bounds=looser), district(bounds=looser)):
        rule = resolve(DOCUMENT, author, [policy], base=MODEL)
        limits = rule.bound(RATE)
        assert (limits.minimum, limits.minimum_by) == ("0.02", MODEL)
        assert (limits.maximum, limits.maximum_by) == ("0.04", MODEL)
        assert rule.bound(DAY).one_of == (20, 25)
        assert (
            refusal(policy, street({RATE: "0.05"}), bounds=author).data["set_by"] == MODEL.plain()
        )
    locked = resolve(DOCUMENT, {RATE: Bound(locked=True)}, [district(bounds=looser)], base=MODEL)
    assert locked.bound(RATE).locked_by == MODEL
    # What a street office sets on purpose narrows, or is refused.
    assert refusal(street(bounds={RATE: RANGE}), bounds=author).code == "BOUND_WIDENED"


def test_of_two_equal_sets_the_upper_is_named():
    both = Bound(one_of=("0.03", "0.04"))
    rule = resolve(DOCUMENT, {RATE: both}, [district(bounds={RATE: both})], base=MODEL)
    assert rule.bound(RATE).one_of_by == MODEL


def test_what_a_policy_says_of_an_item_that_the_model_does_not_have_has_no_effect():
    added = "partners.contributions[second]"
    policy = district(
        {
            f"{ABSENT}.rate": "0.05",
            "partners.contributions[visiting].rate": "0.05",  # it is of a type without one
            ABSENT.replace("elsewhere", "gone"): None,
            added: share_rule("second", "0.02"),
            MONTHS: 6,
        },
        {
            f"{ABSENT}.rate": Bound(maximum="0.04"),
            f"{ABSENT}.modes": Bound(locked=True),
            "partners.mechanisms[nowhere].catalogue[*].ceiling_fen": Bound(maximum=5),
            RATE: Bound(maximum="0.04"),
        },
    )
    rule = effective(policy)
    assert (rule.value(MONTHS), rule.value(f"{added}.rate")) == (6, "0.02")
    assert set(rule.origins) == {MONTHS, added}
    assert rule.bound(RATE).maximum == "0.04"
    assert rule.without_effect == (
        (f"{ABSENT}.rate", policy.origin),
        ("partners.contributions[visiting].rate", policy.origin),
        ("partners.contributions[gone]", policy.origin),
        (f"{ABSENT}.modes", policy.origin),
        ("partners.mechanisms[nowhere].catalogue[*].ceiling_fen", policy.origin),
    )
    # A street office that names what is not there has made a mistake.
    assert refusal(street({f"{ABSENT}.rate": "0.03"})).code == "UNKNOWN_PATH"
    assert refusal(street(bounds={f"{ABSENT}.rate": RANGE})).code == "UNKNOWN_PATH"


def test_a_policys_bound_holds_for_the_item_that_comes_later():
    policy = district(bounds={f"{ABSENT}.rate": Bound(maximum="0.04")})
    adding = {ABSENT: share_rule("elsewhere", "0.05")}
    refused = refusal(policy, street(adding))
    assert (refused.code, refused.data["path"]) == ("OUTSIDE_BOUNDS", f"{ABSENT}.rate")
    assert "张店区" in said(refused)
    rule = effective(policy, street({ABSENT: share_rule("elsewhere", "0.04")}))
    assert rule.without_effect == ()
    assert rule.bound(f"{ABSENT}.rate").maximum_by == policy.origin
    # There was nothing to lock.
    lock = district(bounds={f"{ABSENT}.rate": Bound(locked=True)})
    rule = effective(
        lock, street({ABSENT: share_rule("elsewhere", "0.04")}), community({RATE: "0.02"})
    )
    assert rule.bound(f"{ABSENT}.rate") is None
    assert rule.without_effect == ((f"{ABSENT}.rate", lock.origin),)
    # It may go again, for the model never had it.
    gone = effective(
        policy, street({ABSENT: share_rule("elsewhere", "0.04")}), community({ABSENT: None})
    )
    assert gone.without_effect == ((f"{ABSENT}.rate", policy.origin),)


@pytest.mark.parametrize(
    ("values", "bounds", "code"),
    [
        ({RATE: "3%"}, {}, "DOCUMENT_INVALID"),
        ({RATE: "0.06"}, {}, "OUTSIDE_BOUNDS"),
        ({"fund.waterfall[services].share": "0.9"}, {}, "DOCUMENT_INVALID"),
        ({"partners.contributions[stationed]": share_rule("other", "0.03")}, {}, "KEY_CHANGED"),
        ({}, {RATE: Bound(minimum="0.04")}, "OUTSIDE_BOUNDS"),
        ({}, {"partners.kinds": RANGE}, "BOUND_INVALID"),
    ],
)
def test_what_is_refused_for_a_policy_says_whose_it_is(values, bounds, code):
    refused = refusal(district(values, bounds), bounds={RATE: RANGE})
    assert {one.code for one in refused.faults} == {code}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            assert all("张店区" in str(one.message) for one in refused.faults)


def test_what_a_street_sets_against_a_policy_says_whose_the_policy_is():
    fewer = {"fund.committee.quorum": 9}
    refused = refusal(
        district(fewer | {"fund.committee.min_members": 9}),
        street(
            {
                "fund.committee.min_members": 5,
            }
        ),
    )
    assert {one.code for one in refused.faults} == {"DOCUMENT_INVALID"}
    assert said(refused.faults[0]).endswith("张店区 laid down what this is about.")
    alone = refusal(street(fewer))
    assert "张店区" not in said(alone.faults[0])


# --- what an item must keep -----------------------------------------------------------------------

TIERED = {
    "key": "stationed",
    "title": {"zh": "分档"},
    "type": "tiered",
    "modes": ["stationed"],
    "base": "takings",
    "counting": "whole",
    "bands": [{"key": "all", "from_fen": 0, "rate": "0.9"}],
}
FIXED = {
    "key": "stationed",
    "title": {"zh": "固定"},
    "type": "fixed",
    "modes": ["stationed"],
    "fee_fen": 10**9,
}


@pytest.mark.parametrize("rule", [TIERED, FIXED])
@pytest.mark.parametrize("whole", [False, True])
def test_an_item_does_not_change_its_form_to_go_behind_a_bound_of_each(rule, whole):
    visiting = effective().value("partners.contributions[visiting]")
    values = (
        {"partners.contributions": [rule, dict(visiting)]}
        if whole
        else {"partners.contributions[stationed]": rule}
    )
    assert effective(street(values)).value("partners.contributions[stationed].type") == rule["type"]
    for refused in (
        refusal(street(values), bounds={EVERY_RATE: RANGE}),
        refusal(district(bounds={EVERY_RATE: RANGE}), street(values), bounds={EVERY_RATE: RANGE}),
    ):
        assert (refused.code, refused.data["path"]) == ("OUTSIDE_BOUNDS", RATE)
        assert said(refused) == f"{PLACE} must stay: 城南模式 1 has bounded it."
    refused = refusal(district(bounds={EVERY_RATE: RANGE}), street(values))
    assert said(refused) == f"{PLACE} must stay: 张店区 has bounded it."


def test_under_a_bound_of_each_an_item_may_be_taken_away_and_one_without_the_place_added():
    away = {"partners.contributions[stationed]": None}
    assert resolve(DOCUMENT, {EVERY_RATE: RANGE}, [street(away)], base=MODEL)
    another = {"partners.contributions[tiered]": {**TIERED, "key": "tiered"}}
    assert resolve(DOCUMENT, {EVERY_RATE: RANGE}, [street(another)], base=MODEL)


def test_which_forms_new_items_may_have_is_bounded_by_their_type():
    types = {"partners.contributions[*].type": Bound(one_of=("share", "per_session"))}
    another = {"partners.contributions[tiered]": {**TIERED, "key": "tiered"}}
    refused = refusal(street(another), bounds=types)
    assert (refused.code, refused.data["path"]) == (
        "OUTSIDE_BOUNDS",
        "partners.contributions[tiered].type",
    )
    second = {"partners.contributions[second]": share_rule("second", "0.02")}
    assert resolve(DOCUMENT, types, [street(second)], base=MODEL)


# --- previews -------------------------------------------------------------------------------------


def test_a_preview_tells_each_place_that_changes():
    steps = effective().value("onboarding.steps")
    after = effective(
        street(
            {
                RATE: "0.04",
                "partners.kinds[department]": None,
                "partners.contributions[second]": share_rule("second", "0.02"),
                "partners.contributions[stationed].modes": ["stationed", "visiting"],
                "onboarding.steps": steps[::-1],
                "services.price_classes[market].ceiling_fen": 9900,
            }
        )
    )
    department = effective().value("partners.kinds[department]")
    assert changes(effective(), after) == [
        Change("partners.kinds[department]", department, None),
        Change("partners.contributions[stationed].modes", ["stationed"], ["stationed", "visiting"]),
        Change(RATE, "0.03", "0.04"),
        Change(
            "partners.contributions[second]", None, after.value("partners.contributions[second]")
        ),
        Change("services.price_classes[market].ceiling_fen", None, 9900),
        Change(
            "onboarding.steps",
            ["survey_needs", "sign_fund_agreement"],
            ["sign_fund_agreement", "survey_needs"],
        ),
    ]
    assert changes(after, after) == []


# --- what holds for any layers --------------------------------------------------------------------

rates = st.integers(0, 10).map(lambda n: str(Decimal(n) / 100))
fees = st.integers(0, 10)
ranges = st.builds(
    lambda low, high: Bound(minimum=min(low, high), maximum=max(low, high)), rates, rates
)
fee_ranges = st.builds(
    lambda low, high: Bound(minimum=min(low, high), maximum=max(low, high) * 1000), fees, fees
)
half_open = rates.map(lambda rate: Bound(maximum=rate)) | rates.map(lambda r: Bound(minimum=r))
sets = st.lists(rates, min_size=1, max_size=6).map(lambda values: Bound(one_of=tuple(values)))
locks = st.just(Bound(locked=True))
rate_bounds = ranges | half_open | sets | locks
any_values = st.fixed_dictionaries(
    {},
    optional={
        RATE: rates,
        FEE: fees.map(lambda n: n * 1000),
        "partners.contributions[stationed]": rates.map(lambda r: share_rule("stationed", r)),
        "partners.contributions[second]": rates.map(lambda r: share_rule("second", r)),
        "partners.contributions": st.tuples(rates, rates).map(
            lambda two: [share_rule("stationed", two[0]), share_rule("third", two[1])]
        ),
    },
)
any_bounds = st.fixed_dictionaries(
    {},
    optional={
        RATE: rate_bounds,
        EVERY_RATE: ranges | half_open | sets,
        FEE: fee_ranges,
        "partners.contributions": locks,
    },
)
any_layers = st.lists(st.tuples(any_values, any_bounds), min_size=1, max_size=5)


def accepted(pairs):
    """Lay down each layer that is not refused; the rules after each, and the layers."""
    layers, rules = [], [effective()]
    for layer in stack(pairs):
        try:
            rules.append(effective(*layers, layer))
        except Refused:
            continue
        layers.append(layer)
    return layers, rules


def allows(bound, value, kept):
    """Said again in the plainest way, to hold the real one to."""
    if bound.locked:
        return value == kept
    if bound.one_of is not None:
        return Decimal(value) in [Decimal(one) for one in bound.one_of]
    low, high = bound.minimum, bound.maximum
    return (low is None or Decimal(value) >= Decimal(low)) and (
        high is None or Decimal(value) <= Decimal(high)
    )


def bounded(rule, layer, path):
    """What stands where a layer has bounded; a policy's place need not be there."""
    if path == EVERY_RATE:
        return [r["rate"] for r in rule.raw["partners"]["contributions"] if "rate" in r]
    if layer.kind in POLICIES and not paths.exists(rule.raw, path):
        return []
    return [rule.value(path)]


@settings(deadline=None)
@given(any_layers)
def test_effective_values_satisfy_every_bound_above_them(pairs):
    layers, rules = accepted(pairs)
    for (at, layer), rule in itertools.product(enumerate(layers, start=1), rules):
        if rules.index(rule) < at:
            continue
        for path, bound in layer.bounds.items():
            values = bounded(rule, layer, path)
            kept = rules[at].value(path) if bound.locked else None
            assert all(allows(bound, value, kept) for value in values)


# As they stand above each other: policies may be looser than the author, those below may not.
KINDS = ("model", "city", "district", "street", "community")


def stack(pairs):
    return [
        LayerSpec(kind, f"{kind} {n}", *pair)
        for n, (kind, pair) in enumerate(zip(KINDS, pairs, strict=False))
    ]


def documents(layers):
    """The document after each layer, by putting values alone."""
    raw = effective().raw
    for layer in layers:
        for path, value in sorted(layer.values.items(), key=lambda item: len(item[0])):
            try:
                raw = paths.put(raw, path, value)
            except Refused:
                assert layer.kind in POLICIES  # of a place that is not there
        raw = plain(parse_document(raw))
        yield raw


@given(any_layers)
@example(
    [
        ({}, {RATE: Bound(maximum="0.02")}),
        ({}, {FEE: Bound(minimum=6000)}),
        ({RATE: "0.01", FEE: 6000}, {}),
    ]
)
@example(
    [
        ({}, {EVERY_RATE: Bound(maximum="0.02")}),
        ({"partners.contributions": [share_rule("stationed", "0.01")]}, {}),
    ]
)
def test_whatever_the_layers_the_result_satisfies_every_bound(pairs):
    layers = stack(pairs)
    try:
        rule = effective(*layers)
    except Refused:
        return
    for layer, then in zip(layers, documents(layers), strict=True):
        for path, bound in layer.bounds.items():
            values = bounded(rule, layer, path)
            kept = paths.get(then, path) if bound.locked else None
            assert all(allows(bound, value, kept) for value in values)


def narrows(bound, above):
    """Said again in the plainest way."""
    if above.locked:
        return bound.locked
    if above.one_of is not None and bound.one_of is not None:
        return {Decimal(one) for one in bound.one_of} <= {Decimal(one) for one in above.one_of}
    low, high = bound.minimum, bound.maximum
    if above.minimum is not None and low is not None and Decimal(low) < Decimal(above.minimum):
        return False
    return above.maximum is None or high is None or Decimal(high) <= Decimal(above.maximum)


def judged(layers):
    """The three rules on one rate: what a layer sets, what it bounds, and what results."""
    value, above = "0.03", []
    for layer in layers:
        value = layer.values.get(RATE, value)
        bound = layer.bounds.get(RATE)
        if (
            bound
            and layer.kind not in POLICIES
            and not all(narrows(bound, one) for one, _kept in above)
        ):
            return None
        held = [*above, (bound, value)] if bound else above
        if layer.values and not all(allows(one, value, kept) for one, kept in held):
            return None
        above = held
    return value if all(allows(one, value, kept) for one, kept in above) else None


on_one_rate = st.tuples(
    st.fixed_dictionaries({}, optional={RATE: rates}),
    st.fixed_dictionaries({}, optional={RATE: rate_bounds}),
)


@given(st.lists(on_one_rate, max_size=5))
def test_a_layer_is_refused_exactly_where_the_rules_say_so(pairs):
    layers = stack(pairs)
    expected = judged(layers)
    try:
        found = effective(*layers).value(RATE)
    except Refused:
        found = None
    assert (found and Decimal(found)) == (expected and Decimal(expected))


@settings(deadline=None)  # a busy machine takes longer over many layers
@given(any_layers)
def test_a_layer_never_widens_what_stands_above_it(pairs):
    _layers, rules = accepted(pairs)
    for before, after in itertools.pairwise(rules):
        for path in (RATE, FEE):
            if not paths.exists(before.raw, path) or not (above := before.bound(path)):
                continue
            below = after.bound(path)
            assert bool(below.locked_by) >= bool(above.locked_by)
            if above.minimum is not None:
                assert Decimal(below.minimum) >= Decimal(above.minimum)
            if above.maximum is not None:
                assert Decimal(below.maximum) <= Decimal(above.maximum)
            if above.one_of is not None:
                assert {Decimal(one) for one in below.one_of} <= {
                    Decimal(one) for one in above.one_of
                }


@given(any_layers)
def test_a_value_comes_from_the_deepest_layer_that_set_it(pairs):
    layers, rules = accepted(pairs)
    rule = rules[-1]
    setters = [
        layer.origin
        for layer in layers
        if {RATE, "partners.contributions[stationed]", "partners.contributions"} & set(layer.values)
    ]
    assert rule.origin(RATE) == (setters[-1] if setters else MODEL)
    assert parse_document(rule.content()["document"]) == rule.document


@given(models(), policies())
def test_a_policy_stands_on_any_model_or_says_whose_it_is(model, policy):
    rule, faults = None, ()
    try:
        rule = under(model, policy)
    except Refused as refused:
        faults = refused.faults
    assert all(policy.name in said(fault) for fault in faults)
    assert "BOUND_WIDENED" not in {fault.code for fault in faults}
    if rule is None:
        return
    for path in (RATE, MONTHS):
        if paths.exists(model._plain, path) and paths.exists(rule._plain, path):
            above, both = model.bound(path), rule.bound(path)
            if above:
                assert bool(both.locked_by) >= bool(above.locked_by)
                assert above.minimum is None or Decimal(both.minimum) >= Decimal(above.minimum)
                assert above.maximum is None or Decimal(both.maximum) <= Decimal(above.maximum)
    idle = {path for path, _by in rule.without_effect}
    assert idle <= {*policy.values, *policy.bounds}
    assert all((path in idle) != (path in rule.origins) for path in policy.values)
    for path, bound in policy.bounds.items():
        if not bound.locked:
            stands = any(paths.exists(rule._plain, one) for one in paths.expand(rule._plain, path))
            in_force = [one for one in rule.in_force if (one.path, one.by) == (path, policy.origin)]
            assert in_force
            assert path in policy.values or "[*]" in path or (path in idle) != stands
