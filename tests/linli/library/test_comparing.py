"""What differs between two versions or drafts, as people read it (M2)."""

import copy
import json
from pathlib import Path

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from linli.errors import Refused
from linli.library import paths
from linli.library.comparing import NOTHING, Contents, as_text, compare
from linli.library.document import brief, canonical, parse_document, plain, storable
from linli.library.outline import _laid, laid_out
from linli.library.places import schema

SOURCE = (Path(__file__).parent / "chengnan.json").read_text()
RATE = "partners.contributions[stationed].rate"
BOUNDS = {RATE: {"minimum": "0.01", "maximum": "0.05"}}


@pytest.fixture
def before():
    return json.loads(SOURCE)


@pytest.fixture
def after():
    """Something of everything that may happen to a document and its bounds."""
    document = json.loads(SOURCE)
    partners = document["partners"]
    stationed, visiting = partners["contributions"]
    stationed["rate"] = "0.04"
    stationed["modes"] = ["stationed", "visiting"]
    visiting["fee_fen"] = 8000
    partners["kinds"][0]["title"]["en"] = "Party organisation"
    partners["kinds"][1:3] = partners["kinds"][2:0:-1]
    partners["kinds"][4] = {"key": "property", "title": {"zh": "物业公司"}, "tier": "core"}
    partners["mechanisms"].append({"key": "time_bank", "title": {"zh": "时间银行"}})
    document["services"]["price_classes"][2]["ceiling_fen"] = 120050
    document["venues"]["aspects"][0]["functions"][0]["required"] = False
    return document


NARROWED = {
    RATE: {"maximum": "0.04"},
    "fund.waterfall[*].share": {"minimum": "0.1"},
    "meetings.joint": {"locked": True},
    "partners.contributions[stationed].modes": {"one_of": ["stationed", "visiting"]},
}

CHINESE = """\
合伙人 › 合伙人类别：顺序改为 社区党组织、社会组织、企业、居民能人、物业公司
合伙人 › 合伙人类别 › 社区党组织 › 名称 › 英文：Community party organisation → Party organisation
合伙人 › 合伙人类别 › 职能部门：删去（原为 层级：拓展层；主体：个人或团体；公示名称：自身名称）
合伙人 › 合伙人类别 › 物业公司：新增（层级：核心层；主体：个人或团体；公示名称：自身名称）
合伙人 › 反哺规则 › 常驻合伙人按收入比例反哺 › 合作方式：常驻 → 常驻、流动
合伙人 › 反哺规则 › 常驻合伙人按收入比例反哺 › 合作方式的约束：不限 → 限于 常驻、流动
合伙人 › 反哺规则 › 常驻合伙人按收入比例反哺 › 比例：3 % → 4 %
合伙人 › 反哺规则 › 常驻合伙人按收入比例反哺 › 比例的约束：1 % 至 5 % → 不高于 4 %
合伙人 › 反哺规则 › 流动合伙人按场次反哺 › 每场金额：50.00 元 → 80.00 元
合伙人 › 合作机制 › 时间银行：新增（形式：其他）
社区发展基金 › 收入分配 › 每一项 › 比例的约束：不限 → 不低于 10 %
服务与价格 › 价格类别 › 市场 › 价格上限：无 → 1,200.50 元
阵地标准 › 功能类别 › 养老托育 › 功能 › 助老食堂 › 必备：是 → 否
会议日程 › 联席会的约束：不限 → 锁定"""
ENGLISH = """\
Partners › Kinds: the order is now Party organisation, Social organisation, Enterprise, Skilled resident, 物业公司
Partners › Kinds › Party organisation › Title › English: Community party organisation → Party organisation
Partners › Kinds › Department: taken away (was Tier: extended; Who: a person or a group; Published as: its own name)
Partners › Kinds › 物业公司: added (Tier: core; Who: a person or a group; Published as: its own name)
Partners › Contributions › Share of takings › Modes: stationed → stationed, visiting
Partners › Contributions › Share of takings › Modes, bound: free → one of stationed, visiting
Partners › Contributions › Share of takings › Rate: 3 % → 4 %
Partners › Contributions › Share of takings › Rate, bound: 1 % to 5 % → at most 4 %
Partners › Contributions › Fee per session › Fee: 50.00 yuan → 80.00 yuan
Partners › Mechanisms › 时间银行: added (Form: another form)
Fund › Waterfall › each › Share, bound: free → at least 10 %
Services › Price classes › 市场 › Ceiling: none → 1,200.50 yuan
Venue standard › Aspects › 养老托育 › Functions › 助老食堂 › Required: yes → no
Meetings › Joint meeting, bound: free → locked"""


