"""The operating model's document: what it says, and how a fault in it is told (M1)."""

import copy
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from linli.errors import Refused
from linli.library.document import (
    brief,
    canonical,
    digest,
    json_schema,
    parse_document,
    plain,
)

SOURCE = (Path(__file__).parent / "chengnan.json").read_text()


@pytest.fixture
def raw():
    return json.loads(SOURCE)


def faults(raw):
    """The faults of a document, by path."""
    with pytest.raises(Refused) as refused:
        parse_document(raw)
    assert refused.value.code == "DOCUMENT_INVALID"
    assert {cause.code for cause in refused.value.causes} == {"DOCUMENT_INVALID"}
    return {cause.field: cause for cause in refused.value.causes}


def said(refused):
    with translation.override("en"):
        return str(refused.message)


def test_the_model_of_a_real_street_office_is_read():
    document = parse_document(SOURCE)
    stationed, visiting = document.partners.contributions
    assert (stationed.type, stationed.rate, stationed.modes) == (
        "share",
        Decimal("0.03"),
        ("stationed",),
    )
    assert (visiting.type, visiting.fee_fen) == ("per_session", 5000)
    assert document.meetings.joint.day_of_month == 25
    assert document.services.price_classes[0].ceiling_fen is None
    assert parse_document(SOURCE.encode()) == document == parse_document(json.loads(SOURCE))


def test_a_document_has_one_spelling(raw):
    document = parse_document(SOURCE)
    raw["partners"]["contributions"][0]["rate"] = "0.030"
    raw["services"]["price_classes"][0]["ceiling_fen"] = None
    shuffled = {name: raw[name] for name in sorted(raw, reverse=True)}
    assert canonical(parse_document(shuffled)) == canonical(document)
    assert digest(parse_document(shuffled)) == digest(document)
    assert re.fullmatch("[0-9a-f]{64}", digest(document))
    assert canonical({"b": 1, "a": "村"}) == '{"a":"村","b":1}'
    assert parse_document(brief(document)) == parse_document(plain(document)) == document
    assert digest(brief(document)) == digest(document)
    assert "ceiling_fen" not in brief(document)["services"]["price_classes"][0]
    assert plain(document)["services"]["price_classes"][0]["ceiling_fen"] is None


def test_a_document_is_frozen():
    document = parse_document(SOURCE)
    with pytest.raises(ValueError, match="frozen"):
        document.evaluation.pass_line = 1


@pytest.mark.parametrize(
    "rate",
    [
        3,
        "3",
        "NaN",
        "1.01",
        "-0.1",
        "0.0000001",
        "",
        None,
        True,
        "300%",
        "1,000",
        "1,5",
        "0.0.3",
        ".",
    ],
)
def test_a_rate_is_a_decimal_fraction_as_text(raw, rate):
    raw["partners"]["contributions"][0]["rate"] = rate
    found = faults(raw)
    assert list(found) == ["partners.contributions[stationed].rate"]
    assert said(*found.values()) == (
        'Write a rate as text, a decimal fraction from "0" to "1" with at most 6 places: '
        '"0.03" is 3 %.'
    )


@pytest.mark.parametrize(
    ("rate", "right"),
    [
        ("3%", "0.03"),
        (" 3.5 ％", "0.035"),
        ("2‰", "0.002"),
        ("100%", "1"),
        (0.03, "0.03"),
        (".03", "0.03"),
        ("0,03", "0.03"),
        (",035", "0.035"),
        ("0，03", "0.03"),
        (" 0.03 ", "0.03"),
        ("0.0300000", "0.03"),
        ("1.0000000", "1"),
    ],
)
def test_a_rate_written_otherwise_is_told_as_it_should_be(raw, rate, right):
    raw["partners"]["contributions"][0]["rate"] = rate
    [told] = faults(raw).values()
    assert said(told) == (
        f'A rate is a decimal fraction as text. Write "{right}" in place of {rate}.'
    )
    assert told.data == {"value": str(rate), "right": right}


def change(path, value):
    def apply(raw):
        *holders, last = path
        for step in holders:
            raw = raw[step]
        raw[last] = value

    return apply


