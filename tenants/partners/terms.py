"""What an agreement may say under the rules of a day, and which rules its days fall under (P3, P4)."""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library import paths
from linli.library.document import (
    RATE_PATTERN,
    CombinedRule,
    ContributionRule,
    PerSessionRule,
    ShareRule,
    SimpleRule,
)
from linli.library.layers import Effective
from linli.library.limits import violations
from tenants.operating_model.actions import freeze_rules
from tenants.operating_model.models import RuleSnapshot
from tenants.operating_model.rulebook import Rulebook
from tenants.partners.models import Agreement
from tenants.partners.working import Segment


class Agreed(Protocol):
    """What of an agreement its rules are held against: the row itself, or a few of its columns."""

    @property
    def mode(self) -> str: ...
    @property
    def rule_key(self) -> str: ...
    @property
    def agreed_rate(self) -> Decimal | None: ...
    @property
    def rent_free_months(self) -> int: ...
    @property
    def starts_on(self) -> date: ...


@dataclass(frozen=True)
class Terms:
    """The days of a period under the rules in force on them; ``last``: those of its last day."""

    segments: tuple[Segment, ...]
    last: RuleSnapshot

    @property
    def needs_income(self) -> bool:
        """Whether a share of income is owed for any of the days."""
        return any(segment.base for segment in self._owing)

    @property
    def needs_sessions(self) -> bool:
        """Whether a fee per session is owed for any of the days."""
        return any(
            isinstance(rule, PerSessionRule) for segment in self._owing for rule in segment.simple
        )

    @property
    def base(self) -> str:
        """What is declared: the base of the latest share; where there is none, the takings."""
        bases = [segment.base for segment in self._owing or self.segments if segment.base]
        return bases[-1] if bases else "takings"

    @property
    def _owing(self) -> tuple[Segment, ...]:
        return tuple(segment for segment in self.segments if not segment.rent_free)


def check_kind(rules: Effective, kind: str) -> None:
    """Raises `Refused` KIND_UNKNOWN, which lists the kinds of the rules."""
    kinds = {one.key: one.title.zh for one in rules.document.partners.kinds}
    if kind not in kinds:
        raise Refused(
            "KIND_UNKNOWN",
            format_lazy(
                _("The model in force here has no such kind. Choose one of: {kinds}."),
                kinds=_listed(kinds),
            ),
            field="kind",
            allowed=list(kinds),
        )


def rule_of(rules: Effective, agreement: Agreed) -> ContributionRule:
    """The contribution rule the agreement names.

    Raises `Refused` RULE_UNKNOWN, RULE_NOT_FOR_MODE, each with the keys that would do.
    """
    every = rules.document.partners.contributions
    rule = next((rule for rule in every if rule.key == agreement.rule_key), None)
    if rule is None or agreement.mode not in rule.modes:
        fitting = {rule.key: rule.title.zh for rule in every if agreement.mode in rule.modes}
        raise Refused(
            "RULE_UNKNOWN" if rule is None else "RULE_NOT_FOR_MODE",
            format_lazy(
                _("The model in force has no rule “{key}” for {mode} partners. It has: {rules}."),
                key=agreement.rule_key[:40],
                mode=dict(Agreement.Mode.choices).get(agreement.mode, agreement.mode),
                rules=_listed(fitting),
            ),
            field="ruleKey",
            allowed=list(fitting),
        )
    return rule


def parts_of(rules: Effective, rule: ContributionRule) -> tuple[SimpleRule, ...]:
    """The rules that a combined one names, in its order; of any other none."""
    if not isinstance(rule, CombinedRule):
        return ()
    every = {one.key: one for one in rules.document.partners.contributions}
    parts = (every[key] for key in rule.of)  # a document in which one is missing is not valid
    return tuple(part for part in parts if not isinstance(part, CombinedRule))


