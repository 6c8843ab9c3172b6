"""What people and programs send by mistake: each refused with its path, what is wrong and what would
be right, in both languages (issue 4, bad input)."""

import json
from pathlib import Path

import pytest
from django.utils import translation

from linli.errors import Refused
from linli.library.document import parse_document

SOURCE = (Path(__file__).parent / "chengnan.json").read_text()
RATE = "partners.contributions[stationed].rate"


def with_rate(written):
    return SOURCE.replace('"rate": "0.03"', f'"rate": {written}')


def deep(levels):
    return "[" * levels + "]" * levels


def with_uses(count):
    """Each of them with a title of 600 bytes, as long as one may be."""
    document = json.loads(SOURCE)
    document["fund"]["uses"] = [
        {"key": f"use{n}", "title": {"zh": "长" * 200}} for n in range(count)
    ]
    return json.dumps(document, ensure_ascii=False)


REAL_5_MB = with_uses(8_000)

BAD = {
    "5 MB": (
        REAL_5_MB,
        "document",
        "The document comes in 5129915 bytes, and 262144 at most are read. Leave out what is not "
        "needed.",
        "发来的文档有 5129915 字节，最多读取 262144 字节。请去掉不需要的内容。",
    ),
    "100 levels deep": (
        SOURCE.replace('"pass_line": 60', f'"pass_line": {deep(100)}'),
        "evaluation.pass_line" + "[0]" * 30,
        "A document is at most 32 levels deep. Nest this less.",
        "文档最多嵌套 32 层。请减少此处的嵌套。",
    ),
    "a key twice": (
        SOURCE.replace('"pass_line": 60', '"pass_line": 60, "pass_line": 70'),
        "evaluation.pass_line",
        "This key stands twice in one object. Keep one of them.",
        "同一对象中该键重复出现，请只保留一个。",
    ),
    "NaN": (
        SOURCE.replace('"pass_line": 60', '"pass_line": NaN'),
        "evaluation.pass_line",
        "Only text, whole numbers up to 2^53 − 1, true, false, null, lists and objects stand in a "
        "document.",
        None,
    ),
    "infinity": (
        SOURCE.replace('"fee_fen": 5000', '"fee_fen": -Infinity'),
        "partners.contributions[visiting].fee_fen",
        "Only text, whole numbers up to 2^53 − 1, true, false, null, lists and objects stand in a "
        "document.",
        None,
    ),
    "a rate in per cent": (
        with_rate('"3%"'),
        RATE,
        'A rate is a decimal fraction as text. Write "0.03" in place of 3%.',
        '比例是文本形式的小数。请把 3% 写成 "0.03"。',
    ),
    "a rate as a number": (
        with_rate("0.03"),
        RATE,
        'A rate is a decimal fraction as text. Write "0.03" in place of 0.03.',
        '比例是文本形式的小数。请把 0.03 写成 "0.03"。',
    ),
    "weights that sum to 1.1": (
        SOURCE.replace('"weight": "0.6"', '"weight": "0.7"'),
        "evaluation.criteria",
        "These must sum to exactly 1; the weight values sum to 1.1: 0.1 too much.",
        "各项之和须恰为 1；现在“权重”之和为 1.1，多了 0.1。",
    ),
    "a waterfall of 99.99 %": (
        SOURCE.replace('"share": "0.4"', '"share": "0.3999"'),
        "fund.waterfall",
        "These must sum to exactly 1; the share values sum to 0.9999: 0.0001 is missing.",
        "各项之和须恰为 1；现在“比例”之和为 0.9999，少了 0.0001。",
    ),
    "a rate with a comma": (
        with_rate('"0,03"'),
        RATE,
        'A rate is a decimal fraction as text. Write "0.03" in place of 0,03.',
        '比例是文本形式的小数。请把 0,03 写成 "0.03"。',
    ),
    "a key that stands nowhere else": (
        SOURCE.replace('"kind": "enterprise"', '"kind": "shop"'),
        "partners.incentives[exposure].kind",
        "There is no “shop” in partners.kinds. Choose one of: party_organisation, enterprise, "
        "social_organisation, skilled_resident, department.",
        "“合伙人 › 合伙人类别”（partners.kinds）中没有“shop”。请从中选择：party_organisation, "
        "enterprise, social_organisation, skilled_resident, department。",
    ),
    "points that no month takes": (
        SOURCE.replace('"points": 10', '"points": 10, "most_a_month": 1'),
        "points.earn[volunteering].points",
        "10 is above points.earn[volunteering].most_a_month, which is 1. Write at most 1, or raise "
        "points.earn[volunteering].most_a_month.",
        "10 高于“积分 › 积分获取 › volunteering › 每月上限”（points.earn[volunteering]"
        ".most_a_month）的 1。请写不超过 1 的数，或提高“积分 › 积分获取 › volunteering › 每月上限”"
        "（points.earn[volunteering].most_a_month）。",
    ),
    "two rules that contradict": (
        SOURCE.replace(
            '"rent_free_months": 18',
            '"rent_free_months": 18, "agreement": {"longest_term_months": 12}',
        ),
        "partners.rent_free_months",
        "18 is above partners.agreement.longest_term_months, which is 12. Write at most 12, or "
        "raise partners.agreement.longest_term_months.",
        "18 高于“合伙人 › 合作协议 › 最长期限”（partners.agreement.longest_term_months）的 12。请写"
        "不超过 12 的数，或提高“合伙人 › 合作协议 › 最长期限”（partners.agreement"
        ".longest_term_months）。",
    ),
}


@pytest.mark.parametrize(("text", "path", "english", "chinese"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_with_what_would_be_right(text, path, english, chinese):
    with pytest.raises(Refused) as refused:
        parse_document(text)
    assert refused.value.code == "DOCUMENT_INVALID"
    [cause] = refused.value.causes
    assert cause.field == path
    with translation.override("en"):
        assert str(cause.message) == english
    with translation.override("zh-hans"):
        told = str(cause.message)
    assert told == chinese or chinese is None
    assert told != english
    assert json.dumps(cause.data)


def test_the_good_one_is_read():
    assert parse_document(SOURCE)
