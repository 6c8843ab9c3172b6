"""Services: at what prices they are offered, and how they are rated (S1, S4)."""

from __future__ import annotations

from typing import Literal

from linli.library.document.parts import Choices, Items, Part, Rate, Text, Titled
from linli.library.document.wording import field

PriceKey = Literal["free", "low_cost", "market"]
_PRICES = {
    "free": ("free", "公益"),
    "low_cost": ("low-cost", "低偿"),
    "market": ("market", "市场"),
}


class PriceClass(Part):
    """Free, low-cost or market (公益、低偿、市场)."""

    key: PriceKey = field(
        ("Key", "标识"), ("Which of the three.", "三类中的哪一类。"), labels=_PRICES
    )
    title: Text = field(("Title", "名称"), ("What people read.", "供人阅读的名称。"))
    ceiling_fen: int | None = field(
        ("Ceiling", "价格上限"),
        (
            "The most one use may cost, in fen; absent where there is none.",
            "每次使用的最高价格，单位为分；没有上限的不填。",
        ),
        unit="fen", example=0, default=None, ge=0, le=10**9,
    )  # fmt: skip


class Discount(Titled):
    """Who pays less (减免)."""

    reduction: Rate = field(
        ("Reduction", "减免比例"),
        ("Taken off the price: 0.2 is a fifth less.", "从价格中减去的比例：0.2即八折。"),
        unit="share", example="0.2",
    )  # fmt: skip
    classes: Choices[PriceKey] = field(
        ("Price classes", "适用价格类别"),
        ("The classes it is taken off.", "适用于哪些价格类别。"),
        labels=_PRICES, default=("low_cost", "market"),
    )  # fmt: skip
    age_from: int | None = field(
        ("From age", "起始年龄"),
        ("From this age on; absent: by what it is called.", "达到此年龄即可享受；不填则按名称认定。"),
        unit="years", example=80, default=None, ge=1, le=120,
    )  # fmt: skip


class RatingLevel(Titled):
    """One level of the scale that residents rate on."""

    score: int = field(
        ("Score", "得分"),
        ("What it counts, of 100.", "计多少分（满分100）。"),
        unit="score", example=80, ge=0, le=100,
    )  # fmt: skip
    fault: bool = field(
        ("Names a fault", "指出问题"),
        (
            "true: it says what went wrong, and a follow-up is opened.",
            "“是”表示指出了问题，须跟进处理。",
        ),
        default=False,
    )


class RatingScale(Part):
    """How residents rate a service."""

    levels: Items[RatingLevel] = field(
        ("Levels", "等级"),
        (
            "Any number of labelled levels, some of which may name a fault.",
            "任意数量的等级，其中可有指出问题的等级。",
        ),
        default=(),
    )
    follow_up_days: int | None = field(
        ("Follow-up", "回访期限"),
        ("Days to answer a rating that names a fault.", "对指出问题的评价予以回复的天数。"),
        unit="days", example=7, default=None, ge=1, le=90,
    )  # fmt: skip


class ServiceRules(Part):
    price_classes: Items[PriceClass] = field(
        ("Price classes", "价格类别"),
        ("The classes a service may be offered in.", "服务可采用的价格类别。"),
        min_length=1,
    )
    discounts: Items[Discount] = field(
        ("Discounts", "减免"), ("Who pays less.", "谁可以少付。"), default=()
    )
    ratings: RatingScale = field(
        ("Ratings", "服务评价"),
        ("How residents rate a service.", "居民如何评价服务。"),
        default=RatingScale(),
    )
