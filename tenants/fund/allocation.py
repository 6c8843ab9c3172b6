"""How income is split over the held accounts (F3): pure, and exact to the fen.

The ledger and a what-if both go by it.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from linli.library.document.sections.fund import FundRules
from linli.money import split_by_weights, weights_of
from tenants.fund.ledger import Leg
from tenants.fund.models import Posting

INFLOW = "held:inflow"


def held(key: str) -> str:
    """The account that holds one share of the waterfall."""
    return f"held:{key}"


@dataclass(frozen=True)
class Waterfall:
    """The shares of a waterfall, by key and in its order, together 1.

    rest_to: the share that takes the fen that rounding leaves over; by largest remainder else.
    """

    shares: tuple[tuple[str, Decimal], ...]
    rest_to: str | None = None

    @cached_property
    def keys(self) -> list[str]:
        return [key for key, _share in self.shares]

    @cached_property
    def _weights(self) -> list[int]:
        return weights_of([share for _key, share in self.shares])

    def parts(self, amount_fen: int) -> list[int]:
        """What each share gets: every fen of the amount."""
        if self.rest_to is None:
            return split_by_weights(amount_fen, self._weights)
        whole = sum(self._weights)
        parts = [amount_fen * weight // whole for weight in self._weights]
        parts[self.keys.index(self.rest_to)] += amount_fen - sum(parts)
        return parts


def waterfall_of(fund: FundRules) -> Waterfall:
    """As a model lays it down."""
    return Waterfall(tuple((one.key, one.share) for one in fund.waterfall), fund.rest_to)


def waterfall_legs(amount_fen: int, waterfall: Waterfall) -> list[Leg]:
    """From the inflow to each share; a share of no fen moves nothing.

    The legs sum to ``amount_fen``: every fen of an income is allocated the moment it comes in.
    """
    return [
        Leg(INFLOW, held(key), part, Posting.Kind.ALLOCATION)
        for key, part in zip(waterfall.keys, waterfall.parts(amount_fen), strict=True)
        if part
    ]
