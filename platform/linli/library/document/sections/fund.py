"""How income is split, spent and decided on (F)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from linli.library.document.parts import Items, Part, Rate, Titled, sums_to_one


class WaterfallShare(Titled):
    """One part into which all income is split."""

    share: Rate = Field(
        title="Share (比例)", description="Of each income; all shares sum to exactly 1."
    )


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise PydanticCustomError("odd", "odd")
    return value


class Committee(Part):
    """The fund committee (基金管委会)."""

    min_members: Annotated[int, AfterValidator(_odd)] = Field(
        title="Members at least (最少人数)",
        description="An odd number, 3 or more.",
        ge=3,
        le=99,
    )


class FundRules(Part):
    uses: Items[Titled] = Field(
        title="Uses (资金用途)", description="What the fund may be spent on.", min_length=1
    )
    waterfall: Annotated[Items[WaterfallShare], sums_to_one("share")] = Field(
        title="Waterfall (收入分配)",
        description="How each income is split; the odd fen goes to the largest remainder.",
        min_length=1,
    )
    committee: Committee = Field(
        title="Committee (基金管委会)", description="Who decides on spending."
    )
