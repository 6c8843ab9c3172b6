"""Places and values of a document in the reader's words."""

import pytest
from django.utils import translation

from linli.library import paths
from linli.library.document import parse_document, plain
from linli.library.labels import bound_label, label, members_label, value_label
from onboarding.demo.stage import load

DOCUMENT = parse_document(load("pingcheng.yaml")["document"])

LABELS = [
    ("services.discounts[over_80].reduction", "服务与价格 › 减免 › 80岁以上八折 › 减免比例",
     "Services › Discounts › A fifth less from 80 on › Reduction"),
    ("fund.committee.quorum", "社区发展基金 › 基金管委会 › 法定人数", "Fund › Committee › Quorum"),
    ("fund.waterfall", "社区发展基金 › 收入分配", "Fund › Waterfall"),
    ("points.earn[*].points", "积分 › 积分获取 › 每一项 › 积分", "Points › Earning › each › Points"),
    ("venues.aspects[care].functions[nursery].required",
     "阵地标准 › 功能类别 › 养老托育 › 功能 › 托育 › 必备",
     "Venue standard › Aspects › Care for old and young › Functions › Nursery › Required"),
    ("onboarding.steps[open].evidence.zh", "入驻清单 › 步骤 › 开门运营 › 佐证 › 中文",
     "Onboarding › Steps › Open › Evidence › Chinese"),
    # What the document does not have goes by its key, what no document has by its name.
    ("fund.uses[trips].title", "社区发展基金 › 资金用途 › trips › 名称", "Fund › Uses › trips › Title"),
    ("fund.weather", "社区发展基金 › weather", "Fund › weather"),
    ("no path at all", "no path at all", "no path at all"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "chinese", "english"), LABELS)
def test_a_path_in_words(path, chinese, english):
    with translation.override("zh-hans"):
        assert label(path, DOCUMENT) == chinese
    with translation.override("en"):
        assert label(path, DOCUMENT) == english


def test_a_rule_goes_by_the_fields_of_its_own_type():
    title = "partners.contributions[per_market_day]"
    with translation.override("en"):
        assert label(title, DOCUMENT) == "Partners › Contributions › Fee per market day"
        assert label(f"{title}.fee_fen", DOCUMENT).startswith(label(title, DOCUMENT) + " › Fee")


def test_an_item_is_looked_up_in_the_first_document_that_has_it():
    later = {"fund": {"uses": [{"key": "trips", "title": {"zh": "出游"}}]}}
    with translation.override("en"):  # no English: the Chinese stands in
        assert label("fund.uses[trips]", DOCUMENT, later) == "Fund › Uses › 出游"
        assert label("fund.uses[repairs]", DOCUMENT, later) == "Fund › Uses › Repairs"


def test_a_place_goes_by_the_document_that_has_it():
    """A rule that becomes one of another type: what its old type has is called as it was there."""
    place = "partners.contributions[per_market_day]"
    old = plain(DOCUMENT)
    rule = {"key": "per_market_day", "title": {"zh": "按收入"}, "type": "share", "rate": "0.03"}
    new = paths.put(old, place, rule)
    with translation.override("en"):
        assert label(f"{place}.fee_fen", new, old).endswith("Fee per market day › Fee")
        assert label(f"{place}.rate", new, old).endswith("按收入 › Rate")
        assert value_label(f"{place}.fee_fen", 500, new, old) == "5.00 yuan"