FAULTY = [
    (
        change(["fund", "committee", "secretary"], "x"),
        "fund.committee.secretary",
        "This is not known here. Known are: min_members, quorum, majority, counted, conflict, "
        "chair, term_months.",
    ),
    (
        change(["partners", "contributions", 0, "fee_fen"], 1),
        "partners.contributions[stationed].fee_fen",
        "This is not known here. Known are: key, title, type, modes, base, rate, minimum_fen, "
        "maximum_fen.",
    ),
    (
        change(["partners", "contributions", 0, "share"], 1),
        "partners.contributions[stationed].share",
        "This is not known here. Known are: key, title, type, modes, base, rate, minimum_fen, "
        "maximum_fen.",
    ),
    (
        change(["partners", "contributions", 0, "modes"], ["stationed", "sitting"]),
        "partners.contributions[stationed].modes[1]",
        "Choose one of: stationed, visiting.",
    ),
    (
        change(["partners", "contributions", 0, "modes"], ["visiting", "visiting"]),
        "partners.contributions[stationed].modes",
        "“visiting” stands here twice. Keep one of them.",
    ),
    (
        change(["partners", "contributions", 0, "modes"], []),
        "partners.contributions[stationed].modes",
        "Write a list of 1 to 200 items.",
    ),
    (
        change(["partners", "contributions", 1, "type"], "tiers"),
        "partners.contributions[visiting].type",
        "Choose one of: combined, fixed, in_kind, per_session, share, tiered.",
    ),
    (
        change(["partners", "kinds", 1, "key"], "party_organisation"),
        "partners.kinds",
        "“party_organisation” stands here twice. Keep one of them.",
    ),
    (
        change(["partners", "kinds", 1, "key"], "第一"),
        "partners.kinds[第一].key",
        "Write a key: a small Latin letter, then small letters, digits or “_”, at most 40 in all.",
    ),
    (
        change(["partners", "kinds", 1, "title"], {"en": "Enterprise"}),
        "partners.kinds[enterprise].title.zh",
        "Write text of 1 to 200 characters.",
    ),
    (
        change(["partners", "kinds", 1], "enterprise"),
        "partners.kinds[1]",
        "Write an object with: key, title, tier, who, published_as.",
    ),
    (
        change(["partners", "contributions", 1], "visiting"),
        "partners.contributions[1]",
        "Write an object with: type.",
    ),
    (
        change(["partners", "incentives", 0, "kind"], "shop"),
        "partners.incentives[exposure].kind",
        "There is no “shop” in partners.kinds. Choose one of: party_organisation, enterprise, "
        "social_organisation, skilled_resident, department.",
    ),
    (
        change(["fund", "waterfall", 0, "share"], "0.4999"),
        "fund.waterfall",
        "These must sum to exactly 1; the share values sum to 0.9999: 0.0001 is missing.",
    ),
    (
        change(["fund", "committee", "min_members"], 4),
        "fund.committee.min_members",
        "This must be an odd number, so that a vote cannot tie.",
    ),
    (
        change(["fund", "committee", "min_members"], 1),
        "fund.committee.min_members",
        "Write a whole number from 3 to 99.",
    ),
    (
        change(["fund", "committee", "min_members"], True),
        "fund.committee.min_members",
        "Write a whole number from 3 to 99.",
    ),
    (
        change(["services", "price_classes", 0, "ceiling_fen"], 100),
        "services.price_classes[free].ceiling_fen",
        "What is free costs nothing: leave the ceiling out or make it 0.",
    ),
    (
        change(["evaluation", "criteria", 0, "weight"], "0.7"),
        "evaluation.criteria",
        "These must sum to exactly 1; the weight values sum to 1.1: 0.1 too much.",
    ),
    (
        change(["venues", "aspects", 0, "functions", 0, "required"], "yes"),
        "venues.aspects[care].functions[canteen].required",
        "Write true or false.",
    ),
    (
        change(["meetings", "joint", "day_of_month"], 31),
        "meetings.joint.day_of_month",
        "Write a whole number from 1 to 28.",
    ),
    (
        change(["disclosure", "items", 0, "key"], "secrets"),
        "disclosure.items[secrets].key",
        "Choose one of: balance, movements, contributions, donations, decisions, evaluations.",
    ),
    (
        change(["points", "earn", 0, "points"], float("nan")),
        "points.earn[volunteering].points",
        None,
    ),
    (change(["points", "earn", 0, "points"], 2**60), "points.earn[volunteering].points", None),
    (
        change(["points", "earn", 0, "title", "zh"], "\0"),
        "points.earn[volunteering].title.zh",
        None,
    ),
    (
        change(["points", "earn", 0, "title", "zh"], "\ud800"),
        "points.earn[volunteering].title.zh",
        None,
    ),
]


