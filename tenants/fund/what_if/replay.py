"""Declarations worked out again, under other rules. What repeats is worked out once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library.document import ContributionRule, PerSessionRule, SimpleRule
from linli.library.layers import Effective
from linli.money import MAX_FEN, yuan
from tenants.fund.allocation import Waterfall, held, waterfall_of
from tenants.fund.what_if.outcome import AccountOutcome, NotWorkedOut, Outcome, PartnerOutcome
from tenants.fund.what_if.reading import Declared, waterfalls
from tenants.partners import working
from tenants.partners.terms import check_rate, parts_of, rule_of, segments_of
from tenants.partners.working import Segment, work_out

RulesOf = Callable[[UUID], Effective]


def replay(rows: Iterable[Declared], starts_on: date, ends_on: date, rules_of: RulesOf) -> Outcome:
    """What these declarations make under ``rules_of`` (a community's), beside what was made of them.

    A declaration counts whole where it lies in [starts_on, ends_on); one that crosses an edge is
    counted as crossing, and left out.
    """
    outcome = Outcome(starts_on, ends_on)
    draft = _Draft(rules_of)
    partners: dict[UUID, PartnerOutcome] = {}
    was, would_be = defaultdict[UUID, list[int]](list), defaultdict[UUID, list[int]](list)
    for row in rows:
        if row.starts_on < starts_on or row.ends_on > ends_on:
            outcome.crossing.declarations += 1
            outcome.crossing.was_fen += row.was_fen
            continue
        partner = partners.get(row.partner_id)
        if partner is None:
            partner = partners[row.partner_id] = PartnerOutcome(partner_id=row.partner_id)
        try:
            owed = draft.owed(row)
        except Refused as refused:
            partner.not_worked_out += 1
            partner.not_worked_out_fen += row.was_fen
            outcome.not_worked_out.append(
                NotWorkedOut(row.pk, row.agreement_id, row.partner_id, row.was_fen, refused)
            )
            continue
        partner.declarations += 1
        partner.was_fen += row.was_fen
        partner.would_be_fen += owed
        was[row.rules_id].append(row.was_fen)
        would_be[row.community_id].append(owed)
    outcome.declarations = sum(partner.declarations for partner in partners.values())
    outcome.total.was_fen = sum(partner.was_fen for partner in partners.values())
    outcome.total.would_be_fen = sum(partner.would_be_fen for partner in partners.values())
    outcome.partners = sorted(
        partners.values(), key=lambda one: (-abs(one.difference_fen), one.partner_id)
    )
    outcome.accounts = _accounts(was, would_be, rules_of)
    return outcome


def _accounts(
    was: dict[UUID, list[int]], would_be: dict[UUID, list[int]], rules_of: RulesOf
) -> list[AccountOutcome]:
    """Each contribution split as if it came in at once and whole: by its own waterfall, and by the
    draft's; the draft's accounts first, in its order."""
    accounts: dict[str, AccountOutcome] = {}

    def of(code: str) -> AccountOutcome:
        return accounts.setdefault(code, AccountOutcome(code=code))

    for community_id, amounts in would_be.items():
        waterfall = waterfall_of(rules_of(community_id).document.fund)
        for key, fen in _split(amounts, waterfall):
            of(held(key)).would_be_fen += fen
    then = waterfalls(was)
    for rules_id, amounts in was.items():
        for key, fen in _split(amounts, then[rules_id]):
            of(held(key)).was_fen += fen
    return list(accounts.values())


def _split(amounts: Sequence[int], waterfall: Waterfall) -> Iterator[tuple[str, int]]:
    """Each amount as the ledger allocates it; summed up by share."""
    sums = [0] * len(waterfall.keys)
    for amount in amounts:
        for place, part in enumerate(waterfall.parts(amount)):
            sums[place] += part
    return zip(waterfall.keys, sums, strict=True)


class _Agreed(NamedTuple):
    """What decides which rule a declaration falls under, and how."""

    mode: str
    rule_key: str
    agreed_rate: Decimal | None
    rent_free_months: int
    starts_on: date


class _Found(NamedTuple):
    rule: ContributionRule
    parts: tuple[SimpleRule, ...]


@dataclass
class _Draft:
    """The draft's answers, each kept for those that ask the same."""

    rules_of: RulesOf
    _rules: dict[UUID, Effective | Refused] = field(default_factory=dict)
    _found: dict[tuple[Effective, str, str, Decimal | None], _Found | Refused] = field(
        default_factory=dict
    )
    _segments: dict[tuple[Effective, _Agreed, date, date], tuple[Segment, ...]] = field(
        default_factory=dict
    )
    _known: dict[str, tuple[bool, bool]] = field(default_factory=dict)

    def owed(self, row: Declared) -> int:
        """What is owed for it. Refused as `declare_income` would, or where what the draft goes by
        was not declared then."""
        rules = self._of(row.community_id)
        agreed = _Agreed(
            row.mode, row.rule_key, row.agreed_rate, row.rent_free_months, row.agreed_from
        )
        key = (rules, agreed, row.starts_on, row.ends_on)
        segments = self._segments.get(key)
        if segments is None:
            rule, parts = self._rule(rules, agreed)
            found = segments_of(agreed, rule, parts, row.starts_on, row.ends_on, "")
            segments = self._segments[key] = tuple(found)
        self._check_known(row, segments)
        declared = working.Declared(
            row.starts_on, row.ends_on, row.income_fen, row.sessions, row.base
        )
        owed = work_out(segments, declared).amount_fen
        if owed > MAX_FEN:
            message = _("An amount is at most {maximum} yuan.")
            raise Refused("AMOUNT_OUT_OF_RANGE", format_lazy(message, maximum=yuan(MAX_FEN)))
        return owed

    def _of(self, community_id: UUID) -> Effective:
        """A community's rules. Refused as ``rules_of`` does, each time."""
        if community_id not in self._rules:
            try:
                self._rules[community_id] = self.rules_of(community_id)
            except Refused as refused:
                self._rules[community_id] = refused
        found = self._rules[community_id]
        if isinstance(found, Refused):
            raise found.with_traceback(None)  # it is raised again and again
        return found

    def _rule(self, rules: Effective, agreed: _Agreed) -> _Found:
        key = (rules, agreed.mode, agreed.rule_key, agreed.agreed_rate)
        if key not in self._found:
            self._found[key] = _find(rules, agreed)
        found = self._found[key]
        if isinstance(found, Refused):
            raise found.with_traceback(None)  # it is raised again and again
        return found

    def _check_known(self, row: Declared, segments: tuple[Segment, ...]) -> None:
        """Whether what is owed for was asked for then: an amount that nobody asked for is no 0."""
        if row.owed_by not in self._known:
            self._known[row.owed_by] = _asked_for(row.owed_by)
        income, sessions = self._known[row.owed_by]
        income, sessions = income or row.income_fen != 0, sessions or row.sessions != 0
        if income and sessions:
            return
        owing = [segment for segment in segments if not segment.rent_free]
        if not income and any(segment.base for segment in owing):
            message = _("No income was declared for these days: the rules of then asked for none.")
            raise Refused("INCOME_MISSING", message)
        by_session = (isinstance(rule, PerSessionRule) for one in owing for rule in one.simple)
        if not sessions and any(by_session):
            message = _("No sessions were declared for these days: the rules then asked for none.")
            raise Refused("SESSIONS_MISSING", message)


def _find(rules: Effective, agreed: _Agreed) -> _Found | Refused:
    try:
        rule = rule_of(rules, agreed)
        check_rate(rules, agreed, rule)
    except Refused as refused:
        return refused
    return _Found(rule, parts_of(rules, rule))


def _asked_for(owed_by: str) -> tuple[bool, bool]:
    """Whether income, and whether sessions, had to be declared, by the types of what was owed."""
    return '"share"' in owed_by or '"tiered"' in owed_by, '"per_session"' in owed_by