VALUES = [
    ("services.discounts[over_80].reduction", "0.2", "20 %", "20 %"),
    ("venues.reserved_floor_share", "0.0025", "0.25 %", "0.25 %"),
    ("fund.caps[one_application].most_fen", 2_000_000, "20,000.00 元", "20,000.00 yuan"),
    ("partners.rent_free_months", 12, "12个月", "12 months"),
    ("partners.rent_free_months", 1, "1个月", "1 month"),
    ("meetings.joint.day_of_month", 25, "25日", "day 25 of the month"),
    ("fund.committee.majority", "two_thirds", "三分之二", "two thirds"),
    ("partners.kinds[enterprise].title", {"zh": "企业", "en": "Enterprise"}, "企业", "Enterprise"),
    ("partners.kinds[enterprise]", {"key": "a", "title": {"zh": "店", "en": "Shop"}}, "店", "Shop"),
    ("fund.steps[pay].roles", ["charity_cashier", "auditor"], "慈善总会出纳、审计",
     "Host charity cashier, Auditor"),
    ("fund.steps[pay].roles", [], "无", "none"),
    ("fund.uses", ["repairs", "trips"], "维修改造、trips", "Repairs, trips"),
    ("fund.waterfall[points].uses", ["repairs"], "repairs", "repairs"),
    ("fund.steps[pay].key", "pay", "pay", "pay"),
    ("venues.aspects[care].functions[nursery].required", False, "否", "no"),
    ("fund.consultation_days", None, "无", "none"),
    ("fund.committee", {"min_members": 3}, "最少人数：3人", "Members at least: 3 people"),
    ("partners.kinds[enterprise]",
     {"key": "a", "title": {"zh": "店", "en": "Shop"}, "tier": "core", "x": None, "y": []},
     "店（层级：核心层）", "Shop (Tier: core)"),
    ("fund.waterfall",
     [{"key": "care", "title": {"zh": "服务", "en": "Care"}, "share": "0.6"},
      {"key": "rest", "title": {"zh": "其他"}, "share": "0.4"}],
     "服务（比例：60 %）、其他（比例：40 %）", "Care (Share: 60 %), 其他 (Share: 40 %)"),
    # A draft may hold anything.
    ("partners.rent_free_months", "soon", "soon", "soon"),
    ("fund.caps[one_application].most_fen", "0.5", "0.5分", "0.5 fen"),
    ("venues.reserved_floor_share", [0.5], "0.5", "0.5"),
    ("fund.committee", {}, "无", "none"),
    ("Bad name", ["a", {"b": 1}], "a、b：1", "a, b: 1"),
    ("fund.uses", ["No key", "trips"], "No key、trips", "No key, trips"),
    ("no path at all", "x" * 301, "x" * 299 + "…", "x" * 299 + "…"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "chinese", "english"), VALUES)
def test_a_value_in_words(path, value, chinese, english):
    with translation.override("zh-hans"):
        assert value_label(path, value, DOCUMENT) == chinese
    with translation.override("en"):
        assert value_label(path, value, DOCUMENT) == english


def test_what_an_item_says_beside_its_title():
    place = "partners.kinds[enterprise]"
    with translation.override("en"):
        said = {"key": "a", "title": {"zh": "店"}, "tier": "extended"}
        assert members_label(place, said, DOCUMENT) == "Tier: extended"
        assert members_label(place, {"key": "a", "title": {"zh": "店"}}, DOCUMENT) == ""
        assert members_label(place, None, DOCUMENT) == ""


BOUNDS = [
    ("partners.rent_free_months", None, "不限", "free"),
    ("partners.rent_free_months", {"locked": True}, "锁定", "locked"),
    ("partners.rent_free_months", {"one_of": [1, 12]}, "限于 1个月、12个月",
     "one of 1 month, 12 months"),
    ("venues.reserved_floor_share", {"minimum": "0.01", "maximum": "0.05"}, "1 % 至 5 %",
     "1 % to 5 %"),
    ("fund.waterfall[*].share", {"minimum": "0.1"}, "不低于 10 %", "at least 10 %"),
    ("fund.caps[one_application].most_fen", {"maximum": 5000}, "不高于 50.00 元",
     "at most 50.00 yuan"),
    ("fund.caps[one_application].most_fen", {"minimum": "0", "maximum": "5000"},
     "0.00 元 至 50.00 元", "0.00 yuan to 50.00 yuan"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "bound", "chinese", "english"), BOUNDS)
def test_a_bound_in_words(path, bound, chinese, english):
    with translation.override("zh-hans"):
        assert bound_label(path, bound, DOCUMENT) == chinese
    with translation.override("en"):
        assert bound_label(path, bound, DOCUMENT) == english