@pytest.mark.parametrize(("faulty", "path", "sentence"), FAULTY)
def test_a_fault_names_its_path_and_what_would_be_right(raw, faulty, path, sentence):
    faulty(raw)
    found = faults(raw)
    assert list(found) == [path]
    assert sentence is None or said(found[path]) == sentence


def test_a_fault_carries_what_is_allowed_as_data(raw):
    raw["partners"]["contributions"][0]["base"] = "turnover"
    raw["meetings"]["joint"]["day_of_month"] = 0
    found = faults(raw)
    assert found["partners.contributions[stationed].base"].data == {
        "allowed": ["takings", "net_income", "profit"]
    }
    assert found["meetings.joint.day_of_month"].data == {"minimum": 1, "maximum": 28}


def test_all_faults_are_told_at_once(raw):
    del raw["points"]
    raw["weather"] = 1
    raw["fund"]["committee"]["min_members"] = "three"
    assert set(faults(raw)) == {"points", "weather", "fund.committee.min_members"}


def test_a_function_stands_under_one_aspect(raw):
    aspect = copy.deepcopy(raw["venues"]["aspects"][0])
    raw["venues"]["aspects"].append(aspect | {"key": "again"})
    assert set(faults(raw)) == {
        "venues.aspects[again].functions[canteen]",
        "venues.aspects[again].functions[nursery]",
    }


def test_a_key_that_stands_twice_is_a_fault_even_where_it_would_not_matter():
    twice = SOURCE.replace('"pass_line": 60', '"pass_line": 60, "pass_line": 60')
    assert list(faults(twice)) == ["evaluation.pass_line"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 100_000, "1" * 5000, b"\xff\xfe", '{"partners": NaN}', "null", "[]", '"text"'],
)
def test_what_is_no_document_is_refused(text):
    found = faults(text)
    assert set(found) <= {"document", "partners"}
    assert all(said(cause) for cause in found.values())


@pytest.mark.parametrize("spaces", [0, 1])
def test_a_document_comes_in_at_most_a_quarter_of_a_megabyte(spaces):
    room = 262_144 - len(SOURCE.encode())
    if not spaces:
        assert parse_document(SOURCE + " " * room)
        return
    (refused,) = faults(SOURCE + " " * (room + 1)).values()
    assert (refused.field, refused.data) == ("document", {"maximum": 262_144})


def test_as_json_values_it_comes_in_no_more(raw):
    raw["partners"]["kinds"][0]["title"]["zh"] = "长" * 100_000
    (refused,) = faults(raw).values()
    assert (refused.field, refused.data) == ("document", {"maximum": 262_144})


def test_what_is_kept_of_a_document_is_as_large_as_its_column_takes(raw):
    """Each title has 600 bytes at most, so 90 fit and 110 do not."""

    def with_uses(count):
        raw["fund"]["uses"] = [
            {"key": f"use{n}", "title": {"zh": "长" * 200}} for n in range(count)
        ]
        return raw

    assert len(parse_document(with_uses(90)).fund.uses) == 90
    (refused,) = faults(with_uses(110)).values()
    assert (refused.field, refused.data) == ("document", {"maximum": 65_536})


def test_a_document_is_at_most_32_levels_deep():
    deep = {"a": 1}
    for _level in range(100):
        deep = {"a": deep}
    (refused,) = faults(deep).values()
    assert refused.data == {"maximum": 32}
    assert refused.field == ".".join("a" * 32)


def test_a_flood_of_faults_is_cut_at_a_hundred():
    assert len(faults(json.dumps({f"k{i}": 1 for i in range(5000)}))) == 100


def test_the_schema_says_it_in_words():
    """No codes of a document that an author does not have: (P8)."""
    assert re.findall(r"[(, ][A-Z]\d{1,2}[,)]", json.dumps(json_schema(), ensure_ascii=False)) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["key", "title", "type", "share", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


def places(node, at=()):
    yield at
    inner = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for step, value in inner:
        yield from places(value, (*at, step))


ALL_PLACES = [at for at in places(json.loads(SOURCE)) if at]


@given(st.sampled_from(ALL_PLACES), json_values)
def test_anything_anywhere_is_read_or_refused_with_a_sentence(at, value):
    raw = json.loads(SOURCE)
    change(at, value)(raw)
    read, causes = None, ()
    try:
        read = parse_document(raw)
    except Refused as refused:
        causes = refused.causes
    assert bool(read) is not bool(causes)
    if read:
        assert parse_document(canonical(read)) == read
    for cause in causes:
        assert cause.field
        assert said(cause)
        assert json.dumps(cause.data)
