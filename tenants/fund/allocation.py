"""How income is split over the held accounts (F3): pure, and exact to the fen."""

from collections.abc import Sequence

from linli.library.document.sections.fund import WaterfallShare
from linli.money import split
from tenants.fund.ledger import Leg
from tenants.fund.models import Posting

INFLOW = "held:inflow"


def held(key: str) -> str:
    """The account that holds one share of the waterfall."""
    return f"held:{key}"


def waterfall_legs(amount_fen: int, waterfall: Sequence[WaterfallShare]) -> list[Leg]:
    """From the inflow to each share, by largest remainder; a share of no fen moves nothing.

    The legs sum to ``amount_fen``: every fen of an income is allocated the moment it comes in.
    """
    parts = split(amount_fen, [item.share for item in waterfall])
    return [
        Leg(INFLOW, held(item.key), part, Posting.Kind.ALLOCATION)
        for item, part in zip(waterfall, parts, strict=True)
        if part
    ]
