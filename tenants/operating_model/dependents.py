"""What was agreed under the rules, and what of it a change would no longer fit.

Imports run one way, so the apps above tell this one how to find out: `register`, when they are ready.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from linli.errors import Refused
from tenants.operating_model.rulebook import Rulebook


@dataclass(frozen=True)
class Unfit:
    """An agreement that does not fit the rules, from which day on, and why (its first reason); with what
    people know it by, its community and its days. Not the partner's name: it may be a person."""

    agreement_id: UUID
    partner_id: UUID
    community_id: UUID
    community: str
    starts_on: date
    last_day: date
    since: date
    problem: Refused


Check = Callable[[Rulebook, Rulebook, date], list[Unfit]]
_checks: list[Check] = []


def register(check: Check) -> None:
    """``check(before, after, since)``: what fits the one rulebook and no longer the other, from a day
    on. It asks for nothing but its own rows."""
    if check not in _checks:
        _checks.append(check)


def unfit(before: Rulebook, after: Rulebook, since: date) -> list[Unfit]:
    """What a change from one rulebook to the other would leave running that no longer fits."""
    return [one for check in _checks for one in check(before, after, since)]
