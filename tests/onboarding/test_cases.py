"""Two real cases are expressed by configuration alone: documents, and no line of code for either."""

import ast
import re

import pytest
import yaml

from linli.library.document import brief, parse_document
from linli.library.paths import exists
from linli.sizes import DOCUMENT, size_of
from onboarding.demo.stage import load
from tests.house.sources import PACKAGES, python

CASES = ["chengnan.yaml", "pingcheng.yaml"]
# What only a case's own files may name: its places, its people, the words it found for itself.
ITS_OWN = re.compile(
    "平城|城南|荣悦城|工盛|车站街道|闻韶|辛东|丝绸路|大世界|南麻|鲁阳|新华街道|水泊寺|开源街道|武定"
    "|迎宾街道|马军营|淄博|张店|临淄|大同|聚邻|五色图|益膳堂|众福|share_of_net|per_market_day"
    "|pingcheng|chengnan|zhangdian"
)
# The demo tells the story of one, as those people who log in.
_STORY = "onboarding/demo/"


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_a_document(name):
    document = parse_document(load(name)["document"])
    assert parse_document(brief(document)) == document
    assert size_of(brief(document)) < DOCUMENT // 2


@pytest.mark.parametrize("name", CASES)
def test_what_nobody_published_is_named_by_its_place(name):
    content = load(name)
    for named in content["sample_paths"]:
        path = named.removeprefix("bounds of ").partition(" (")[0].split("[*]")[0]
        assert exists(content["document"], path), named


def test_what_pingcheng_publishes_stands_in_its_document():
    document = parse_document(load("pingcheng.yaml")["document"])
    partners, needs = document.partners, document.needs
    assert [
        sum(k.tier == tier for k in partners.kinds) for tier in ("lead", "core", "extended")
    ] == [
        1,
        3,
        3,
    ]
    assert [m.title.zh for m in partners.mechanisms] == ["购买服务", "空间共营", "时间银行积分"]
    by_kind: dict[str, list[str]] = {}
    for incentive in partners.incentives:
        by_kind.setdefault(incentive.kind, []).append(incentive.title.zh)
    assert by_kind == {
        "enterprise": ["社区场景宣传", "政策优先对接"],
        "social_organisation": ["免费场地支持", "项目孵化指导"],
        "skilled_resident": ["技能展示平台", "荣誉激励"],
    }
    assert [ground.title.zh for ground in document.evaluation.good_faith] == [
        "出于公心",
        "程序合规",
        "及时纠错",
    ]
    assert [ledger.title.zh for ledger in needs.ledgers] == ["需求清单", "资源清单", "问题清单"]
    assert (needs.survey_months, len(needs.care_groups)) == (3, 5)
    assert [stage.title.zh for stage in document.onboarding.stages] == [
        "试点先行",
        "总结经验",
        "制度固化",
        "全域推广",
        "长效运营",
    ]


def test_what_zibo_publishes_stands_in_its_document():
    document = parse_document(load("chengnan.yaml")["document"])
    stationed, canteen, visiting = document.partners.contributions
    assert (stationed.type, canteen.base, visiting.type) == ("share", "net_income", "per_session")
    assert document.meetings.joint.day_of_month == 25
    assert [step.title.zh for step in document.meetings.deliberation.steps] == [
        "提事",
        "理事",
        "议事",
        "办事",
        "评事",
    ]
    assert document.partners.agreement.utilities == "partner"
    assert document.venues.min_area_m2 == 500
    assert document.fund.committee.min_members == 3
    kinds = [step.kind for step in document.fund.steps]
    assert kinds[0] == "propose"
    assert [
        kind for kind in kinds if kind in ("consult", "approve", "pay", "publish", "audit")
    ] == [
        "consult",
        "approve",
        "pay",
        "publish",
        "audit",
    ]
    assert [use.key for use in document.fund.uses] == ["activities", "repairs", "hardship_visits"]


def test_no_code_knows_either_case():
    """Nothing is decided by a text that names one; what explains something by it decides nothing."""
    product = tuple(f"{folder}/" for folder in PACKAGES.values())
    known = [
        f"{source.path}:{text.lineno}: {text.value}"
        for source in python()
        if source.path.startswith(product) and not source.path.startswith(_STORY)
        for text in _texts(source.tree)
        if ITS_OWN.search(text.value) and text.value not in CASES
    ]
    assert known == []


def _texts(tree):
    """The texts in code but docstrings and descriptions."""
    explains = {
        id(text)
        for node in ast.walk(tree)
        for explained in _explained(node)
        for text in ast.walk(explained)
    }
    for node in ast.walk(tree):
        text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if text and id(node) not in explains:
            yield node


def _explained(node):
    match node:
        case ast.Expr(value=ast.Constant()):
            yield node
        case ast.keyword(arg="description"):
            yield node.value
        case ast.Call(func=ast.Name(id="_")):
            yield from node.args


def test_yaml_says_what_it_seems_to():
    """YAML 1.1 reads off, on, yes and no as truth values, as keys too."""

    def keys(node):
        if isinstance(node, dict):
            for key, value in node.items():
                yield key
                yield from keys(value)
        elif isinstance(node, list):
            for value in node:
                yield from keys(value)

    for name in CASES:
        assert all(isinstance(key, str) for key in keys(load(name)))
    assert yaml.safe_load("off: 1") == {False: 1}
