"""Contribution rules as configuration: each kind is read, what contradicts itself is refused (P4)."""

import json
from pathlib import Path

import pytest
from django.utils import translation

from linli.errors import Refused
from linli.library.document import brief, digest, parse_document
from linli.library.places import check_possible

STATIONED = {"title": {"zh": "反哺"}, "modes": ["stationed"]}
TIERED = STATIONED | {
    "key": "by_bands",
    "type": "tiered",
    "base": "takings",
    "counting": "marginal",
    "bands": [
        {"key": "low", "from_fen": 0, "rate": "0.01"},
        {"key": "high", "from_fen": 10_000_000, "rate": "0.03"},
    ],
}
FIXED = STATIONED | {"key": "yearly", "type": "fixed", "fee_fen": 1_200_000}
IN_KIND = STATIONED | {
    "key": "clinics",
    "type": "in_kind",
    "gives": {"zh": "每月两场义诊"},
    "valued": {"zh": "按门诊价目"},
}
COMBINED = STATIONED | {
    "key": "all",
    "type": "combined",
    "of": ["yearly", "by_bands", "clinics"],
    "minimum_fen": 600_000,
    "maximum_fen": 5_000_000,
}
PLACE = "partners.contributions[{}].{}"


def document(*rules):
    raw = json.loads((Path(__file__).parent / "chengnan.json").read_text())
    raw["partners"]["contributions"] += rules
    return raw


def refused(*rules):
    with translation.override("en"), pytest.raises(Refused) as caught:
        parse_document(document(*rules))
    assert caught.value.code == "DOCUMENT_INVALID"
    with translation.override("en"):
        return {fault.field: str(fault.message) for fault in caught.value.faults}


def test_every_kind_of_rule_is_read_and_keeps_its_one_spelling():
    raw = document(TIERED, FIXED, IN_KIND, COMBINED)
    read = parse_document(raw)

    assert [rule.type for rule in read.partners.contributions] == [
        "share", "per_session", "tiered", "fixed", "in_kind", "combined",
    ]  # fmt: skip
    assert brief(read) == raw


def test_a_document_of_before_stays_what_it_was():
    """Its digest, as the release before these rules made it."""
    assert digest(parse_document(document())) == (
        "958816f2feeecbacd2ed3fbf8ba1030171f0831a066db97840dfe209a736bfeb"
    )


