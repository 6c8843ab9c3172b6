"""A policy from above that does not fit what stands below it: what gives way is decided here (M3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.library import paths
from linli.library.carrying import Answer, Aspect
from linli.library.merging import Choice, Decision
from linli.library.written import write_bound
from linli.registry.models import Tenant
from tenants.communities.selectors import community_to_act_on
from tenants.operating_model import dependents
from tenants.operating_model.decisions import (
    Said,
    check_decisions,
    level_of,
    not_in_question,
    question_changed,
)
from tenants.operating_model.models import Layer
from tenants.operating_model.policies import settle_clashes, tell_layer, waiting
from tenants.operating_model.proposals import check_agreements, despite, rules_clash, tenant_of
from tenants.operating_model.rulebook import Rulebook, one_at_a_time
from tenants.operating_model.telling import tell_changes
from tenants.operating_model.upgrading import Answers, Level, Plan, end_within, plan_policy


def decide_clash(
    *,
    actor: Actor,
    layer_id: UUID,
    decisions: Sequence[Said],
    reason: str = "",
    despite_agreements: bool = False,
) -> Layer:
    """Say what gives way to a waiting policy, at every level, and put it in force (M3).

    What no decision names stays as it is set and has to fit. The policy, the street office's layer and
    those of communities change in one transaction, from the policy's day on or from today. TAKE gives
    up what is set, SET sets something else, of any place. Refused: NOT_FOUND (it does not wait),
    CHOICE_INVALID, NOT_IN_QUESTION, QUESTION_CHANGED, TOO_MANY_DECISIONS, REASON_TOO_LONG, what would
    still not fit, AGREEMENTS_CLASH and REASON_MISSING as `adopt_version`.
    """
    actor.require(Permission.MODELS_ADOPT)
    tenant = tenant_of(actor)
    check_decisions(decisions)
    with one_at_a_time():
        policy = next((layer for layer in waiting() if layer.pk == layer_id), None)
        if policy is None:
            raise NotFound(_("waiting policy"), field="layerId")
        before = snapshot(policy, "state", "effective_from")
        planned = plan_clash(policy, tenant, _answers(decisions))
        _refuse_misplaced(plan_clash(policy, tenant, {}), decisions)
        _refuse_misfits(planned)
        assert planned.after is not None
        unfit = check_agreements(
            dependents.unfit(planned.before, planned.after, planned.since),
            despite=despite_agreements,
            reason=reason,
        )
        policy.state, policy.effective_from = Layer.State.IN_FORCE, planned.since
        policy.save(update_fields=["state", "effective_from"])
        for layer in planned.layers:
            layer.reason = reason
            layer.save(force_insert=True)
            tell_layer(actor, "layer.set", layer)
        record(
            actor=actor,
            action="models.decide_clash",
            obj=policy,
            before=before,
            after=snapshot(policy, "state", "effective_from")
            | {
                "layers": [snapshot(layer, "id", "values", "bounds") for layer in planned.layers],
                "decisions": [_told(said) for said in decisions],
            }
            | despite(unfit),
            reason=reason,
        )
        tell_layer(actor, "policy.settled", policy)
        tell_changes(actor=actor, tenant=tenant, since=planned.since)
        settle_clashes(actor=actor)
    return policy


def plan_clash(policy: Layer, tenant: Tenant, answers: Answers) -> Plan:
    """What a waiting policy comes to, from its own day on or from today."""
    since = max(policy.effective_from, timezone.localdate())
    landing = Layer(
        pk=policy.pk,
        kind=policy.kind,
        set_by=policy.set_by,
        values=policy.values,
        bounds=policy.bounds,
        effective_from=since,
    )
    return plan_policy(Rulebook.load(), tenant=tenant, policy=landing, since=since, answers=answers)


def _answers(decisions: Sequence[Said]) -> Answers:
    found: dict[UUID | None, dict[tuple[Aspect, str], Answer]] = {}
    for position, said in enumerate(decisions):
        if said.community_id is not None:
            community_to_act_on(said.community_id)
        if said.choice not in set(Choice):
            message = _("Nothing is kept open here: take what is new, or set something that fits.")
            raise Refused("CHOICE_INVALID", message, field=f"decisions.{position}.choice")
        if said.aspect == Aspect.BOUND and said.choice == Choice.SET:
            said = replace(said, value=write_bound(said.path, said.value).plain())
        place = Aspect(said.aspect), said.path
        decision = Decision(Choice(said.choice), said.value)
        # What was seen is compared with what there was to see: here the street office's decisions count.
        here = found.setdefault(said.community_id, {})
        end_within(here, place)
        here[place] = Answer(decision, "")
    return found


def _refuse_misplaced(asked: Plan, decisions: Sequence[Said]) -> None:
    """No decision is passed over in silence. asked: the plan without any, as it was read."""
    for position, said in enumerate(decisions if asked.levels else ()):
        field = f"decisions.{position}"
        level = level_of(asked, said, field)
        place = Aspect(said.aspect), said.path
        question = next((one for one in level.carried.questions if one.place == place), None)
        if question is None and not _can_give_way(level, said):
            raise not_in_question(level, said.path, field)
        question = question or level.carried.question_of(said.path)
        if said.seen is not None and said.seen != question.as_read:
            raise question_changed(level, said.path, field)


def _can_give_way(level: Level, said: Said) -> bool:
    """Whether something is set at the place, in it or around it; a value can also be set anew."""
    if said.aspect == Aspect.BOUND:
        return level.layer is not None and said.path in level.layer.bounds
    place = paths.steps(said.path)
    own = [paths.steps(path) for path in level.layer.values] if level.layer else []
    return said.choice == Choice.SET or any(
        one[: len(place)] == place or place[: len(one)] == one for one in own
    )


def _refuse_misfits(planned: Plan) -> None:
    faults = [fault for _level, question in planned.questions for fault in question.faults]
    if faults or planned.problems:
        raise rules_clash([*planned.problems, *faults])


def _told(said: Said) -> dict[str, Any]:
    return {
        "community_id": str(said.community_id) if said.community_id else None,
        "aspect": said.aspect,
        "path": said.path,
        "choice": said.choice,
        "value": said.value,
        "reason": said.reason,
    }
