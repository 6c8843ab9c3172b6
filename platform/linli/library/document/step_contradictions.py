"""Rules between the steps of an application for money (F5).

The safeguard is the platform's: who proposes, who approves and who pays are never the same. A model
may say who else takes part, never lift it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import get_args

from linli.accounts.roles import Role
from linli.errors import Refused
from linli.library.document.faults import own_fault
from linli.library.document.sections.fund import FundRules
from linli.library.document.sections.spending import ApplicationStep, StepKind

_ORDER: list[str] = list(get_args(StepKind))
_ONCE = ("propose", "approve", "pay")


def step_contradictions(fund: FundRules) -> Iterator[Refused]:
    """Steps missing, out of order, or in hands that must not hold both."""
    if fund.steps:
        yield from _missing(fund.steps)
        yield from _out_of_order(fund.steps)
        yield from _one_hand(fund.steps)
        yield from _committee_votes(fund)
        yield from _auditors(fund.steps)
    consults = [step for step in fund.steps if step.kind == "consult"]
    if consults and fund.consultation_days is None:
        field = f"fund.steps[{consults[0].key}]"
        yield own_fault("needs", field, other="fund.consultation_days")
    if fund.steps and not consults and fund.consultation_days is not None:
        yield own_fault("needs_step", "fund.consultation_days", value="consult")


def _missing(steps: tuple[ApplicationStep, ...]) -> Iterator[Refused]:
    kinds: list[str] = [step.kind for step in steps]
    for kind in _ONCE:
        if kinds.count(kind) != 1:
            yield own_fault("step_missing", "fund.steps", value=kind, count=kinds.count(kind))


def _out_of_order(steps: tuple[ApplicationStep, ...]) -> Iterator[Refused]:
    for one, other in pairwise(steps):
        if _ORDER.index(one.kind) > _ORDER.index(other.kind):
            yield own_fault(
                "order", f"fund.steps[{other.key}]",
                value=other.kind, other=one.kind, allowed=_ORDER,
            )  # fmt: skip


def _one_hand(steps: tuple[ApplicationStep, ...]) -> Iterator[Refused]:
    for first, second in combinations(_ONCE, 2):
        earlier = {role for step in steps if step.kind == first for role in step.roles}
        for step in steps:
            both = [role for role in step.roles if role in earlier]
            if step.kind == second and both:
                field = f"fund.steps[{step.key}].roles"
                yield own_fault("two_pairs_of_eyes", field, roles=both, one=first, other=second)


def _committee_votes(fund: FundRules) -> Iterator[Refused]:
    """The vote is the committee's (F4): of its members, and of the role that chairs it."""
    member, chair = Role.COMMITTEE_MEMBER.value, fund.committee.chair
    allowed = list(dict.fromkeys(role for role in (member, chair) if role))
    for step in fund.steps:
        if step.kind == "vote" and not {member} <= set(step.roles) <= set(allowed):
            field = f"fund.steps[{step.key}].roles"
            yield own_fault("committee_votes", field, value=member, allowed=allowed)


def _auditors(steps: tuple[ApplicationStep, ...]) -> Iterator[Refused]:
    for step in steps:
        if Role.AUDITOR.value in step.roles and step.kind != "audit":
            yield own_fault("only_audits", f"fund.steps[{step.key}].roles")
