"""Money is whole fen (分, 1/100 yuan), |x| ≤ 2^53 − 1; no amount is ever a float."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused

MAX_FEN = 2**53 - 1  # what a JSON number carries exactly

_YUAN = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?")


class FenField(models.BigIntegerField):
    """Whole fen. Bound it with `fen_range`; a fraction is a mistake, never rounded away."""

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, float) or (isinstance(value, Decimal) and value % 1):
            raise TypeError(f"{self.name} is whole fen, not {value!r}")
        return super().get_prep_value(value)


def fen_range(field: str, name: str, minimum: int = 0) -> models.CheckConstraint:
    """The named CHECK that `field` lies in [minimum, 2^53 − 1]; NULL passes."""
    if not -MAX_FEN <= minimum <= MAX_FEN:
        raise ValueError(f"minimum {minimum} is beyond what an amount can be")
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__gte": minimum, f"{field}__lte": MAX_FEN}),
        name=name,
        violation_error_message=format_lazy(
            _("The amount must be from {minimum} to {maximum} fen."),
            minimum=minimum,
            maximum=MAX_FEN,
        ),
    )


def fen_from_yuan(amount: str | Decimal | int, *, field: str | None = None) -> int:
    """Exact fen of an amount in yuan; full-width digits and grouped thousands are read too.

    Refused: AMOUNT_NOT_A_NUMBER (a float as well: it is not exact), AMOUNT_NOT_WHOLE_FEN,
    AMOUNT_OUT_OF_RANGE.
    """
    number = _decimal(amount)
    if number is None:
        raise Refused(
            "AMOUNT_NOT_A_NUMBER",
            _('This is not an amount in yuan. Write it as text with digits, such as "1234.50".'),
            field=field,
        )
    if number and number.adjusted() > 13:  # from 10^14 yuan; keeps what follows small and exact
        raise _out_of_range(field)
    rounded = round(number, 2)
    if rounded != number:
        raise Refused(
            "AMOUNT_NOT_WHOLE_FEN",
            _("An amount has at most two places after the point: the smallest is 0.01 yuan."),
            field=field,
        )
    fen = int(rounded.scaleb(2))
    if abs(fen) > MAX_FEN:
        raise _out_of_range(field)
    return fen


def _decimal(amount: object) -> Decimal | None:
    """The number, or None for anything that is not exactly one."""
    if isinstance(amount, str):
        text = unicodedata.normalize("NFKC", amount).strip()
        return Decimal(text.replace(",", "")) if _YUAN.fullmatch(text) else None
    if isinstance(amount, int) and not isinstance(amount, bool):
        return Decimal(amount)
    return amount if isinstance(amount, Decimal) and amount.is_finite() else None


def _out_of_range(field: str | None) -> Refused:
    return Refused(
        "AMOUNT_OUT_OF_RANGE",
        format_lazy(_("An amount is at most {maximum} yuan."), maximum=yuan(MAX_FEN)),
        field=field,
        maximum=MAX_FEN,
    )


def yuan(fen: int) -> str:
    """Fen as people read it: 123450 → "1,234.50"."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole:,}.{rest:02d}"


def share_of(fen: int, rate: Decimal) -> int:
    """`rate` of an amount, to the nearest whole fen, half a fen away from zero."""
    numerator, denominator = rate.as_integer_ratio()
    doubled, sign = 2 * abs(fen * numerator), (1 if fen * numerator >= 0 else -1)
    return sign * ((doubled + denominator) // (2 * denominator))


def split(total: int, shares: Sequence[Decimal]) -> list[int]:
    """Split whole fen by shares that sum to exactly 1 (F3), conserving every fen.

    ValueError when the shares do not sum to 1 or one is negative.
    """
    return split_by_weights(total, weights_of(shares))


def weights_of(shares: Sequence[Decimal]) -> list[int]:
    """Whole weights that split as shares do, for who splits many amounts by the same ones.

    ValueError when the shares do not sum to 1.
    """
    exact = [Fraction(share) for share in shares]
    if sum(exact) != 1:
        raise ValueError(f"shares sum to {sum(exact)}, not to 1")
    denominator = math.lcm(*(share.denominator for share in exact))
    return [int(share * denominator) for share in exact]


def split_by_weights(total: int, weights: Sequence[int]) -> list[int]:
    """Split a whole number by whole weights (days of a period): largest remainder.

    Each part is its exact share rounded down, the rest goes one by one to the largest remainders,
    to the earlier of equals. A negative total mirrors the positive one. ValueError when a weight
    is negative or none is positive.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError(f"weights {list(weights)} cannot split anything")
    if total < 0:
        return [-part for part in split_by_weights(-total, weights)]
    exact = [divmod(total * weight, whole) for weight in weights]
    parts = [floor for floor, _remainder in exact]
    left = total - sum(parts)
    by_remainder = sorted(range(len(exact)), key=lambda i: -exact[i][1])  # stable: earlier first
    for i in by_remainder[:left]:
        parts[i] += 1
    return parts
