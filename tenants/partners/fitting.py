"""Agreements held against rules that came after them (P3): pure but for reading the agreements.

An agreement does not fit where its rule is gone or not offered for its mode, where its rate is none
for the rule or outside the bounds, and where more rent-free months than may be granted are still to
come. The rule of a day that is past is not asked: past days keep theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from linli.errors import Refused
from linli.library.layers import Effective
from tenants.operating_model.dependents import Unfit
from tenants.operating_model.rulebook import Rulebook
from tenants.partners.models import Agreement
from tenants.partners.terms import add_months, check_rate, check_rent_free, rule_of


class Running(NamedTuple):
    """An agreement with what its rules are held against, and whose it is."""

    pk: UUID
    partner_id: UUID
    community_id: UUID
    community: str
    mode: str
    rule_key: str
    agreed_rate: Decimal | None
    rent_free_months: int
    starts_on: date
    ends_on: date


_COLUMNS = {
    "community_id": "partner__community_id",
    "community": "partner__community__name",
}


def running(since: date, communities: Collection[UUID] | None = None) -> Iterator[Running]:
    """The agreements that run on a day or begin after it, by their days: one query."""
    rows = Agreement.objects.filter(ends_on__gt=since).order_by("starts_on", "pk")
    if communities is not None:
        rows = rows.filter(partner__community__in=communities)
    columns = [_COLUMNS.get(name, name) for name in Running._fields]
    return map(Running._make, rows.values_list(*columns).iterator())


def no_longer_fitting(before: Rulebook, after: Rulebook, since: date) -> list[Unfit]:
    """What fits the one rulebook and no longer the other, from a day on, each once, on the first day
    on which it does not; whatever the number of agreements, one query."""
    was, now = _Fitting(before), _Fitting(after)
    found = []
    for one in running(since):
        for day in now.days(max(since, one.starts_on), one.ends_on):
            problem = now.problem(one, day)
            if problem is None:
                continue
            known = was.problem(one, day)
            if known is None or known.code != problem.code:
                found.append(_unfit(one, day, problem))
                break
    return found


def not_fitting(book: Rulebook, on: date, communities: Collection[UUID] | None) -> list[Unfit]:
    """The agreements that run on a day and do not fit the rules in force on it: one query."""
    rules = _Fitting(book)
    found = []
    for one in running(on, communities):
        problem = rules.problem(one, on) if one.starts_on <= on else None
        if problem is not None:
            found.append(_unfit(one, on, problem))
    return found


def _unfit(one: Running, since: date, problem: Refused) -> Unfit:
    last_day = one.ends_on - timedelta(1)
    return Unfit(
        one.pk,
        one.partner_id,
        one.community_id,
        one.community,
        one.starts_on,
        last_day,
        since,
        problem,
    )


@dataclass
class _Fitting:
    """One rulebook asked again and again: what it has answered once is kept."""

    book: Rulebook
    _rules: dict[tuple[date, UUID], Effective | None] = field(default_factory=dict)
    _said: dict[tuple[Effective, str, str, Decimal | None], Refused | None] = field(
        default_factory=dict
    )

    def days(self, starts_on: date, ends_on: date) -> Iterator[date]:
        """The first of these days, and those on which something is replaced."""
        yield starts_on
        yield from (day for day in self.book.days_of_change(starts_on) if day < ends_on)

    def problem(self, one: Running, day: date) -> Refused | None:
        """Why it does not fit on a day; None where it does, or where no model is in force."""
        rules = self._effective(day, one.community_id)
        if rules is None:
            return None
        key = (rules, one.mode, one.rule_key, one.agreed_rate)
        if key not in self._said:
            self._said[key] = _refusal(rules, one)
        if self._said[key] is not None:
            return self._said[key]
        last_free = add_months(one.starts_on, one.rent_free_months) - timedelta(1)
        if one.rent_free_months and last_free >= day:
            try:
                check_rent_free(rules, one)
            except Refused as refused:
                return refused
        return None

    def _effective(self, day: date, community_id: UUID) -> Effective | None:
        key = (day, community_id)
        if key not in self._rules:
            there = self.book.adoption(day) is not None
            self._rules[key] = self.book.effective(day, community_id) if there else None
        return self._rules[key]


def _refusal(rules: Effective, one: Running) -> Refused | None:
    try:
        check_rate(rules, one, rule_of(rules, one))
    except Refused as refused:
        return refused
    return None
