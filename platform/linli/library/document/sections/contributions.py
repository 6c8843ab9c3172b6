"""What partners pay back into the fund (反哺, P4).

A rule is a share of a base, a fee per session, a fixed fee a year, a share by bands, something in
kind, or several of these combined. An agreement names one rule.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from linli.library.document.parts import Choices, Items, Key, Part, Rate, Text, Titled
from linli.library.document.wording import Both, field

Mode = Literal["stationed", "visiting"]
Base = Literal["takings", "net_income", "profit"]

MOST_FEN = 10**11  # a year: a billion yuan


_TYPES = {
    "share": ("a share", "按比例"),
    "per_session": ("a fee per session", "按场次"),
    "fixed": ("a fixed fee a year", "每年固定"),
    "tiered": ("a share by bands", "分档"),
    "in_kind": ("in kind", "实物或服务"),
    "combined": ("several rules together", "组合"),
}


def _type(name: str, description: Both) -> Any:
    return field(("Type", "类型"), description, labels={name: _TYPES[name]})


# What several rules have in common.
_Modes = Annotated[
    Choices[Mode],
    field(
        ("Modes", "合作方式"),
        ("The engagement modes this rule is offered to.", "此规则适用的合作方式。"),
        example=["stationed"],
        labels={"stationed": ("stationed", "常驻"), "visiting": ("visiting", "流动")},
    ),
]
_Base = Annotated[
    Base,
    field(
        ("Base", "计算基数"),
        ("What the share is taken of.", "按什么计算比例。"),
        labels={
            "takings": ("takings", "营业额"),
            "net_income": ("net income", "净收入"),
            "profit": ("profit", "利润"),
        },
    ),
]
_Rate = Annotated[
    Rate,
    field(
        ("Rate", "比例"),
        ("As a decimal fraction: 0.03 is 3 %.", "小数形式：0.03即3%。"),
        unit="share",
        example="0.03",
    ),
]
_Minimum = Annotated[
    int | None,
    field(
        ("Minimum", "每年最低金额"),
        (
            "The least that is owed for a year, in fen; of a declared period the part that falls "
            "on its days. Absent where there is none.",
            "每年最少应反哺的金额，单位为分；按申报期天数折算。不设的不填。",
        ),
        unit="fen",
        example=120000,
        ge=0,
        le=MOST_FEN,
    ),
]
_Maximum = Annotated[
    int | None,
    field(
        ("Maximum", "每年最高金额"),
        (
            "The most that is owed for a year, in fen; of a declared period the part that falls "
            "on its days. Absent where there is none.",
            "每年最多应反哺的金额，单位为分；按申报期天数折算。不设的不填。",
        ),
        unit="fen",
        example=6000000,
        ge=0,
        le=MOST_FEN,
    ),
]


class ShareRule(Titled):
    """A share of what the partner declares (按比例反哺)."""

    type: Literal["share"] = _type("share", ("A share of a base.", "按基数的一定比例。"))
    modes: _Modes
    base: _Base
    rate: _Rate
    minimum_fen: _Minimum = None
    maximum_fen: _Maximum = None


class PerSessionRule(Titled):
    """A fee for each session held (按场次反哺)."""

    type: Literal["per_session"] = _type("per_session", ("A fee per session.", "每场一笔。"))
    modes: _Modes
    fee_fen: int = field(
        ("Fee", "每场金额"),
        ("For one session, in fen.", "每场的金额，单位为分。"),
        unit="fen",
        example=5000,
        ge=0,
        le=10**9,
    )
    minimum_fen: _Minimum = None
    maximum_fen: _Maximum = None


class FixedRule(Titled):
    """The same each year, by calendar days (固定反哺)."""

    type: Literal["fixed"] = _type("fixed", ("A fixed fee a year.", "每年固定金额。"))
    modes: _Modes
    fee_fen: int = field(
        ("Fee", "每年金额"),
        (
            "For one calendar year, in fen; a period owes the part of its days.",
            "每个自然年的金额，单位为分；不足一年的按天数折算。",
        ),
        unit="fen",
        example=1200000,
        ge=0,
        le=MOST_FEN,
    )
    minimum_fen: _Minimum = None
    maximum_fen: _Maximum = None


class Band(Part):
    """From an amount of the base on, another rate (分档)."""

    key: Key = field(
        ("Key", "标识"),
        (
            "Names this band in paths and records; stays the same when amounts change.",
            "在路径和记录中指代此档；金额改变时保持不变。",
        ),
        example="first",
    )
    from_fen: int = field(
        ("From", "起点金额"),
        (
            "The amount of the base in the declared period from which on the band begins, in fen; 0 "
            "for the first.",
            "申报期内基数达到多少即进入此档，单位为分；首档为0。",
        ),
        unit="fen",
        example=0,
        ge=0,
        le=2**53 - 1,
    )
    rate: _Rate


class TieredRule(Titled):
    """A share by bands of the base over the declared period (分档反哺)."""

    type: Literal["tiered"] = _type("tiered", ("A share by bands.", "分档计算的比例。"))
    modes: _Modes
    base: _Base
    counting: Literal["marginal", "whole"] = field(
        ("Counting", "计算方式"),
        (
            "marginal: each band's rate on the part of the base within it; whole: the rate of the "
            "band that the base reaches, on all of it.",
            "超额累进：各档比例只用于该档内的部分；全额累进：达到哪一档，全部按该档比例。",
        ),
        labels={"marginal": ("marginal", "超额累进"), "whole": ("on the whole", "全额累进")},
    )
    bands: Items[Band] = field(
        ("Bands", "分档"),
        (
            "The lowest first, which begins at 0; each begins above the one before it.",
            "从最低一档起，首档从0开始；每档起点高于前一档。",
        ),
        min_length=1,
    )
    minimum_fen: _Minimum = None
    maximum_fen: _Maximum = None


class InKindRule(Titled):
    """Something else than money (实物或服务反哺); it owes 0 fen."""

    type: Literal["in_kind"] = _type(
        "in_kind", ("In kind: no money is owed.", "实物或服务，不涉及金额。")
    )
    modes: _Modes
    gives: Text = field(
        ("Gives", "所给"),
        ("What is given, such as two free clinics a month.", "给予什么，例如每月两次义诊。"),
        example={"zh": "每月两次义诊"},
    )
    valued: Text = field(
        ("Valued", "计价方式"),
        (
            "How its worth is told, such as by the price list of its own counter.",
            "如何认定价值，例如按其柜台价目表。",
        ),
        example={"zh": "按柜台价目表"},
    )


class CombinedRule(Titled):
    """Several rules at once, all of which count (组合反哺)."""

    type: Literal["combined"] = _type("combined", ("Several rules together.", "几条规则合并计算。"))
    modes: _Modes
    of: Choices[Key] = field(
        ("Of", "由哪些规则组成"),
        (
            "Keys of other rules, none combined itself. Each counts, within its own minimum and "
            "maximum; those of this rule hold for the sum.",
            "其他规则的标识，其中不得再有组合规则。各规则按其自身的最低、最高金额计算；本规则的限额用于合计。",
        ),
        example=["share", "fixed"],
    )
    minimum_fen: _Minimum = None
    maximum_fen: _Maximum = None


ContributionRule = Annotated[
    ShareRule | PerSessionRule | FixedRule | TieredRule | InKindRule | CombinedRule,
    Field(discriminator="type"),
]
SimpleRule = ShareRule | PerSessionRule | FixedRule | TieredRule | InKindRule  # what combines
