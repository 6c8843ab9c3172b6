"""How volunteers earn points (L2)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from linli.library.document.parts import Items, Part, Titled


class EarnRule(Titled):
    """What earns points, and how many."""

    points: int = Field(title="Points (积分)", description="Earned each.", ge=1, le=100_000)
    per: Literal["hour", "time"] = Field(
        title="Per (计量)", description="For each attested hour (小时), or each time (次)."
    )


class PointRules(Part):
    earn: Items[EarnRule] = Field(title="Earning (积分获取)", description="What earns points.")
    expire_after_months: int | None = Field(
        default=None,
        title="Expire after (有效月数)",
        description="Months from earning; absent where points never expire.",
        ge=1,
        le=600,
    )
