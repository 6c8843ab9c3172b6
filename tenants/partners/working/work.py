"""From declared amounts under the rules of their days to lines.

A period in which the rule changed is divided among the rules by calendar days, largest remainder
first, so that each fen of income and each session counts once. Rent-free days owe nothing, and no
minimum. Each part of a combined rule has a line of its own, on the same days and the same income.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library.document import (
    CombinedRule,
    ContributionRule,
    FixedRule,
    InKindRule,
    PerSessionRule,
    ShareRule,
    SimpleRule,
)
from linli.money import share_of, split_by_weights
from tenants.partners.working.amounts import by_bands, of_days, plain_rate, reached
from tenants.partners.working.explaining import BASES
from tenants.partners.working.lines import Declared, Line, Reached, Segment, Worked


def work_out(segments: Sequence[Segment], declared: Declared) -> Worked:
    """What is owed for a period whose days the segments cover in their order (P4).

    Refused: DECLARED_NEGATIVE, BASE_DIFFERS when a rule takes its share of another base.
    ValueError when the segments do not cover the period exactly.
    """
    given = [segment.days for segment in segments]
    if sum(given) != (declared.ends_on - declared.starts_on).days or min(given, default=0) < 1:
        raise ValueError(f"segments of {given} days do not cover {declared}")
    joined = [_joined(alike) for alike in _alike(segments)]
    days = [segment.days for segment in joined]
    _check(joined, declared)
    incomes = split_by_weights(declared.income_fen, days)
    sessions = split_by_weights(declared.sessions, days)
    lines: list[Line] = []
    starts_on = declared.starts_on
    for segment, income, count in zip(joined, incomes, sessions, strict=True):
        lines.extend(_lines(segment, starts_on, income, count, declared))
        starts_on += timedelta(segment.days)
    return Worked(sum(line["amount_fen"] for line in lines), tuple(lines))


def _alike(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Neighbours that owe alike: where a period is cut must not change what is owed, nor must a
    change of anything else in the rules, so their digest does not count."""
    if len(segments) == 1:
        yield list(segments)
        return
    for _same, group in groupby(segments, key=_owes_by):
        yield list(group)


def _owes_by(segment: Segment) -> tuple[object, ...]:
    """All that what is owed follows from: of the rule, neither its name nor whom it is offered to."""
    said = [one.model_dump(exclude={"title", "modes"}) for one in (segment.rule, *segment.parts)]
    return segment.rent_free, segment.rate, said


def _joined(alike: list[Segment]) -> Segment:
    """One, under the rules of its last day."""
    if len(alike) == 1:
        return alike[0]
    return replace(alike[-1], days=sum(segment.days for segment in alike))


def _check(segments: Sequence[Segment], declared: Declared) -> None:
    loss = declared.income_fen < 0 and declared.base == "takings"
    if loss or declared.sessions < 0:
        message = _("Takings and sessions are 0 or more; only net income and profit can be a loss.")
        raise Refused("DECLARED_NEGATIVE", message, field="income" if loss else "sessions")
    for segment in segments:
        base = segment.base
        if base and not segment.rent_free and base != declared.base:
            message = _("The rule {rule} takes its share of {base}. Declare {base} for these days.")
            raise Refused(
                "BASE_DIFFERS",
                format_lazy(message, rule=segment.rule.title.zh, base=BASES[base]),
                field="base",
                allowed=[base],
            )


def _lines(
    segment: Segment, starts_on: date, income: int, sessions: int, declared: Declared
) -> Iterator[Line]:
    rule = segment.rule
    if not isinstance(rule, CombinedRule):
        yield _line(segment, rule, starts_on, income, sessions, declared)
        return
    whole = _empty(segment, rule, starts_on, declared)
    if segment.rent_free:
        whole["base_fen"], whole["sessions"] = income, sessions
        yield whole
        return
    owed = 0
    for part in segment.parts:
        line = _line(segment, part, starts_on, income, sessions, declared)
        line["part_of"] = rule.key
        owed += line["amount_fen"]
        yield line
    _hold(whole, rule, owed)
    if "unlimited_fen" in whole:
        # What the minimum adds to the parts' sum, or the maximum takes off it.
        whole["amount_fen"] -= owed
        yield whole


def _line(
    segment: Segment,
    rule: SimpleRule,
    starts_on: date,
    income: int,
    sessions: int,
    declared: Declared,
) -> Line:
    line = _empty(segment, rule, starts_on, declared)
    line["base_fen"], line["sessions"] = income, sessions
    if isinstance(rule, InKindRule):
        line["gives"], line["valued"] = rule.gives.model_dump(), rule.valued.model_dump()
        return line
    if isinstance(rule, ShareRule):
        rate = rule.rate if segment.rate is None else segment.rate
        line["rate"] = plain_rate(rate)
        owed = share_of(max(income, 0), rate)
    elif isinstance(rule, PerSessionRule):
        line["fee_fen"] = rule.fee_fen
        owed = sessions * rule.fee_fen
    elif isinstance(rule, FixedRule):
        line["fee_fen"] = rule.fee_fen
        owed = of_days(rule.fee_fen, starts_on, starts_on + timedelta(segment.days))
    else:
        whole = max(declared.income_fen, 0)
        bands = reached(whole, rule.counting, rule.bands)
        line["counting"] = rule.counting
        line["bands"] = [
            Reached(key=band.key, from_fen=band.from_fen, rate=plain_rate(band.rate), base_fen=part)
            for band, part in bands
        ]
        owed = by_bands(bands, max(income, 0), whole)
    if not segment.rent_free:
        _hold(line, rule, owed)
    return line


def _hold(line: Line, rule: ContributionRule, owed: int) -> None:
    """The amount, held to the rule's minimum and maximum of the line's days."""
    assert not isinstance(rule, InKindRule)
    line["amount_fen"] = owed
    if rule.minimum_fen is None and rule.maximum_fen is None:
        return
    days = date.fromisoformat(line["starts_on"]), date.fromisoformat(line["ends_on"])
    least = None if rule.minimum_fen is None else of_days(rule.minimum_fen, *days)
    most = None if rule.maximum_fen is None else of_days(rule.maximum_fen, *days)
    line["minimum_fen"], line["maximum_fen"], line["unlimited_fen"] = least, most, owed
    if least is not None and owed < least:
        line["amount_fen"] = least
    elif most is not None and owed > most:
        line["amount_fen"] = most


def _empty(segment: Segment, rule: ContributionRule, starts_on: date, declared: Declared) -> Line:
    """A line that owes nothing yet."""
    return Line(
        starts_on=starts_on.isoformat(),
        ends_on=(starts_on + timedelta(segment.days)).isoformat(),
        type=rule.type,
        rule_key=rule.key,
        rule_digest=segment.rule_digest,
        rent_free=segment.rent_free,
        base=declared.base,
        declared_fen=declared.income_fen,
        base_fen=0,
        rate=None,
        declared_sessions=declared.sessions,
        sessions=0,
        fee_fen=None,
        amount_fen=0,
    )