def check_terms(rules: Effective, agreement: Agreed) -> None:
    """Whether an agreement may be signed under these rules.

    Raises `Refused` as `rule_of` and `check_rate` do, RENT_FREE_TOO_LONG.
    """
    check_rate(rules, agreement, rule_of(rules, agreement))
    check_rent_free(rules, agreement)


def check_rent_free(rules: Effective, agreement: Agreed) -> None:
    """Raises `Refused` RENT_FREE_TOO_LONG, with who laid down how many months."""
    most = rules.document.partners.rent_free_months
    if agreement.rent_free_months > most:
        raise Refused(
            "RENT_FREE_TOO_LONG",
            format_lazy(
                _("At most {most} rent-free months may be granted, as {who} has laid down."),
                most=most,
                who=rules.origin("partners.rent_free_months").name,
            ),
            field="rentFreeMonths",
            maximum=most,
        )


def check_rate(rules: Effective, agreement: Agreed, rule: ContributionRule) -> None:
    """The bounds of the rule's own rate hold for an agreed one: the engine is asked what it would
    say to this rate in the document. In a combined rule it takes the place of its one share's.

    Raises `Refused` RATE_NOT_FOR_RULE, RATE_INVALID, OUTSIDE_BOUNDS (naming whose bound it is).
    """
    rate = agreement.agreed_rate
    if rate is None:
        return
    shares = [one for one in parts_of(rules, rule) or (rule,) if isinstance(one, ShareRule)]
    if len(shares) != 1:
        raise Refused(
            "RATE_NOT_FOR_RULE",
            format_lazy(
                _("“{rule}” is not one share, so no rate can be agreed. Leave the rate out."),
                rule=rule.title.zh,
            ),
            field="agreedRate",
        )
    text = f"{rate.normalize():f}"
    if re.fullmatch(RATE_PATTERN, text) is None:
        raise Refused(
            "RATE_INVALID",
            _("A rate is a decimal fraction from 0 to 1 with at most six places: 0.03 is 3 %."),
            field="agreedRate",
        )
    place = f"partners.contributions[{shares[0].key}].rate"
    for refused in violations(paths.put(rules.raw, place, text), rules.in_force):
        refused.field = "agreedRate"
        raise refused


def terms_of(
    agreement: Agreed, starts_on: date, ends_on: date, community_id: UUID, book: Rulebook
) -> Terms:
    """The days [starts_on, ends_on) under the rules in force on each, frozen.

    Raises `Refused` as `rule_of` and `check_rate` do where the agreement does not fit them, and
    NO_MODEL_IN_FORCE.
    """
    segments: list[Segment] = []
    for first, after, rules in book.timeline(starts_on, ends_on, community_id):
        rule = rule_of(rules, agreement)
        check_rate(rules, agreement, rule)
        snapshot = freeze_rules(rules)
        parts = parts_of(rules, rule)
        segments.extend(segments_of(agreement, rule, parts, first, after, snapshot.digest))
    return Terms(tuple(segments), snapshot)


def segments_of(
    agreement: Agreed,
    rule: ContributionRule,
    parts: tuple[SimpleRule, ...],
    first: date,
    after: date,
    digest: str,
) -> Iterator[Segment]:
    """The days [first, after) under one rule: those that are rent-free, and those from then on."""
    free_until = add_months(agreement.starts_on, agreement.rent_free_months)
    for days, rent_free in _cut(first, after, free_until):
        yield Segment(days, rule, agreement.agreed_rate, rent_free, digest, parts)


def add_months(day: date, months: int) -> date:
    """The same day so many months on, or the last of a shorter month."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _cut(first: date, after: date, free_until: date) -> Iterator[tuple[int, bool]]:
    """The days before the end of the rent-free months, and those from it on."""
    edge = min(max(first, free_until), after)
    if edge > first:
        yield (edge - first).days, True
    if after > edge:
        yield (after - edge).days, False


def _listed(titles: dict[str, str]) -> str:
    return ", ".join(f"{key} ({title})" for key, title in titles.items())
