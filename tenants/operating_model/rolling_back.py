"""Rolling an upgrade back: a new dated change that restores exactly what was (M6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record
from linli.errors import Refused
from linli.library.governing import refuse_behind_binding
from linli.registry.models import Tenant
from linli.rules import save_changes
from tenants.operating_model import dependents
from tenants.operating_model.closing_requests import withdraw_overtaken
from tenants.operating_model.governing import refuse_unapproved
from tenants.operating_model.models import Adoption, Layer, ModelVersion, Upgrade
from tenants.operating_model.policies import settle_clashes
from tenants.operating_model.proposals import (
    check_agreements,
    despite,
    refuse_past,
    rules_clash,
    tenant_of,
)
from tenants.operating_model.rulebook import Rulebook, one_at_a_time
from tenants.operating_model.taking_effect import take_effect
from tenants.operating_model.upgrades import found_upgrade, tell_upgrade
from tenants.operating_model.upgrading import content_of, own_layer, refuse_before_later


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
    UPGRADE_NOT_IN_FORCE, CHANGE_BACKDATED, LATER_CHANGES, BINDING, and what keeps it from standing, such as a
    policy that came since, with the way out; APPROVAL_NEEDED, AGREEMENTS_CLASH and REASON_MISSING as `adopt_version`.
    """
    actor.require(Permission.MODELS_ADOPT)
    with one_at_a_time():
        refuse_unapproved(actor)
        upgrade = undo_upgrade(
            actor=actor,
            upgrade_id=upgrade_id,
            effective_from=effective_from,
            reason=reason,
            give_up_later=give_up_later,
            despite_agreements=despite_agreements,
        )
        withdraw_overtaken(actor)
    return upgrade


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
    with one_at_a_time():
        upgrade, planned = plan_to_roll_back(
            tenant, upgrade_id, effective_from=effective_from, give_up_later=give_up_later
        )
        unfit = check_agreements(planned.unfit(), despite=despite_agreements, reason=reason)
        take_effect(actor, tenant, planned.adoption, planned.layers)
        upgrade.state = Upgrade.State.ROLLED_BACK
        save_changes(upgrade, ["state"])
        record(
            actor=actor,
            action="models.roll_back_upgrade",
            obj=upgrade,
            before={"state": Upgrade.State.APPLIED},
            after={
                "state": upgrade.state,
                "restored_by": str(planned.adoption.pk),
                "layers": [str(layer.pk) for layer in planned.layers],
                "given_up": [str(layer.pk) for layer in planned.given_up],
            }
            | despite(unfit),
            reason=reason,
        )
        tell_upgrade(actor, "upgrade.rolled_back", upgrade)
        settle_clashes(actor=actor)
    return upgrade


@dataclass(frozen=True)
class RollBack:
    """What a roll back comes to. `adoption` and `layers` are rows that are not saved; `given_up` is what
    was set since the upgrade and goes with it."""

    since: date
    before: Rulebook
    after: Rulebook
    adoption: Adoption
    layers: tuple[Layer, ...]
    given_up: tuple[Layer, ...]

    def unfit(self) -> list[dependents.Unfit]:
        """The running agreements that would no longer fit."""
        return dependents.unfit(self.before, self.after, self.since)


def plan_to_roll_back(
    tenant: Tenant, upgrade_id: UUID, *, effective_from: date, give_up_later: bool
) -> tuple[Upgrade, RollBack]:
    """An upgrade that can be rolled back as it stands; for actions that hold the rules. Refused: as
    `plan_roll_back`, and NOT_FOUND."""
    upgrade = found_upgrade(upgrade_id)
    return upgrade, plan_roll_back(
        Rulebook.load(),
        tenant,
        upgrade,
        effective_from=effective_from,
        give_up_later=give_up_later,
    )


def plan_roll_back(
    book: Rulebook,
    tenant: Tenant,
    upgrade: Upgrade,
    *,
    effective_from: date,
    give_up_later: bool = False,
) -> RollBack:
    """What `roll_back_upgrade` would do; nothing is written. Refused as that, but for what is between people
    and of agreements."""
    refuse_past(effective_from)
    if not _brought_in_force(book, upgrade, effective_from):
        message = _(
            "What is in force on that day did not come by this upgrade to {version}. Only the upgrade that "
            "brought it can be rolled back."
        )
        told = format_lazy(message, version=str(upgrade.target))
        raise Refused("UPGRADE_NOT_IN_FORCE", told, field="upgradeId", state=upgrade.state)
    refuse_before_later(book, effective_from)
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
    refuse_behind_binding(tenant, adoption.version, effective_from)
    after = book.plus(adoption, *layers)
    faults = after.faults(effective_from)
    if faults:
        raise rules_clash([one for f in faults for one in _with_way_out(f, adoption.version)])
    return RollBack(effective_from, book, after, adoption, tuple(layers), tuple(since))


def _with_way_out(fault: Refused, version: ModelVersion) -> Iterator[Refused]:
    """A roll back restores all of it or nothing; place by place one goes back by an upgrade."""
    message = _(
        "{fault} A roll back restores exactly what was. To go back all the same, open an upgrade to "
        "{version}: there each such place is decided."
    )
    for one in fault.faults:
        told = format_lazy(message, fault=one.message, version=str(version))
        yield Refused(one.code, told, field=one.field, **one.data)


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
        now = own_layer(book, community_id, on)
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
        now = own_layer(book, community_id, since)
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
