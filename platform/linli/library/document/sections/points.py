"""How volunteers earn points, and what they get for them (L2, L3)."""

from __future__ import annotations

from typing import Literal

from linli.library.document.parts import Items, Part, Titled
from linli.library.document.wording import field

_EACH = {
    "hour": ("hour", "每小时"),
    "time": ("time", "每次"),
    "item": ("item", "每件"),
}


class EarnRule(Titled):
    """What earns points, and how many."""

    points: int = field(
        ("Points", "积分"),
        ("Earned each.", "每次获得的积分。"),
        unit="points",
        example=10,
        ge=1,
        le=100_000,
    )
    per: Literal["hour", "time"] = field(
        ("Per", "计量"),
        ("For each attested hour, or each time.", "按经确认的每小时，或每次。"),
        labels={each: _EACH[each] for each in ("hour", "time")},
    )
    most_a_month: int | None = field(
        ("At most a month", "每月上限"),
        ("Of one person by this rule; absent: no cap.", "一人按此规则每月最多获得；不填为不限。"),
        unit="points", example=200, default=None, ge=1, le=10**6,
    )  # fmt: skip


class RedeemRule(Titled):
    """What points are good for."""

    kind: Literal["goods", "service", "discount", "parking", "check_up", "other"] = field(
        ("Kind", "类型"),
        ("What is given for them.", "兑换什么。"),
        labels={
            "goods": ("goods", "物品"),
            "service": ("a service", "服务"),
            "discount": ("a discount", "折扣"),
            "parking": ("parking time", "停车时长"),
            "check_up": ("a check-up", "体检"),
            "other": ("something else", "其他"),
        },
    )
    points: int = field(
        ("Points", "积分"),
        ("Given each.", "每次所需的积分。"),
        unit="points",
        example=50,
        ge=1,
        le=10**6,
    )
    per: Literal["hour", "time", "item"] = field(
        ("Per", "计量"),
        ("For an hour, a time or an item.", "按小时、次或件。"),
        labels=_EACH,
        default="time",
    )
    worth_fen: int | None = field(
        ("Worth", "价值"),
        ("What it is settled at with whoever honours it, in fen.", "与兑付方结算的金额，单位为分。"),
        unit="fen", example=500, default=None, ge=0, le=10**9,
    )  # fmt: skip


class PointRules(Part):
    earn: Items[EarnRule] = field(("Earning", "积分获取"), ("What earns points.", "如何获得积分。"))
    expire_after_months: int | None = field(
        ("Expire after", "有效月数"),
        ("Months from earning; absent where points never expire.", "自获得起的月数；长期有效的不填。"),
        unit="months", example=24, default=None, ge=1, le=600,
    )  # fmt: skip
    redeem: Items[RedeemRule] = field(
        ("Redeeming", "积分兑换"), ("What points are good for.", "积分可以换什么。"), default=()
    )
    most_held: int | None = field(
        ("Held at most", "持有上限"),
        ("The most one person may hold; absent: no cap.", "一人最多可持有；不填为不限。"),
        unit="points", example=5000, default=None, ge=1, le=10**9,
    )  # fmt: skip
    fen_per_point: int | None = field(
        ("Worth of a point", "每分价值"),
        (
            "At which points are settled, in fen; absent: only what a redeem rule says.",
            "积分结算的价值，单位为分；不填则以兑换规则为准。",
        ),
        unit="fen", example=10, default=None, ge=1, le=10**6,
    )  # fmt: skip
    accepted: Literal["community", "unit", "agreed_units"] = field(
        ("Accepted", "通兑范围"),
        (
            "Where points may be redeemed that were earned elsewhere.",
            "在别处获得的积分可在什么范围内兑换。",
        ),
        labels={
            "community": ("in the own community", "本社区"),
            "unit": ("in all communities of the unit", "本街道各社区"),
            "agreed_units": ("in other units too where both agree", "双方约定的其他单位"),
        },
        default="unit",
    )
