"""What partners pay back into the fund (反哺, P4)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from linli.library.document.parts import Choices, Rate, Titled

Mode = Literal["stationed", "visiting"]
Base = Literal["takings", "net_income", "profit"]


class ShareRule(Titled):
    """A share of what the partner declares (按比例反哺)."""

    type: Literal["share"] = Field(title="Type (类型)", description="A share of a base.")
    modes: Choices[Mode] = Field(
        title="Modes (合作方式)", description="The engagement modes this rule is offered to."
    )
    base: Base = Field(
        title="Base (计算基数)",
        description="What the share is taken of: takings (营业额), net income (净收入), profit (利润).",
    )
    rate: Rate = Field(title="Rate (比例)", description="As a decimal fraction: 0.03 is 3 %.")


class PerSessionRule(Titled):
    """A fee for each session held (按场次反哺)."""

    type: Literal["per_session"] = Field(title="Type (类型)", description="A fee per session.")
    modes: Choices[Mode] = Field(
        title="Modes (合作方式)", description="The engagement modes this rule is offered to."
    )
    fee_fen: int = Field(
        title="Fee (每场金额)", description="For one session, in fen.", ge=0, le=10**9
    )


ContributionRule = Annotated[ShareRule | PerSessionRule, Field(discriminator="type")]
