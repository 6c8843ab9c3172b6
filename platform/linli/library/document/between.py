"""What rules between fields have in common: keys that have to stand elsewhere, and limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from linli.errors import Refused
from linli.library.document.faults import own_fault


def unknown(
    field: str, values: Iterable[str | None], place: str, known: Iterable[str]
) -> Iterator[Refused]:
    """A fault at `field` for each of `values` that is no key of an item at `place`; None is none."""
    allowed = list(known)
    for value in values:
        if value is not None and value not in allowed:
            kind = "unknown" if allowed else "unknown_none"
            yield own_fault(kind, field, value=value, place=place, allowed=allowed)


def above(field: str, value: int | None, other: str, most: int | None) -> Iterator[Refused]:
    """A fault where a number is above the one at the path `other`; None is without limit."""
    if value is not None and most is not None and value > most:
        yield own_fault("above", field, value=value, other=other, most=most)