@pytest.mark.parametrize(("language", "text"), [("zh-hans", CHINESE), ("en", ENGLISH)])
def test_every_kind_of_difference_is_read_in_the_order_of_the_document(
    before, after, language, text
):
    with override(language):
        assert as_text(compare(Contents(before, BOUNDS), Contents(after, NARROWED))) == text


def test_each_difference_has_its_place_and_both_values(before, after):
    found = {(d.kind.name, d.path): d for d in compare(Contents(before, {}), Contents(after, {}))}
    assert found["CHANGED", RATE].before == "0.03"
    assert found["CHANGED", RATE].after == "0.04"
    assert found["REMOVED", "partners.kinds[department]"].before["tier"] == "extended"
    assert found["ADDED", "partners.kinds[property]"].after["title"]["zh"] == "物业公司"
    order = found["REORDERED", "partners.kinds"]
    assert order.before[:3] == ["party_organisation", "enterprise", "social_organisation"]
    assert order.after[:3] == ["party_organisation", "social_organisation", "enterprise"]


def test_the_same_said_otherwise_is_no_difference(before):
    other = copy.deepcopy(before)
    other["partners"]["contributions"][0]["rate"] = "0.030"  # one number, two spellings
    other["services"]["price_classes"][0]["ceiling_fen"] = None  # the default, said
    reversed_members = {name: other[name] for name in reversed(other)}
    found = compare(Contents(before, BOUNDS), Contents(reversed_members, BOUNDS))
    assert found == []
    with override("en"):
        assert as_text(found) == "Nothing differs."


def test_from_nothing_everything_is_new(before):
    with override("en"):
        found = compare(NOTHING, Contents(before, BOUNDS))
    assert [d.path for d in found if d.kind.name == "CHANGED"] == list(before)
    assert found[1].text.endswith("Rate, bound: free → 1 % to 5 %")


class TestADraft:
    """It may hold anything that can be kept."""

    def test_what_is_no_document_is_laid_out_like_one(self, before):
        shuffled = {name: before[name] for name in sorted(before)}
        shuffled["partners"] = dict(reversed(before["partners"].items()))
        del shuffled["fund"]
        whole = plain(parse_document(before))  # defaults and all
        assert list(laid_out(shuffled)) == [name for name in whole if name != "fund"]
        assert list(laid_out(shuffled)["partners"]) == list(whole["partners"])

    def test_its_defaults_are_no_difference(self, before):
        short = copy.deepcopy(before)
        del short["fund"]  # so that it is none
        del short["partners"]["mechanisms"], short["partners"]["incentives"]
        full = copy.deepcopy(before)
        full["partners"]["mechanisms"] = full["partners"]["incentives"] = []
        assert [d.path for d in compare(Contents(short, {}), Contents(full, {}))] == ["fund"]

    def test_what_no_model_has_comes_last_and_by_its_own_name(self, before):
        wrong = before | {"parking": {"places": 3}, "Bad name": [1], "partners": "text"}
        with override("en"):
            found = compare(Contents(before, {}), Contents(wrong, {}))
        assert [(d.path, d.label) for d in found] == [
            ("partners", "Partners"),
            ("Bad name", "Bad name"),
            ("parking", "parking"),
        ]
        assert found[2].text == "parking: none → places: 3"

    def test_two_items_of_one_key_are_told_as_a_list(self, before):
        twice = copy.deepcopy(before)
        twice["partners"]["kinds"].append(copy.deepcopy(twice["partners"]["kinds"][0]))
        twice["partners"]["kinds"][-1]["tier"] = "core"
        found = compare(Contents(before, {}), Contents(twice, {}))
        assert [d.path for d in found] == ["partners.kinds"]

    def test_a_bound_of_nonsense_is_shown(self, before):
        with override("en"):
            [one] = compare(Contents(before, {}), Contents(before, {"fund.x": {"minimum": [3]}}))
        assert one.text == "Fund › x, bound: free → at least 3"


