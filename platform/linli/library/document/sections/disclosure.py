"""What is made public, and how soon (X1)."""

from __future__ import annotations

from typing import Literal

from linli.library.document.parts import Choices, Items, Part, Text
from linli.library.document.wording import field

Disclosable = Literal[
    "balance", "movements", "contributions", "donations", "decisions", "evaluations"
]


class Disclosed(Part):
    """Something made public, and how soon."""

    key: Disclosable = field(
        ("Key", "标识"),
        (
            "The fund's balance and movements, partners' contributions, donations and their use, "
            "the committee's decisions, evaluations.",
            "基金余额与收支、合伙人反哺、捐赠及其使用、管委会决议、评价结果。",
        ),
        labels={
            "balance": ("the fund's balance", "基金余额"),
            "movements": ("the fund's movements", "基金收支"),
            "contributions": ("partners' contributions", "合伙人反哺"),
            "donations": ("donations and their use", "捐赠及使用"),
            "decisions": ("the committee's decisions", "管委会决议"),
            "evaluations": ("evaluations", "评价结果"),
        },
    )
    title: Text = field(("Title", "名称"), ("What people read.", "供人阅读的名称。"))
    within_days: int = field(
        ("Within days", "公开期限"),
        ("Days from the event to its publication.", "自事项发生至公开的天数。"),
        unit="days", example=7, ge=0, le=365,
    )  # fmt: skip
    where: Choices[Literal["site", "notice_board", "meeting"]] = field(
        ("Where", "公开渠道"),
        ("Where it is made public.", "在哪里公开。"),
        labels={
            "site": ("the public site", "公开网站"),
            "notice_board": ("the notice board", "公示栏"),
            "meeting": ("a meeting", "会议通报"),
        },
        default=("site",),
    )


class DisclosureRules(Part):
    items: Items[Disclosed] = field(
        ("Items", "公开事项"), ("What is made public.", "公开哪些内容。"), min_length=1
    )
    donors: Literal["as_they_wish", "named"] = field(
        ("Donors", "捐赠人"),
        (
            "as_they_wish: who wants to stays unnamed; named: whoever gives agrees to be named.",
            "可选择匿名；或捐赠即同意公开姓名。",
        ),
        labels={
            "as_they_wish": ("as they wish", "可选择匿名"),
            "named": ("named", "公开姓名"),
        },
        default="as_they_wish",
    )