CONTRADICTIONS = [
    (
        [FIXED | {"minimum_fen": 2, "maximum_fen": 1}],
        PLACE.format("yearly", "minimum_fen"),
        "The minimum of 2 fen a year is above the maximum of 1 fen.",
    ),
    (
        [FIXED | {"minimum_fen": 1_200_001}],
        PLACE.format("yearly", "fee_fen"),
        "A fixed fee of 1200000 fen is below its own minimum of 1200001 fen.",
    ),
    (
        [FIXED | {"maximum_fen": 1_199_999}],
        PLACE.format("yearly", "fee_fen"),
        "A fixed fee of 1200000 fen is above its own maximum of 1199999 fen.",
    ),
    (
        [TIERED | {"bands": [{"key": "low", "from_fen": 1, "rate": "0.01"}]}],
        PLACE.format("by_bands", "bands[low].from_fen"),
        "The first band begins at 0, so that every amount lies in a band.",
    ),
    (
        [
            TIERED
            | {"bands": [*TIERED["bands"], {"key": "top", "from_fen": 10_000_000, "rate": "0.05"}]}
        ],
        PLACE.format("by_bands", "bands[top].from_fen"),
        "This band begins at 10000001 fen or more; the one before it at 10000000.",
    ),
    (
        [FIXED, COMBINED | {"of": ["yearly", "nothing"], "minimum_fen": 1_200_001}],
        PLACE.format("all", "of"),
        "There is no contribution rule “nothing”. Choose from: stationed, visiting, yearly.",
    ),
    (
        [FIXED, COMBINED | {"of": ["yearly", "all"]}],
        PLACE.format("all", "of"),
        "“all” is combined itself. Choose from: stationed, visiting, yearly.",
    ),
    (
        [COMBINED | {"of": ["stationed", "visiting"]}],
        PLACE.format("all", "modes"),
        "“visiting” is offered to visiting only; the rule that it is part of to more.",
    ),
    (
        [TIERED | {"base": "profit"}, COMBINED | {"of": ["stationed", "by_bands"]}],
        PLACE.format("all", "of"),
        "One amount is declared a period, so all shares need one base; here: stationed (takings), "
        "by_bands (profit).",
    ),
    (
        [
            FIXED,
            TIERED | {"minimum_fen": 300_000},
            IN_KIND,
            COMBINED | {"maximum_fen": 1_499_999},
        ],
        PLACE.format("all", "maximum_fen"),
        "At most 1499999 fen, but the parts owe at least 1500000 fen together: "
        "partners.contributions[yearly].fee_fen, partners.contributions[by_bands].minimum_fen. "
        "Write at least 1500000, or lower theirs.",
    ),
    (
        [
            FIXED,
            TIERED | {"maximum_fen": 300_000},
            IN_KIND,
            COMBINED | {"minimum_fen": 1_500_001},
        ],
        PLACE.format("all", "minimum_fen"),
        "At least 1500001 fen, but the parts owe at most 1500000 fen together: "
        "partners.contributions[yearly].fee_fen, partners.contributions[by_bands].maximum_fen, "
        "partners.contributions[clinics].type. Write at most 1500000, or raise theirs.",
    ),
]


@pytest.mark.parametrize(("rules", "path", "sentence"), CONTRADICTIONS)
def test_what_contradicts_itself_is_refused_with_what_would_be_right(rules, path, sentence):
    assert refused(*rules) == {path: sentence}


@pytest.mark.parametrize(
    "rules",
    [
        [FIXED, TIERED | {"minimum_fen": 300_000}, IN_KIND, COMBINED | {"maximum_fen": 1_500_000}],
        [FIXED, TIERED | {"maximum_fen": 300_000}, IN_KIND, COMBINED | {"minimum_fen": 1_500_000}],
        # The bands may come to any amount.
        [FIXED, TIERED, IN_KIND, COMBINED | {"minimum_fen": 4_000_000}],
    ],
)
def test_a_sum_may_be_held_to_what_its_parts_can_come_to(rules):
    assert parse_document(document(*rules))


def test_what_is_given_in_kind_needs_no_source_of_money():
    raw = document(IN_KIND)
    visiting = {"key": "visiting", "title": {"zh": "流动合伙人反哺"}, "kind": "visiting"}
    raw["partners"]["contributions"] = raw["partners"]["contributions"][1:]
    raw["fund"]["sources"] = [visiting]
    assert parse_document(raw)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        (IN_KIND | {"minimum_fen": 1}, PLACE.format("clinics", "minimum_fen")),
        (TIERED | {"counting": "some"}, PLACE.format("by_bands", "counting")),
        (TIERED | {"bands": []}, PLACE.format("by_bands", "bands")),
        (TIERED | {"bands": TIERED["bands"][:1] * 2}, PLACE.format("by_bands", "bands")),
        (COMBINED | {"of": []}, PLACE.format("all", "of")),
        (COMBINED | {"of": ["stationed", "stationed"]}, PLACE.format("all", "of")),
        (FIXED | {"fee_fen": -1}, PLACE.format("yearly", "fee_fen")),
        (FIXED | {"fee_fen": "12000"}, PLACE.format("yearly", "fee_fen")),
    ],
)
def test_a_field_of_a_rule_is_refused_at_its_path(rule, path):
    assert list(refused(rule)) == [path]


def test_bands_are_found_by_their_keys():
    """By bounds and layers: the second band is never a position."""
    check_possible("partners.contributions[by_bands].bands[high].rate")
