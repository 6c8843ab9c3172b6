"""Upgrades: opened, decided place by place, applied in one transaction, rolled back (M6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.events.emit import emit
from linli.library import actions as library
from linli.library.bounds import parse_bounds
from linli.library.carrying import Aspect
from linli.library.governing import check_offered
from linli.library.selectors import hold, published_from
from linli.registry.models import Tenant
from linli.rules import check_version, save_changes, upheld
from tenants.communities.selectors import community_to_act_on
from tenants.operating_model import dependents
from tenants.operating_model.governing import refuse_unapproved
from tenants.operating_model.models import Adoption, Layer, ModelVersion, Upgrade, UpgradeDecision
from tenants.operating_model.policies import settle_clashes, tell_layer
from tenants.operating_model.proposals import (
    check_agreements,
    despite,
    follows,
    refuse_past,
    refuse_withdrawn_copy,
    rules_clash,
    tenant_of,
    version_to_adopt,
)
from tenants.operating_model.rulebook import Rulebook, one_at_a_time
from tenants.operating_model.telling import tell_changes
from tenants.operating_model.upgrading import Level, Plan, content_of, plan_of, planned_after

MOST_DECISIONS = 500


@dataclass(frozen=True)
class Said:
    """What a person says of one place: as `UpgradeDecision`; ``seen`` is the question's, if given."""

    path: str
    choice: str
    community_id: UUID | None = None
    aspect: str = UpgradeDecision.Aspect.VALUE
    value: Any = None
    reason: str = ""
    seen: str | None = None


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
    LATER_CHANGES, UPGRADE_UNDER_WAY, WITHDRAWN.
    """
    actor.require(Permission.MODELS_ADOPT)
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
        _refuse_before_later(book, effective_from)
        if follows(target, running.version):
            check_offered(tenant, target, timezone.localdate(), effective_from)
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
        _tell(actor, "upgrade.opened", upgrade)
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
    there. KEEP, TAKE and OPEN are said of a question, SET of any place. Refused: NOT_FOUND,
    UPGRADE_CLOSED, VERSION_CONFLICT, NOT_IN_QUESTION, QUESTION_CHANGED, TOO_MANY_DECISIONS,
    REASON_TOO_LONG, and what is wrong with what would stand there; then none of them counts.
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
        _tell(actor, "upgrade.decided", upgrade)
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
    open question, APPROVAL_NEEDED, NOT_OFFERED, what keeps the result from standing, AGREEMENTS_CLASH
    and REASON_MISSING as `adopt_version`.
    """
    actor.require(Permission.MODELS_ADOPT)
    with one_at_a_time():
        refuse_unapproved(actor)
        return put_upgrade_in_force(
            actor=actor,
            upgrade_id=upgrade_id,
            effective_from=effective_from,
            expected_version=expected_version,
            reason=reason,
            despite_agreements=despite_agreements,
        )


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
        _put_in_force(actor, tenant, planned.adoption, planned.layers)
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
        _tell(actor, "upgrade.applied", upgrade)
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
    running = planned.before.adoption(planned.since)
    if running and follows(upgrade.target, running.version):
        check_offered(tenant, upgrade.target, timezone.localdate(), planned.since)
    _refuse_before_later(planned.before, upgrade.effective_from)
    _refuse_undecided(planned)
    return upgrade, planned


