"""Contribution rules that contradict themselves or each other (P4)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library.document.faults import fault
from linli.library.document.model import OperatingModel
from linli.library.document.sections.contributions import (
    CombinedRule,
    ContributionRule,
    FixedRule,
    InKindRule,
    ShareRule,
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
