"""Contribution rules that contradict themselves or each other (P4)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import get_args

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library.document.faults import fault, own_fault
from linli.library.document.model import OperatingModel
from linli.library.document.sections.contributions import (
    CombinedRule,
    ContributionRule,
    FixedRule,
    InKindRule,
    Mode,
    ShareRule,
    SimpleRule,
    TieredRule,
)


def contribution_contradictions(document: OperatingModel) -> Iterator[Refused]:
    """What does not go together in rules whose fields are each valid."""
    rules = {rule.key: rule for rule in document.partners.contributions}
    for rule in rules.values():
        yield from _limits(rule)
        if isinstance(rule, TieredRule):
            yield from _bands(rule)
        if isinstance(rule, CombinedRule):
            yield from _parts(rule, rules)
            yield from _sum(rule, rules)
    yield from _taken(document)


def _place(rule: ContributionRule, inside: str) -> str:
    return f"partners.contributions[{rule.key}].{inside}"


def _limits(rule: ContributionRule) -> Iterator[Refused]:
    if isinstance(rule, InKindRule):
        return
    least, most = rule.minimum_fen, rule.maximum_fen
    if least is not None and most is not None and least > most:
        message = _("The minimum of {least} fen a year is above the maximum of {most} fen.")
        told = format_lazy(message, least=least, most=most)
        yield fault(told, _place(rule, "minimum_fen"), maximum=most)
    elif isinstance(rule, FixedRule):
        if least is not None and rule.fee_fen < least:
            message = _("A fixed fee of {fee} fen is below its own minimum of {least} fen.")
            told = format_lazy(message, fee=rule.fee_fen, least=least)
            yield fault(told, _place(rule, "fee_fen"), minimum=least)
        if most is not None and rule.fee_fen > most:
            message = _("A fixed fee of {fee} fen is above its own maximum of {most} fen.")
            told = format_lazy(message, fee=rule.fee_fen, most=most)
            yield fault(told, _place(rule, "fee_fen"), maximum=most)


def _bands(rule: TieredRule) -> Iterator[Refused]:
    first = rule.bands[0]
    if first.from_fen != 0:
        message = _("The first band begins at 0, so that every amount lies in a band.")
        yield fault(message, _place(rule, f"bands[{first.key}].from_fen"), allowed=[0])
    for lower, upper in pairwise(rule.bands):
        if upper.from_fen <= lower.from_fen:
            message = _("This band begins at {start} fen or more; the one before it at {before}.")
            told = format_lazy(message, start=lower.from_fen + 1, before=lower.from_fen)
            place = _place(rule, f"bands[{upper.key}].from_fen")
            yield fault(told, place, minimum=lower.from_fen + 1)


def _parts(rule: CombinedRule, rules: dict[str, ContributionRule]) -> Iterator[Refused]:
    place = _place(rule, "of")
    simple = [key for key, one in rules.items() if not isinstance(one, CombinedRule)]
    bases = {}
    for key in rule.of:
        part = rules.get(key)
        if part is None or isinstance(part, CombinedRule):
            message = (
                _("There is no contribution rule “{key}”. Choose from: {allowed}.")
                if part is None
                else _("“{key}” is combined itself. Choose from: {allowed}.")
            )
            told = format_lazy(message, key=key, allowed=", ".join(simple))
            yield fault(told, place, value=key, allowed=simple)
            continue
        missing = [mode for mode in rule.modes if mode not in part.modes]
        if missing:
            message = _("“{key}” is offered to {modes} only; the rule that it is part of to more.")
            told = format_lazy(message, key=key, modes=", ".join(part.modes))
            yield fault(told, _place(rule, "modes"), value=key, allowed=list(part.modes))
        if isinstance(part, ShareRule | TieredRule):
            bases[key] = part.base
    if len(set(bases.values())) > 1:
        message = _("One amount is declared a period, so all shares need one base; here: {bases}.")
        listed = ", ".join(f"{key} ({base})" for key, base in bases.items())
        yield fault(format_lazy(message, bases=listed), place, value=list(bases))


def _sum(rule: CombinedRule, rules: dict[str, ContributionRule]) -> Iterator[Refused]:
    """A limit of the sum that what the parts themselves owe can never keep."""
    parts = [part for key in rule.of if isinstance(part := rules.get(key), SimpleRule)]
    if len(parts) < len(rule.of):
        return
    least = [said for said in (_said(part, "minimum_fen") for part in parts) if said[1]]
    total = sum(amount or 0 for _where, amount in least)
    if rule.maximum_fen is not None and rule.maximum_fen < total:
        field, others = _place(rule, "maximum_fen"), [where for where, _amount in least]
        yield own_fault("parts_owe_more", field, value=rule.maximum_fen, least=total, others=others)
    most = [_said(part, "maximum_fen") for part in parts]
    if rule.minimum_fen is None or any(amount is None for _where, amount in most):
        return
    total = sum(amount or 0 for _where, amount in most)
    if rule.minimum_fen > total:
        field, others = _place(rule, "minimum_fen"), [where for where, _amount in most]
        yield own_fault("parts_owe_less", field, value=rule.minimum_fen, most=total, others=others)


def _said(part: SimpleRule, name: str) -> tuple[str, int | None]:
    """Where a rule says what it owes a year at the least or at the most, and how much, in fen."""
    if isinstance(part, InKindRule):
        return _place(part, "type"), 0
    if isinstance(part, FixedRule):
        return _place(part, "fee_fen"), part.fee_fen
    return _place(part, name), getattr(part, name)


def _taken(document: OperatingModel) -> Iterator[Refused]:
    """Money that is owed and that the fund, which names its sources, takes from nowhere."""
    kinds = {source.kind for source in document.fund.sources}
    for mode in get_args(Mode):
        rules = [
            f"partners.contributions[{rule.key}]"
            for rule in document.partners.contributions
            if mode in rule.modes and not isinstance(rule, InKindRule | CombinedRule)
        ]
        if kinds and rules and mode not in kinds:
            yield own_fault("not_taken", "fund.sources", value=mode, others=rules)
