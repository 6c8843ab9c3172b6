"""What one rule asks for, in whole fen. Pure.

Rounding, each once a line: a share to the nearest fen, half a fen upwards. A year's amount (a fixed
fee, a minimum, a maximum) is spread over the days of its calendar year by largest remainder: every
day has as many whole fen, and the odd ones, whose remainders are all equal, go evenly through the
year. So a year sums to its amount exactly, wherever it is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from linli.library.document.sections.contributions import Band


def of_days(year_fen: int, starts_on: date, ends_on: date) -> int:
    """The part of an amount a year that falls on the days [starts_on, ends_on)."""
    total = 0
    for year in range(starts_on.year, ends_on.year + 1):
        new_year, next_year = date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()
        days = next_year - new_year
        first = max(starts_on.toordinal(), new_year) - new_year
        after = min(ends_on.toordinal(), next_year) - new_year
        total += year_fen * after // days - year_fen * first // days
    return total


def reached(base_fen: int, counting: str, bands: Sequence[Band]) -> list[tuple[Band, int]]:
    """The bands that a base reaches, each with the part of the base that its rate applies to."""
    here = [band for band in bands if band.from_fen <= base_fen]
    if counting == "whole":
        return [(here[-1], base_fen)]
    ends = [band.from_fen for band in here[1:]] + [base_fen]
    return [(band, end - band.from_fen) for band, end in zip(here, ends, strict=True)]


def by_bands(parts: Sequence[tuple[Band, int]], base_fen: int, whole_fen: int) -> int:
    """What bands ask for ``base_fen`` of a period's ``whole_fen``, whose bands these are.

    The whole period decides which bands are reached; a part of it pays that part of what the whole
    would: a cut neither spares a band nor adds one.
    """
    if whole_fen == 0:
        return 0
    numerator, denominator = 0, 10**6 * whole_fen  # a rate has at most six places
    for band, fen in parts:
        numerator += int(band.rate.scaleb(6)) * fen
    return (2 * numerator * base_fen + denominator) // (2 * denominator)


def plain_rate(rate: Decimal) -> str:
    """A rate as a line keeps it."""
    return f"{rate.normalize():f}"
