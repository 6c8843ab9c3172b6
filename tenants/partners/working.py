"""What a partner owes for a declared period (反哺, P4): worked out, line by line. Pure.

A period in which the rule changed is divided among the rules by calendar days, largest remainder
first, so that each fen of income and each session counts once. A share is rounded to the nearest
whole fen, half a fen upwards, once a line. Rent-free days owe nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library.document import ContributionRule, ShareRule
from linli.money import share_of, split_by_weights, yuan

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

BASES = {"takings": _("takings"), "net_income": _("net income"), "profit": _("profit")}


@dataclass(frozen=True)
class Segment:
    """So many days in a row under one rule.

    rate: what the agreement has in place of the rule's own; it plays no part per session.
    """

    days: int
    rule: ContributionRule
    rate: Decimal | None = None
    rent_free: bool = False
    rule_digest: str = ""


@dataclass(frozen=True)
class Declared:
    """What a partner declares for [starts_on, ends_on): fen of the base named, and sessions."""

    starts_on: date
    ends_on: date
    income_fen: int = 0
    sessions: int = 0
    base: str = "takings"


class Line(TypedDict):
    """One line of the working, as JSON values; `explain` makes it a sentence."""

    starts_on: str
    ends_on: str  # the first day after it
    type: Literal["share", "per_session"]
    rule_key: str
    rule_digest: str
    rent_free: bool
    base: str
    declared_fen: int  # of the whole period
    base_fen: int  # the part that falls on this line's days
    rate: str | None
    declared_sessions: int
    sessions: int
    fee_fen: int | None
    amount_fen: int


@dataclass(frozen=True)
class Worked:
    """What is owed, and how it came about."""

    amount_fen: int
    lines: tuple[Line, ...]


def work_out(segments: Sequence[Segment], declared: Declared) -> Worked:
    """What is owed for a period whose days the segments cover in their order (P4).

    Refused: DECLARED_NEGATIVE, BASE_DIFFERS when a rule takes its share of another base.
    ValueError when the segments do not cover the period exactly.
    """
    joined = [_joined(alike) for alike in _alike(segments)]
    days = [segment.days for segment in joined]
    if sum(days) != (declared.ends_on - declared.starts_on).days or min(days, default=0) < 1:
        raise ValueError(f"segments of {days} days do not cover {declared}")
    _check(joined, declared)
    incomes = split_by_weights(declared.income_fen, days)
    sessions = split_by_weights(declared.sessions, days)
    lines: list[Line] = []
    starts_on = declared.starts_on
    for segment, income, count in zip(joined, incomes, sessions, strict=True):
        lines.append(_line(segment, starts_on, income, count, declared))
        starts_on += timedelta(segment.days)
    return Worked(sum(line["amount_fen"] for line in lines), tuple(lines))


def explain(line: Mapping[str, Any]) -> StrOrPromise:
    """The line as a sentence, in the language of whoever reads it."""
    rate, fee = line["rate"], line["fee_fen"]
    return format_lazy(
        _sentence(line),
        first=line["starts_on"],
        last=(date.fromisoformat(line["ends_on"]) - timedelta(1)).isoformat(),
        base=BASES[line["base"]],
        part=yuan(line["base_fen"]),
        whole=yuan(line["declared_fen"]),
        rate=None if rate is None else f"{(Decimal(rate) * 100).normalize():f} %",
        sessions=line["sessions"],
        all_sessions=line["declared_sessions"],
        fee=None if fee is None else yuan(fee),
        amount=yuan(line["amount_fen"]),
    )


def _sentence(line: Mapping[str, Any]) -> StrOrPromise:
    if line["rent_free"]:
        return _("{first} to {last}: rent-free, nothing is owed.")
    if line["type"] == "per_session":
        if line["sessions"] == line["declared_sessions"]:
            return _("{first} to {last}: {sessions} sessions × {fee} yuan = {amount} yuan.")
        return _(
            "{first} to {last}: by days, {sessions} of {all_sessions} sessions; "
            "{sessions} × {fee} yuan = {amount} yuan."
        )
    if line["base_fen"] < 0:
        return _("{first} to {last}: {base} of {part} yuan is a loss, nothing is owed.")
    if line["base_fen"] == line["declared_fen"]:
        return _(
            "{first} to {last}: {rate} of {base} of {part} yuan = {amount} yuan, "
            "rounded to the nearest fen, half a fen upwards."
        )
    return _(
        "{first} to {last}: by days, {part} of {whole} yuan; {rate} of that {base} = {amount} yuan, "
        "rounded to the nearest fen, half a fen upwards."
    )


def _alike(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Neighbours under the same rule: where a period is cut must not change what is owed."""
    for _same, group in groupby(segments, key=lambda segment: replace(segment, days=0)):
        yield list(group)


def _joined(alike: list[Segment]) -> Segment:
    return replace(alike[0], days=sum(segment.days for segment in alike))


def _check(segments: Sequence[Segment], declared: Declared) -> None:
    loss = declared.income_fen < 0 and declared.base == "takings"
    if loss or declared.sessions < 0:
        message = _("Takings and sessions are 0 or more; only net income and profit can be a loss.")
        raise Refused("DECLARED_NEGATIVE", message, field="income" if loss else "sessions")
    for segment in segments:
        rule = segment.rule
        if isinstance(rule, ShareRule) and not segment.rent_free and rule.base != declared.base:
            message = _("The rule {rule} takes its share of {base}. Declare {base} for these days.")
            raise Refused(
                "BASE_DIFFERS",
                format_lazy(message, rule=rule.title.zh, base=BASES[rule.base]),
                field="base",
                allowed=[rule.base],
            )


def _line(
    segment: Segment, starts_on: date, income: int, sessions: int, declared: Declared
) -> Line:
    rule, rate, fee = segment.rule, None, None
    if isinstance(rule, ShareRule):
        rate = rule.rate if segment.rate is None else segment.rate
        owed = share_of(max(income, 0), rate)
    else:
        fee = rule.fee_fen
        owed = sessions * fee
    return Line(
        starts_on=starts_on.isoformat(),
        ends_on=(starts_on + timedelta(segment.days)).isoformat(),
        type=rule.type,
        rule_key=rule.key,
        rule_digest=segment.rule_digest,
        rent_free=segment.rent_free,
        base=declared.base,
        declared_fen=declared.income_fen,
        base_fen=income,
        rate=None if rate is None else f"{rate.normalize():f}",
        declared_sessions=declared.sessions,
        sessions=sessions,
        fee_fen=fee,
        amount_fen=0 if segment.rent_free else owed,
    )
