"""What partners pay back into the fund (反哺, P4).

A rule is a share of a base, a fee per session, a fixed fee a year, a share by bands, something in
kind, or several of these combined. An agreement names one rule.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from linli.library.document.parts import Choices, Items, Key, Part, Rate, Text, Titled

Mode = Literal["stationed", "visiting"]
Base = Literal["takings", "net_income", "profit"]

MOST_FEN = 10**11  # a year: a billion yuan


def _type(description: str) -> Any:
    return Field(title="Type (类型)", description=description)


# What several rules have in common.
_Modes = Annotated[
    Choices[Mode],
    Field(title="Modes (合作方式)", description="The engagement modes this rule is offered to."),
]
_Base = Annotated[
    Base,
    Field(
        title="Base (计算基数)",
        description="What the share is taken of: takings (营业额), net income (净收入), profit (利润).",
    ),
]
_Rate = Annotated[
    Rate, Field(title="Rate (比例)", description="As a decimal fraction: 0.03 is 3 %.")
]
_Minimum = Annotated[
    int | None,
    Field(
        title="Minimum (每年最低金额)",
        description="The least that is owed for a year, in fen; of a declared period the part that "
        "falls on its days. Absent where there is none.",
        ge=0,
        le=MOST_FEN,
    ),
]
_Maximum = Annotated[
    int | None,
    Field(
        title="Maximum (每年最高金额)",
        description="The most that is owed for a year, in fen; of a declared period the part that "
        "falls on its days. Absent where there is none.",
        ge=0,
        le=MOST_FEN,
    ),
]


class ShareRule(Titled):
    """A share of what the partner declares (按比例反哺)."""

    type: Literal["share"] = _type("A share of a base.")
    modes: _Modes
    base: _Base
    rate: _Rate
    minimum_fen: _Minimum = None
    maximum_fen: _Maximum = None


class PerSessionRule(Titled):
    """A fee for each session held (按场次反哺)."""

    type: Literal["per_session"] = _type("A fee per session.")
    modes: _Modes
    fee_fen: int = Field(
        title="Fee (每场金额)", description="For one session, in fen.", ge=0, le=10**9
    )
    minimum_fen: _Minimum = None
    maximum_fen: _Maximum = None


class FixedRule(Titled):
    """The same each year, by calendar days (固定反哺)."""

    type: Literal["fixed"] = _type("A fixed fee a year.")
    modes: _Modes
    fee_fen: int = Field(
        title="Fee (每年金额)",
        description="For one calendar year, in fen; a period owes the part of its days.",
        ge=0,
        le=MOST_FEN,
    )
    minimum_fen: _Minimum = None
    maximum_fen: _Maximum = None


class Band(Part):
    """From an amount of the base on, another rate (分档)."""

    key: Key
    from_fen: int = Field(
        title="From (起点金额)",
        description="The amount of the base in the declared period from which on the band begins, "
        "in fen; 0 for the first.",
        ge=0,
        le=2**53 - 1,
    )
    rate: _Rate


class TieredRule(Titled):
    """A share by bands of the base over the declared period (分档反哺)."""

    type: Literal["tiered"] = _type("A share by bands.")
    modes: _Modes
    base: _Base
    counting: Literal["marginal", "whole"] = Field(
        title="Counting (计算方式)",
        description="marginal: each band's rate on the part of the base within it (超额累进); "
        "whole: the rate of the band that the base reaches, on all of it (全额累进).",
    )
    bands: Items[Band] = Field(
        title="Bands (分档)",
        description="The lowest first, which begins at 0; each begins above the one before it.",
        min_length=1,
    )
    minimum_fen: _Minimum = None
    maximum_fen: _Maximum = None


class InKindRule(Titled):
    """Something else than money (实物或服务反哺); it owes 0 fen."""

    type: Literal["in_kind"] = _type("In kind: no money is owed.")
    modes: _Modes
    gives: Text = Field(
        title="Gives (所给)", description="What is given, such as two free clinics a month."
    )
    valued: Text = Field(
        title="Valued (计价方式)",
        description="How its worth is told, such as by the price list of its own counter.",
    )


class CombinedRule(Titled):
    """Several rules at once, all of which count (组合反哺)."""

    type: Literal["combined"] = _type("Several rules together.")
    modes: _Modes
    of: Choices[Key] = Field(
        title="Of (由哪些规则组成)",
        description="Keys of other rules, none combined itself. Each counts, within its own minimum "
        "and maximum; those of this rule hold for the sum.",
    )
    minimum_fen: _Minimum = None
    maximum_fen: _Maximum = None


ContributionRule = Annotated[
    ShareRule | PerSessionRule | FixedRule | TieredRule | InKindRule | CombinedRule,
    Field(discriminator="type"),
]
SimpleRule = ShareRule | PerSessionRule | FixedRule | TieredRule | InKindRule  # what combines