def give_up_upgrade(*, actor: Actor, upgrade_id: UUID, reason: str = "") -> Upgrade:
    """Stay with the version in force; what was decided stays on record.

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
        _tell(actor, "upgrade.given_up", upgrade)
    return upgrade


def roll_back_upgrade(
    *,
    actor: Actor,
    upgrade_id: UUID,
    effective_from: date,
    reason: str = "",
    give_up_later: bool = False,
    despite_agreements: bool = False,
) -> Upgrade:
    """From a day on, exactly what was before the upgrade, at every level; past days keep theirs.

    What was set on top of the new version since would go: refused (CHANGED_SINCE, with whose), unless
    ``give_up_later`` says that it may, which the trail keeps. Refused besides: NOT_FOUND,
    UPGRADE_NOT_IN_FORCE, CHANGE_BACKDATED, LATER_CHANGES, and what keeps it from standing, such as a
    policy that came since; APPROVAL_NEEDED, AGREEMENTS_CLASH and REASON_MISSING as `adopt_version`.
    """
    actor.require(Permission.MODELS_ADOPT)
    with one_at_a_time():
        refuse_unapproved(actor)
        return undo_upgrade(
            actor=actor,
            upgrade_id=upgrade_id,
            effective_from=effective_from,
            reason=reason,
            give_up_later=give_up_later,
            despite_agreements=despite_agreements,
        )


def undo_upgrade(
    *,
    actor: Actor,
    upgrade_id: UUID,
    effective_from: date,
    reason: str = "",
    give_up_later: bool = False,
    despite_agreements: bool = False,
) -> Upgrade:
    """`roll_back_upgrade` by who may decide on it, which the caller has checked."""
    tenant = tenant_of(actor)
    refuse_past(effective_from)
    with one_at_a_time():
        upgrade = _found(upgrade_id)
        book = Rulebook.load()
        if not _brought_in_force(book, upgrade, effective_from):
            message = _("Only the upgrade that brought the version in force can be rolled back.")
            raise Refused("UPGRADE_NOT_IN_FORCE", message, field="upgradeId", state=upgrade.state)
        _refuse_before_later(book, effective_from)
        since = _set_since(book, upgrade, effective_from)
        if since and not give_up_later:
            message = _(
                "Set since the upgrade, and lost with it: {names}. Say that it may be given up, or "
                "leave the upgrade in force."
            )
            names = ", ".join(dict.fromkeys(layer.set_by for layer in since))
            raise Refused(
                "CHANGED_SINCE",
                format_lazy(message, names=names),
                field="giveUpLater",
                layers=[str(layer.pk) for layer in since],
            )
        adoption, layers = _restored(book, tenant, upgrade, effective_from)
        after = book.plus(adoption, *layers)
        faults = after.faults(effective_from)
        if faults:
            raise rules_clash(faults)
        unfit = check_agreements(
            dependents.unfit(book, after, effective_from),
            despite=despite_agreements,
            reason=reason,
        )
        _put_in_force(actor, tenant, adoption, layers)
        upgrade.state = Upgrade.State.ROLLED_BACK
        save_changes(upgrade, ["state"])
        record(
            actor=actor,
            action="models.roll_back_upgrade",
            obj=upgrade,
            before={"state": Upgrade.State.APPLIED},
            after={
                "state": upgrade.state,
                "restored_by": str(adoption.pk),
                "layers": [str(layer.pk) for layer in layers],
                "given_up": [str(layer.pk) for layer in since],
            }
            | despite(unfit),
            reason=reason,
        )
        _tell(actor, "upgrade.rolled_back", upgrade)
        settle_clashes(actor=actor)
    return upgrade


def check_decisions(decisions: Sequence[Said]) -> None:
    """Refused: TOO_MANY_DECISIONS, REASON_TOO_LONG."""
    if len(decisions) > MOST_DECISIONS:
        message = _("At most {most} decisions at once.")
        raise Refused(
            "TOO_MANY_DECISIONS",
            format_lazy(message, most=MOST_DECISIONS),
            field="decisions",
            most=MOST_DECISIONS,
        )
    for position, said in enumerate(decisions):
        if len(said.reason) > sizes.REASON:
            told = format_lazy(_("A reason has {most} characters at most."), most=sizes.REASON)
            raise Refused("REASON_TOO_LONG", told, field=f"decisions.{position}.reason")


def question_changed(path: str, field: str) -> Refused:
    """That something else meets at the place than what was read."""
    message = _("Something else meets at {path} by now. Read the question again.")
    return Refused("QUESTION_CHANGED", format_lazy(message, path=path), field=f"{field}.seen")


def not_in_question(path: str, field: str) -> Refused:
    """That there is nothing to decide at the place."""
    message = _("{path} is not in question here: nothing meets there.")
    return Refused("NOT_IN_QUESTION", format_lazy(message, path=path), field=f"{field}.path")


def level_of(planned: Plan, said: Said, field: str) -> Level:
    """Whose place it is about. Refused: NOT_FOUND, NOT_IN_QUESTION."""
    if said.community_id is not None:
        community_to_act_on(said.community_id)
    level = next((one for one in planned.levels if one.community_id == said.community_id), None)
    if level is None:
        message = _("This community has set nothing, so nothing of it is in question.")
        raise Refused("NOT_IN_QUESTION", message, field=f"{field}.communityId")
    return level


def _found(upgrade_id: UUID) -> Upgrade:
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
    upgrade = _found(upgrade_id)
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


def _refuse_before_later(book: Rulebook, since: date) -> None:
    """What is planned for later days was decided on the version of today, and would have to be decided
    anew as well: so an upgrade comes after it."""
    later = planned_after(book, since)
    if later:
        message = _(
            "For {latest} something is decided already, by: {names}. Choose that day or a later one, or "
            "have it called off: set from that day on what stands today."
        )
        latest = max(day for day, _name in later)
        names = ", ".join(dict.fromkeys(name for _day, name in later))
        raise Refused(
            "LATER_CHANGES",
            format_lazy(message, latest=latest, names=names),
            field="effectiveFrom",
            earliest=latest.isoformat(),
        )


def _row(
    upgrade: Upgrade, standing: Plan, said: Said, position: int, actor: Actor
) -> UpgradeDecision:
    field = f"decisions.{position}"
    level = level_of(standing, said, field)
    place = Aspect(said.aspect), said.path
    question = next((q for q in level.carried.questions if q.place == place), None)
    if question is None:
        if said.choice != UpgradeDecision.Choice.SET or said.aspect != Aspect.VALUE:
            raise not_in_question(said.path, field)
        question = level.carried.question_of(said.path)
    if said.seen is not None and said.seen != question.as_read:
        raise question_changed(said.path, field)
    if said.choice == UpgradeDecision.Choice.SET and said.aspect == Aspect.BOUND:
        parse_bounds({said.path: said.value})
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
            format_lazy(_("{path} is not decided yet."), path=question.path),
            field=question.path,
            community=str(community_id) if community_id else None,
        )
        for community_id, question in planned.open_questions
    ]
    if causes:
        message = _("Places not decided yet: {count}. Decide each; nothing has changed so far.")
        raise Refused("UPGRADE_UNDECIDED", format_lazy(message, count=len(causes)), causes=causes)


def _standing(book: Rulebook, on: date) -> dict[str, Any]:
    """What an upgrade replaces, as `Upgrade.before` keeps it."""
    adoption = book.adoption(on)
    places: list[UUID | None] = [None, *book.communities(on)]
    return {
        "adoption": str(adoption.pk) if adoption else None,
        "layers": {str(c) if c else "": _key(_own(book, c, on)) for c in places},
    }


def _own(book: Rulebook, community_id: UUID | None, on: date) -> Layer | None:
    kind = Layer.Kind.COMMUNITY if community_id else Layer.Kind.STREET
    return book.layer(kind, community_id, on)


def _key(layer: Layer | None) -> str | None:
    return str(layer.pk) if layer else None


def _brought_in_force(book: Rulebook, upgrade: Upgrade, on: date) -> bool:
    """Whether the version of a day is there by this upgrade, and by no later one to the same."""
    running = book.adoption(on)
    later = Upgrade.objects.filter(
        state=Upgrade.State.APPLIED, target=upgrade.target_id, pk__gt=upgrade.pk
    )
    return (
        upgrade.state == Upgrade.State.APPLIED
        and running is not None
        and running.version_id == upgrade.target_id
        and not later.exists()
    )


def _set_since(book: Rulebook, upgrade: Upgrade, on: date) -> list[Layer]:
    """The layers of a day that say something else than the upgrade has left in their places."""
    before: Mapping[str, Any] = upgrade.before or {}
    rows = {str(layer.pk): layer for layer in book.layers}
    left = {
        (f"{row.community_id or ''}"): row
        for key in (*before["layers"].values(), *before["written"])
        if (row := rows.get(key or "")) is not None
    }
    found = []
    for community_id in (None, *book.communities(on)):
        now = _own(book, community_id, on)
        if now and content_of(now) != content_of(left.get(f"{community_id or ''}")):
            found.append(now)
    return found


def _restored(
    book: Rulebook, tenant: Tenant, upgrade: Upgrade, since: date
) -> tuple[Adoption, list[Layer]]:
    """Rows that are not saved: the version of before, and each layer that has to become another."""
    before: Mapping[str, Any] = upgrade.before or {}
    earlier = {str(layer.pk): layer for layer in book.layers}
    adoption = next(a for a in book.adoptions if str(a.pk) == before["adoption"])
    layers = []
    for community_id in (None, *book.communities(since)):
        now = _own(book, community_id, since)
        was = earlier.get(before["layers"].get(str(community_id) if community_id else "") or "")
        values, bounds = (was.values, was.bounds) if was else ({}, {})
        if content_of(now) != content_of(was):
            layers.append(
                Layer(
                    kind=Layer.Kind.COMMUNITY if community_id else Layer.Kind.STREET,
                    community_id=community_id,
                    set_by=now.set_by if now else tenant.name,
                    values=values,
                    bounds=bounds,
                    effective_from=since,
                    reason=was.reason if was else "",
                )
            )
    return Adoption(version=adoption.version, effective_from=since), layers


def _put_in_force(
    actor: Actor, tenant: Tenant, adoption: Adoption, layers: Sequence[Layer]
) -> None:
    adoption.save(force_insert=True)
    version = adoption.version
    for layer in layers:
        layer.save(force_insert=True)
        tell_layer(actor, "layer.set", layer)
    streets = next((layer for layer in layers if layer.kind == Layer.Kind.STREET), None)
    emit(
        actor=actor,
        type="model_version.adopted",
        obj=adoption,
        data={
            "version": version.pk,
            "effective_from": adoption.effective_from,
            "layer": streets.pk if streets else None,
        },
    )
    library.record_adoption(
        actor=actor,
        tenant=tenant,
        adoption_id=adoption.pk,
        published=published_of(version),
        effective_from=adoption.effective_from,
    )
    tell_changes(actor=actor, tenant=tenant, since=adoption.effective_from)


def published_of(version: ModelVersion) -> Any:
    """Its published form, if there is one."""
    return published_from(author_id=version.author_id, key=version.key, number=version.number)


def _told(row: UpgradeDecision) -> dict[str, Any]:
    return snapshot(row, "id", "community", "aspect", "path", "choice", "value", "reason")


def _tell(actor: Actor, type: str, upgrade: Upgrade) -> None:
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
