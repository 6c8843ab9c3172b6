"""The notice that something will go: a ``deprecation_reason`` that carries its dates.

``name = graphene.String(deprecation_reason=notice("2026-12-01", "2027-06-01", "Use title."))``
"""

import re
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
    given = Notice(date.fromisoformat(found[1]), date.fromisoformat(found[2]), found[3])
    if given.removed_after < _months_later(given.since):
        raise NoNotice(f"{reason!r} gives less than {MONTHS} months")
    return given


def _months_later(day: date) -> date:
    years, month = divmod(day.month - 1 + MONTHS, 12)
    # No month is shorter than 28 days; a day or two more or less is nobody's half year.
    return date(day.year + years, month + 1, min(day.day, 28))
