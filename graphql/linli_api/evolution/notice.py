"""The notice that something will go: a ``deprecation_reason`` that carries its dates.

``name = graphene.String(deprecation_reason=notice("2026-12-01", "2027-07-01", "Use title."))``

Clients hear of it with a release, so it is from the release that its time is counted: leave some days
between the half year and the release you expect.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

MONTHS = 6
_FORM = re.compile(r"Since (\d{4}-\d\d-\d\d), removed after (\d{4}-\d\d-\d\d)\. (\S.*)", re.DOTALL)


class NoNotice(ValueError):
    """A deprecation without dates, without what to do instead, or at too short a notice."""


@dataclass(frozen=True)
class Notice:
    since: date
    removed_after: date
    instead: str

    def __str__(self) -> str:
        return f"Since {self.since}, removed after {self.removed_after}. {self.instead}"


def notice(since: str, removed_after: str, instead: str) -> str:
    """The reason as the SDL has it; NoNotice where it gives clients less than six months."""
    reason = f"Since {since}, removed after {removed_after}. {instead}"
    read(reason)
    return reason


def read(reason: str) -> Notice:
    """The notice in a reason; NoNotice for any other text."""
    found = _FORM.fullmatch(reason)
    if found is None:
        raise NoNotice(f"{reason!r} is not “Since 2026-12-01, removed after 2027-06-01. Use …”")
    try:
        given = Notice(date.fromisoformat(found[1]), date.fromisoformat(found[2]), found[3])
    except ValueError:
        raise NoNotice(f"{reason!r} names a day that no calendar has") from None
    if given.removed_after < _months_later(given.since):
        raise NoNotice(f"{reason!r} gives less than {MONTHS} months")
    return given


def passed(reason: str, *, today: date) -> bool:
    """Whether what was released with this reason may go today."""
    given = _read_if_any(reason)
    return given is not None and given.removed_after < today


def unfair(before: Mapping[str, str], now: Mapping[str, str], *, today: date) -> Iterator[str]:
    """What is wrong with the reasons that a release of today would be the first to tell, each by what
    it is of: no dates, or a day before six months from today. One that was told may come later, or in
    other words."""
    earliest = _months_later(today)
    for coordinate, reason in now.items():
        told = before.get(coordinate, "")
        if reason == told:
            continue
        try:
            given, known = read(reason), _read_if_any(told)
        except NoNotice as error:
            yield f"{coordinate}: {error}"
            continue
        if given.removed_after < (min(earliest, known.removed_after) if known else earliest):
            yield (
                f"{coordinate}: clients hear of it today, so it stays until {earliest} at least, "
                f"not {given.removed_after}"
            )


def _read_if_any(reason: str) -> Notice | None:
    try:
        return read(reason)
    except NoNotice:
        return None


def _months_later(day: date) -> date:
    """The same day of the month, or the last that it has."""
    years, month = divmod(day.month - 1 + MONTHS, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