def test_a_valid_document_is_laid_out_as_plain(before):
    """Also by the way that a document takes which is not valid."""
    document = parse_document(before)
    spelt = plain(document)
    assert canonical(_laid(schema(), brief(document))) == canonical(spelt)
    assert json.dumps(_laid(schema(), brief(document))) == json.dumps(spelt)


# Not null: that is as if nothing stood there.
VALUES = st.integers(-5, 5) | st.sampled_from(["", "0.03", "x"]) | st.lists(
    st.just("x"), max_size=2
)  # fmt: skip
PLACES = ["partners", "partners.kinds", "partners.kinds[enterprise]", RATE, "fund.committee", "extra"]  # fmt: skip
CHANGES = st.lists(st.tuples(st.sampled_from(PLACES), VALUES), max_size=4)


def spoilt(changes):
    document = json.loads(SOURCE)
    for path, value in changes:
        try:
            document = paths.grow(document, path, value)
        except Refused:
            continue  # its place is gone, or an item would lose its key
    return document


@given(CHANGES, CHANGES)
def test_it_is_empty_just_where_nothing_differs_and_turns_round(one, other):
    before, after = Contents(spoilt(one), {}), Contents(spoilt(other), {})
    there, back = compare(before, after), compare(after, before)
    assert (there == []) == (
        canonical(laid_out(before.document)) == canonical(laid_out(after.document))
    )
    assert {(d.path, canonical([d.before, d.after])) for d in there} == {
        (d.path, canonical([d.after, d.before])) for d in back
    }


class TestGrow:
    """Setting a place of a document whose way there is not written yet."""

    def test_members_and_lists_on_the_way_are_added(self):
        item = {"key": "enterprise", "title": {"zh": "企业"}}
        document = paths.grow({}, "partners.kinds[enterprise]", item)
        document = paths.grow(document, "fund.committee.min_members", 3)
        document = paths.grow(document, "partners.kinds[enterprise].tier", "core")
        assert document == {
            "partners": {"kinds": [item | {"tier": "core"}]},
            "fund": {"committee": {"min_members": 3}},
        }

    @pytest.mark.parametrize(
        ("document", "path"),
        [
            ({}, "partners.kinds[enterprise].tier"),
            ({"partners": "text"}, "partners.rent_free_months"),
            ({"partners": {"kinds": [{"tier": "core"}]}}, "partners.kinds[enterprise]"),
        ],
    )
    def test_no_item_is_made_up_and_nothing_is_lost(self, document, path):
        with pytest.raises(Refused) as refused:
            paths.grow(document, path, "core")
        assert refused.value.code == "UNKNOWN_PATH"

    def test_what_was_given_is_left_alone(self):
        document = {"partners": {"kinds": []}}
        paths.grow(document, "partners.kinds[a]", {"key": "a"})
        assert document == {"partners": {"kinds": []}}


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ('{"a": NaN}', "a"),
        ('{"a": 1, "a": 2}', "a"),
        ('{"a": "\\u0000"}', "a"),
        ("[]", "document"),
        ("nothing", "document"),
        ('{"a": ' * 33 + "1" + "}" * 33, ".".join("a" * 32)),
        ('{"a": 9007199254740992}', "a"),
        ('{"a": "' + "x" * 1_000_000 + '"}', "document"),
    ],
)
def test_what_cannot_be_kept_is_refused(raw, field):
    with pytest.raises(Refused) as refused:
        storable(raw)
    assert refused.value.code == "DOCUMENT_INVALID"
    assert [cause.field for cause in refused.value.causes] == [field]


@pytest.mark.parametrize("raw", ["{}", '{"partners": 3, "parking": [1, {"a": null}], "b": 0.5}'])
def test_what_is_no_model_can_be_kept(raw):
    assert storable(raw) == json.loads(raw)
