"""Services and at what prices they are offered (S)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from linli.library.document.parts import Items, Part, Text


class PriceClass(Part):
    """Free, low-cost or market (公益、低偿、市场)."""

    key: Literal["free", "low_cost", "market"] = Field(
        title="Key (标识)", description="Which of the three."
    )
    title: Text = Field(title="Title (名称)", description="What people read.")
    ceiling_fen: int | None = Field(
        default=None,
        title="Ceiling (价格上限)",
        description="The most one use may cost, in fen; absent where there is none.",
        ge=0,
        le=10**9,
    )


class ServiceRules(Part):
    price_classes: Items[PriceClass] = Field(
        title="Price classes (价格类别)",
        description="The classes a service may be offered in.",
        min_length=1,
    )
