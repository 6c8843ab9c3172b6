"""Upgrades: opened, decided place by place, applied in one transaction, or given up (M6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.events.emit import emit
from linli.library.carrying import Aspect
from linli.library.governing import check_offered, refuse_behind_binding
from linli.library.selectors import hold
from linli.library.written import write_bound
from linli.registry.models import Tenant
from linli.rules import check_version, save_changes, upheld
from tenants.operating_model import dependents
from tenants.operating_model.closing_requests import withdraw_overtaken
from tenants.operating_model.decisions import (
    Said,
    called,
    check_decisions,
    level_of,
    not_in_question,
    question_changed,
)
from tenants.operating_model.governing import refuse_unapproved
from tenants.operating_model.models import Layer, Upgrade, UpgradeDecision
from tenants.operating_model.policies import settle_clashes
from tenants.operating_model.proposals import (
    check_agreements,
    despite,
    is_upgrade,
    refuse_past,
    refuse_withdrawn_copy,
    rules_clash,
    tenant_of,
    version_to_adopt,
)
from tenants.operating_model.rulebook import Rulebook, one_at_a_time
from tenants.operating_model.taking_effect import take_effect
from tenants.operating_model.upgrading import (
    Level,
    Plan,
    is_part,
    own_layer,
    plan_of,
    refuse_before_later,
)

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def open_upgrade(
    *,
    actor: Actor,
    effective_from: date,
    published_id: UUID | None = None,
    version_id: UUID | None = None,
    reason: str = "",
) -> Upgrade:
    """Begin to upgrade to another version, from a day on; nothing changes until it is applied.

    Refused: NOT_FOUND, ONE_VERSION, NO_MODEL_IN_FORCE, NOTHING_CHANGES, CHANGE_BACKDATED,
    LATER_CHANGES, UPGRADE_UNDER_WAY, WITHDRAWN, NOT_OFFERED, BINDING.
    """
    actor.require(Permission.MODELS_ADOPT)
    return begin_upgrade(
        actor=actor,
        effective_from=effective_from,
        published_id=published_id,
        version_id=version_id,
        reason=reason,
    )


def begin_upgrade(
    *,
    actor: Actor,
    effective_from: date,
    published_id: UUID | None = None,
    version_id: UUID | None = None,
    reason: str = "",
    before_later: bool = False,
) -> Upgrade:
    """`open_upgrade` by who may, which the caller has checked.

    before_later: also for a day before something that is planned; it waits then, and is not applied
    on that day unless the plan is called off.
    """
    tenant = tenant_of(actor)
    refuse_past(effective_from)
    with one_at_a_time():
        target = version_to_adopt(tenant, published_id, version_id, to_write=True)
        refuse_withdrawn_copy(target)
        book = Rulebook.load()
        book.effective(effective_from)
        running = book.adoption(effective_from)
        assert running is not None
        if running.version_id == target.pk:
            message = _("{version} is in force on that day already. Name another version.")
            raise Refused("NOTHING_CHANGES", format_lazy(message, version=str(target)))
        if not before_later:
            refuse_before_later(book, effective_from)
        if is_upgrade(book, target, effective_from):
            check_offered(tenant, target, timezone.localdate(), effective_from)
        refuse_behind_binding(tenant, target, effective_from)
        if target._state.adding:
            target.save(force_insert=True)
        upgrade = Upgrade(
            target=target,
            effective_from=effective_from,
            reason=reason,
            opened_by_id=actor.principal_id,
        )
        with upheld(upgrade_one_open=_under_way):
            upgrade.save(force_insert=True)
        record(
            actor=actor,
            action="models.open_upgrade",
            obj=upgrade,
            before=None,
            after=snapshot(upgrade, "target", "effective_from"),
            reason=reason,
        )
        tell_upgrade(actor, "upgrade.opened", upgrade)
    return upgrade


def decide_upgrade(
    *,
    actor: Actor,
    upgrade_id: UUID,
    decisions: Sequence[Said],
    expected_version: int | None = None,
) -> Upgrade:
    """Decide some of what clashes; the rest stays open, for whoever and whenever.

    The street office's places are decided by who may adopt, a community's also by who may override
    there. KEEP, TAKE and OPEN are said of a question, SET of any place. What is decided already, of the
    place, a part of it or what holds it, is decided anew only by who says what they have read:
    ``expected_version``, or, where it is the place itself, ``seen`` of it. Refused: NOT_FOUND, UPGRADE_CLOSED, VERSION_CONFLICT, NOT_IN_QUESTION,
    DECIDED_ALREADY, QUESTION_CHANGED, TOO_MANY_DECISIONS, REASON_TOO_LONG, and what is wrong with what would stand there; then none of them counts.
    """
    for community_id in {said.community_id for said in decisions} or {None}:
        if community_id is None:
            actor.require(Permission.MODELS_ADOPT)
        else:
            actor.require(Permission.MODELS_OVERRIDE, community_id=community_id)
    tenant = tenant_of(actor)
    check_decisions(decisions)
    with one_at_a_time():
        upgrade = _open(upgrade_id)
        check_version(upgrade, expected_version)
        before, standing = snapshot(upgrade, "version"), plan_of(upgrade, tenant)
        if expected_version is None:
            _refuse_decided(standing, decisions)
        rows = [_row(upgrade, standing, said, at, actor) for at, said in enumerate(decisions)]
        UpgradeDecision.objects.bulk_create(rows)
        save_changes(upgrade, [])
        _refuse_unfit(plan_of(upgrade, tenant), decisions)
        record(
            actor=actor,
            action="models.decide_upgrade",
            obj=upgrade,
            before=before,
            after=snapshot(upgrade, "version") | {"decisions": [_told(row) for row in rows]},
        )
        tell_upgrade(actor, "upgrade.decided", upgrade)
    return upgrade


def apply_upgrade(
    *,
    actor: Actor,
    upgrade_id: UUID,
    effective_from: date | None = None,
    expected_version: int | None = None,
    reason: str = "",
    despite_agreements: bool = False,
) -> Upgrade:
    """Put the new version in force with all that was decided, in one transaction (M6).

    From the day it was opened for, or from another that is named here; never a past one.
    ``expected_version``: the upgrade's, as it was read. Refused: NOT_FOUND, UPGRADE_CLOSED,
    VERSION_CONFLICT, CHANGE_BACKDATED, LATER_CHANGES, WITHDRAWN, UPGRADE_UNDECIDED with a cause for each
    open question, APPROVAL_NEEDED, NOT_OFFERED, BINDING, what keeps the result from standing, AGREEMENTS_CLASH
    and REASON_MISSING as `adopt_version`.
    """
    actor.require(Permission.MODELS_ADOPT)
    with one_at_a_time():
        refuse_unapproved(actor)
        upgrade = put_upgrade_in_force(
            actor=actor,
            upgrade_id=upgrade_id,
            effective_from=effective_from,
            expected_version=expected_version,
            reason=reason,
            despite_agreements=despite_agreements,
        )
        withdraw_overtaken(actor)
    return upgrade


def put_upgrade_in_force(
    *,
    actor: Actor,
    upgrade_id: UUID,
    effective_from: date | None = None,
    expected_version: int | None = None,
    reason: str = "",
    despite_agreements: bool = False,
) -> Upgrade:
    """`apply_upgrade` by who may decide on it, which the caller has checked."""
    tenant = tenant_of(actor)
    with one_at_a_time():
        upgrade, planned = plan_to_apply(
            tenant, upgrade_id, effective_from=effective_from, expected_version=expected_version
        )
        assert planned.adoption is not None
        assert planned.after is not None
        unfit = check_agreements(
            dependents.unfit(planned.before, planned.after, planned.since),
            despite=despite_agreements,
            reason=reason,
        )
        was = snapshot(upgrade, "state", "adoption")
        upgrade.before = _standing(planned.before, upgrade.effective_from)
        take_effect(actor, tenant, planned.adoption, planned.layers)
        upgrade.before["written"] = [str(layer.pk) for layer in planned.layers]
        upgrade.adoption, upgrade.state = planned.adoption, Upgrade.State.APPLIED
        save_changes(upgrade, ["effective_from", "before", "adoption", "state"])
        record(
            actor=actor,
            action="models.apply_upgrade",
            obj=upgrade,
            before=was | {"replaced": upgrade.before},
            after=snapshot(upgrade, "state", "target", "effective_from", "adoption")
            | despite(unfit),
            reason=reason,
        )
        tell_upgrade(actor, "upgrade.applied", upgrade)
        settle_clashes(actor=actor)
    return upgrade


def plan_to_apply(
    tenant: Tenant,
    upgrade_id: UUID,
    *,
    effective_from: date | None = None,
    expected_version: int | None = None,
) -> tuple[Upgrade, Plan]:
    """An open upgrade that can be applied as it stands, with its day; for actions that hold the rules.

    Refused: as `apply_upgrade`, but for what is between people.
    """
    upgrade = _open(upgrade_id)
    check_version(upgrade, expected_version)
    upgrade.effective_from = effective_from or upgrade.effective_from
    refuse_past(upgrade.effective_from)
    if upgrade.target.published_id:
        hold(upgrade.target.published_id)
    refuse_withdrawn_copy(upgrade.target)
    planned = plan_of(upgrade, tenant)
    if is_upgrade(planned.before, upgrade.target, planned.since):
        check_offered(tenant, upgrade.target, timezone.localdate(), planned.since)
    refuse_behind_binding(tenant, upgrade.target, planned.since)
    refuse_before_later(planned.before, upgrade.effective_from)
    _refuse_undecided(planned)
    return upgrade, planned


def give_up_upgrade(*, actor: Actor, upgrade_id: UUID, reason: str = "") -> Upgrade:
    """Stay with the version in force; what was decided stays on record. A request for it is withdrawn.

    Refused: NOT_FOUND, UPGRADE_CLOSED.
    """
    actor.require(Permission.MODELS_ADOPT)
    with one_at_a_time():
        upgrade = _open(upgrade_id)
        upgrade.state = Upgrade.State.GIVEN_UP
        save_changes(upgrade, ["state"])
        record(
            actor=actor,
            action="models.give_up_upgrade",
            obj=upgrade,
            before={"state": Upgrade.State.OPEN},
            after=snapshot(upgrade, "state"),
            reason=reason,
        )
        tell_upgrade(actor, "upgrade.given_up", upgrade)
        withdraw_overtaken(actor)
    return upgrade


def found_upgrade(upgrade_id: UUID) -> Upgrade:
    upgrade = (
        Upgrade.objects.select_related("target", "adoption")
        .select_for_update(of=("self",), no_key=True)
        .filter(pk=upgrade_id)
        .first()
    )
    if upgrade is None:
        raise NotFound(_("upgrade"), field="upgradeId")
    return upgrade


def _open(upgrade_id: UUID) -> Upgrade:
    upgrade = found_upgrade(upgrade_id)
    if upgrade.state != Upgrade.State.OPEN:
        message = _("This upgrade is {state}. Open another one.")
        raise Refused(
            "UPGRADE_CLOSED",
            format_lazy(message, state=upgrade.get_state_display()),
            field="upgradeId",
            state=upgrade.state,
        )
    return upgrade


def _under_way() -> Refused:
    message = _("Another upgrade is being decided. Apply it or give it up first.")
    there = Upgrade.objects.filter(state=Upgrade.State.OPEN).values_list("pk", flat=True).first()
    return Refused("UPGRADE_UNDER_WAY", message, upgrade=str(there))


def _row(
    upgrade: Upgrade, standing: Plan, said: Said, position: int, actor: Actor
) -> UpgradeDecision:
    field = f"decisions.{position}"
    level = level_of(standing, said, field)
    place = Aspect(said.aspect), said.path
    question = next((q for q in level.carried.questions if q.place == place), None)
    if question is None:
        if said.choice != UpgradeDecision.Choice.SET or said.aspect != Aspect.VALUE:
            raise not_in_question(level, said.path, field)
        question = level.carried.question_of(said.path)
    if said.seen is not None and said.seen != question.as_read:
        raise question_changed(level, said.path, field)
    if said.choice == UpgradeDecision.Choice.SET and said.aspect == Aspect.BOUND:
        said = replace(said, value=write_bound(said.path, said.value).plain())
    return UpgradeDecision(
        upgrade=upgrade,
        community_id=said.community_id,
        aspect=said.aspect,
        path=said.path,
        choice=said.choice,
        value=said.value if said.choice == UpgradeDecision.Choice.SET else None,
        old=question.old,
        new=question.new,
        own=question.own,
        reason=said.reason,
        decided_by_id=actor.principal_id,
    )


def _refuse_decided(standing: Plan, decisions: Sequence[Said]) -> None:
    """Nobody overrules in passing what another has decided."""
    decided = [
        (level, question.place)
        for level in standing.levels
        for question in level.carried.questions
        if question.decision is not None
    ]
    for position, said in enumerate(decisions):
        place = Aspect(said.aspect), said.path
        for level, other in decided:
            theirs = level.community_id == said.community_id
            read = said.seen is not None and other == place
            met = other == place or is_part(other, place) or is_part(place, other)
            if theirs and met and not read:
                message = (
                    _(
                        "“{place}” is decided already. Read the upgrade again, and say with seen or "
                        "expectedVersion which state you decide on."
                    )
                    if other == place
                    else _(
                        "“{place}” is decided already, and this is a part of it or holds it. Read the "
                        "upgrade again, and say with expectedVersion which state you decide on."
                    )
                )
                raise Refused(
                    "DECIDED_ALREADY",
                    format_lazy(message, place=called(level, other[1])),
                    field=f"decisions.{position}.path",
                )


def _refuse_unfit(planned: Plan, decisions: Sequence[Said]) -> None:
    """What was just decided must be able to stand: it is refused here and not when all is done."""
    at = {
        (said.community_id, said.aspect, said.path): position
        for position, said in enumerate(decisions)
    }
    faults = [
        (at[community_id, question.aspect, question.path], fault)
        for community_id, question in planned.questions
        if (community_id, question.aspect, question.path) in at and question.decision
        for fault in question.faults
    ]
    if faults:
        for position, fault in faults:
            fault.field = f"decisions.{position}.value"
        raise rules_clash([fault for _position, fault in faults])


def _refuse_undecided(planned: Plan) -> None:
    if planned.problems:
        raise rules_clash(list(planned.problems))
    causes = [
        Refused(
            "UPGRADE_UNDECIDED",
            _undecided(level, question.path),
            field=question.path,
            community=str(level.community_id) if level.community_id else None,
        )
        for level in planned.levels
        for question in level.carried.questions
        if question.is_open
    ]
    if causes:
        message = _("Places not decided yet: {count}. Decide each; nothing has changed so far.")
        raise Refused("UPGRADE_UNDECIDED", format_lazy(message, count=len(causes)), causes=causes)


def _undecided(level: Level, path: str) -> StrOrPromise:
    place = called(level, path)
    if level.community_id is None or level.layer is None:
        return format_lazy(_("“{place}” is not decided yet."), place=place)
    message = _("{community}: “{place}” is not decided yet.")
    return format_lazy(message, community=level.layer.set_by, place=place)


def _standing(book: Rulebook, on: date) -> dict[str, Any]:
    """What an upgrade replaces, as `Upgrade.before` keeps it."""
    adoption = book.adoption(on)
    places: list[UUID | None] = [None, *book.communities(on)]
    return {
        "adoption": str(adoption.pk) if adoption else None,
        "layers": {str(c) if c else "": _key(own_layer(book, c, on)) for c in places},
    }


def _key(layer: Layer | None) -> str | None:
    return str(layer.pk) if layer else None


def _told(row: UpgradeDecision) -> dict[str, Any]:
    return snapshot(row, "id", "community", "aspect", "path", "choice", "value", "reason")


def tell_upgrade(actor: Actor, type: str, upgrade: Upgrade) -> None:
    emit(
        actor=actor,
        type=type,
        obj=upgrade,
        data={
            "version": upgrade.target_id,
            "effective_from": upgrade.effective_from,
            "state": upgrade.state,
        },
    )
