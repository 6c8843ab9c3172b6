"""How needs are found out, and the ledgers they are kept in (N2, N3, N4)."""

from __future__ import annotations

from typing import Literal

from linli.library.document.parts import Items, Part, Text, Titled
from linli.library.document.wording import field


class Ledger(Titled):
    """One of the live ledgers (清单)."""

    kind: Literal["needs", "resources", "problems"] = field(
        ("Kind", "类型"),
        ("What it lists.", "列出什么。"),
        labels={
            "needs": ("needs", "需求"),
            "resources": ("resources", "资源"),
            "problems": ("problems", "问题"),
        },
    )


class CareGroup(Titled):
    """Households that need visits, by a colour (分色管理)."""

    colour: Literal["red", "orange", "yellow", "green", "blue", "purple", "grey"] = field(
        ("Colour", "颜色"),
        ("That marks it on the map.", "在图上标注的颜色。"),
        labels={
            "red": ("red", "红"),
            "orange": ("orange", "橙"),
            "yellow": ("yellow", "黄"),
            "green": ("green", "绿"),
            "blue": ("blue", "蓝"),
            "purple": ("purple", "紫"),
            "grey": ("grey", "灰"),
        },
    )
    who: Text = field(("Who", "对象"), ("Whom it is for.", "适用于哪些家庭。"))
    visit_every_days: int | None = field(
        ("Visit every", "走访周期"),
        ("Days from one visit to the next; absent: as needed.", "两次走访相隔的天数；不填为按需。"),
        unit="days", example=30, default=None, ge=1, le=366,
    )  # fmt: skip


class NeedRules(Part):
    """How needs are found out and kept."""

    survey_months: int | None = field(
        ("Survey", "摸排时长"),
        ("Months the first survey takes.", "首次摸排所用的月数。"),
        unit="months", example=3, default=None, ge=1, le=24,
    )  # fmt: skip
    ledgers: Items[Ledger] = field(
        ("Ledgers", "清单"), ("What is listed side by side.", "并列管理的清单。"), default=()
    )
    categories: Items[Titled] = field(
        ("Categories", "需求类别"), ("What needs are grouped by.", "需求如何分类。"), default=()
    )
    care_groups: Items[CareGroup] = field(
        ("Care groups", "关爱分组"),
        ("Households that need visits; each colour once.", "需要走访的家庭；每种颜色只用一次。"),
        default=(),
    )
