"""How income is split over the held accounts (F3): pure, and exact to the fen."""

import math
from collections.abc import Sequence

from linli.library.document.sections.fund import WaterfallShare
from linli.money import split
from tenants.fund.ledger import Leg
from tenants.fund.models import Posting

INFLOW = "held:inflow"


def held(key: str) -> str:
    """The account that holds one share of the waterfall."""
    return f"held:{key}"


def waterfall_legs(
    amount_fen: int, waterfall: Sequence[WaterfallShare], rest_to: str | None = None
) -> list[Leg]:
    """From the inflow to each share; a share of no fen moves nothing.

    rest_to: the share that takes the fen that rounding leaves over; by largest remainder else.
    The legs sum to ``amount_fen``: every fen of an income is allocated the moment it comes in.
    """
    if rest_to is None:
        parts = split(amount_fen, [item.share for item in waterfall])
    else:
        parts = [math.floor(amount_fen * item.share) for item in waterfall]
        parts[[item.key for item in waterfall].index(rest_to)] += amount_fen - sum(parts)
    return [
        Leg(INFLOW, held(item.key), part, Posting.Kind.ALLOCATION)
        for item, part in zip(waterfall, parts, strict=True)
        if part
    ]
