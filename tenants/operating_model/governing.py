"""What a district or a city decides about how the units below it adopt and upgrade (M5, M6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.events.emit import emit
from linli.library import actions as library
from linli.library.governing import approval_needed, in_force, who_approves
from linli.library.models import AdoptionRule, Offer, PublishedVersion
from linli.library.selectors import laid_down_by, published_version, refuse_withdrawn
from linli.library.visibility import visible_in
from linli.registry.models import Tenant
from linli.rules import check_count, is_blank
from tenants.operating_model.proposals import refuse_past, tenant_of
from tenants.operating_model.rulebook import one_at_a_time


def set_adoption_rule(
    *,
    actor: Actor,
    approver: str,
    upgrades: str,
    effective_from: date,
    reason: str = "",
    expected_version: int | None = None,
) -> AdoptionRule:
    """Lay down who approves what the units below adopt, and what they may upgrade to (M5, M6).

    From a day on, today or later; it replaces this unit's earlier rule. ``approver`` and
    ``upgrades`` are values of `AdoptionRule`. ``expected_version`` is how many rules this unit had
    laid down when it was decided. Refused: TENANT_KIND, CHANGE_BACKDATED, APPROVER_MISSING (a city,
    where there is none above), VERSION_CONFLICT, NOTHING_CHANGES.
    """
    actor.require(Permission.MODELS_ISSUE_POLICY)
    tenant = _issuer(actor)
    refuse_past(effective_from)
    by, to = AdoptionRule.Approver(approver), AdoptionRule.Upgrades(upgrades)
    if by == AdoptionRule.Approver.CITY and not _under_a_city(tenant):
        message = _("There is no city above {name} to approve anything. Choose the district.")
        raise Refused("APPROVER_MISSING", format_lazy(message, name=tenant.name), field="approver")
    with one_at_a_time():
        check_count(laid_down_by(tenant), expected_version)
        standing = in_force([tenant], effective_from).get(tenant.pk)
        if standing and (standing.approver, standing.upgrades) == (by, to):
            message = _("This is what is in force on that day already.")
            raise Refused("NOTHING_CHANGES", message)
        rule = library.lay_down_rule(
            actor=actor,
            issuer=tenant,
            approver=by,
            upgrades=to,
            effective_from=effective_from,
            reason=reason,
        )
        told = ("approver", "upgrades", "effective_from")
        record(
            actor=actor,
            action="models.set_adoption_rule",
            obj=rule,
            before=snapshot(standing, *told) if standing else None,
            after=snapshot(rule, *told),
            reason=reason,
        )
        emit(
            actor=actor,
            type="adoption_rule.set",
            obj=rule,
            data={name: getattr(rule, name) for name in told},
        )
    return rule


def offer_version(
    *,
    actor: Actor,
    published_id: UUID,
    effective_from: date,
    unit_ids: Sequence[UUID] | None = None,
    binding_by: date | None = None,
    note: str = "",
) -> Offer:
    """Offer a published version to street offices below, or (None) to all, from a day on (M6).

    ``binding_by``: the day by which they are to have applied it; None: they may decline it.
    Refused: TENANT_KIND, NOT_FOUND (a version, a unit that is not below), CHANGE_BACKDATED,
    OFFERED_TO_NOBODY, NOT_SEEN_THERE (a unit it is offered to does not see it), DUE_TOO_EARLY.
    """
    actor.require(Permission.MODELS_ISSUE_POLICY)
    tenant = _issuer(actor)
    published = published_version(published_id, reader=tenant)
    refuse_withdrawn(published)
    units = None if unit_ids is None else _units_below(tenant, unit_ids)
    _refuse_unseen(tenant, published, units)
    refuse_past(effective_from)
    if binding_by is not None and binding_by < effective_from:
        message = _("It is offered from {day} on, so it cannot be due before that day.")
        raise Refused("DUE_TOO_EARLY", format_lazy(message, day=effective_from), field="bindingBy")
    with one_at_a_time():
        offer = library.make_offer(
            actor=actor,
            offer=Offer(
                issuer=tenant,
                version=published,
                units=units,
                effective_from=effective_from,
                binding_by=binding_by,
                note=note.strip(),
            ),
        )
        record(
            actor=actor,
            action="models.offer_version",
            obj=offer,
            before=None,
            after=snapshot(offer, "version", "units", "effective_from", "binding_by"),
        )
        _tell(actor, "offer.made", offer)
    return offer


def withdraw_offer(*, actor: Actor, offer_id: UUID, reason: str) -> Offer:
    """An offer counts no more from today on; who has taken it up keeps what it runs.

    Refused: REASON_MISSING, NOT_FOUND, OFFER_WITHDRAWN.
    """
    actor.require(Permission.MODELS_ISSUE_POLICY)
    tenant = tenant_of(actor)
    require_reason(reason)
    with one_at_a_time():
        offer = library.end_offer(
            actor=actor,
            issuer=tenant,
            offer_id=offer_id,
            on=timezone.localdate(),
            reason=reason.strip(),
        )
        record(
            actor=actor,
            action="models.withdraw_offer",
            obj=offer,
            before={"withdrawn_on": None},
            after=snapshot(offer, "withdrawn_on"),
            reason=reason,
        )
        _tell(actor, "offer.withdrawn", offer)
    return offer


def refuse_unapproved(actor: Actor) -> None:
    """Refused: APPROVAL_NEEDED where another must approve what the unit adopts, by today's rule.

    The platform acting by itself has nobody to ask: it sets up what is there to be tried out.
    """
    if actor.principal_id is None:
        return
    rule = approval_needed(tenant_of(actor), timezone.localdate())
    if rule is not None:
        assert rule.approver_by is not None
        message = _(
            "{issuer} has laid down that this is approved first, by: {approver}. Ask for it with "
            "requestAdoption, or requestUpgrade."
        )
        raise Refused(
            "APPROVAL_NEEDED",
            format_lazy(message, issuer=rule.approver_by.name, approver=who_approves(rule)),
            laid_down_by=rule.approver_by.name,
            approver=rule.approver.value,
        )


def require_reason(reason: str) -> None:
    """Refused: REASON_MISSING where nothing is said."""
    if is_blank(reason):
        raise Refused("REASON_MISSING", _("Say why: the reason is kept."), field="reason")


def _issuer(actor: Actor) -> Tenant:
    tenant = tenant_of(actor)
    if tenant.kind == Tenant.Kind.STREET:
        message = _("A street office has no units below it. A district or a city lays this down.")
        raise Refused("TENANT_KIND", message, kind=tenant.kind)
    return tenant


def _under_a_city(tenant: Tenant) -> bool:
    return any(one.kind == Tenant.Kind.CITY for one in (tenant, *tenant.ancestors()))


def _units_below(tenant: Tenant, unit_ids: Sequence[UUID]) -> list[UUID]:
    """The street offices with these ids, each once. Refused: OFFERED_TO_NOBODY, NOT_FOUND."""
    streets = {one.pk for one in tenant.descendants() if one.kind == Tenant.Kind.STREET}
    if not unit_ids:
        message = _("Name at least one street office, or leave this out to offer it to all.")
        raise Refused("OFFERED_TO_NOBODY", message, field="unitIds")
    for index, pk in enumerate(unit_ids):
        if pk not in streets:
            raise NotFound(_("street office"), field=f"unitIds.{index}")
    return list(dict.fromkeys(unit_ids))


def _refuse_unseen(issuer: Tenant, published: PublishedVersion, units: list[UUID] | None) -> None:
    """Who does not see a version cannot adopt it: a binding offer of it would fail day after day. What is
    offered to all is seen by the issuer with all below, those to come included."""
    if published.visibility == PublishedVersion.Visibility.ALL:
        return
    within = {issuer.pk, *(above.pk for above in issuer.ancestors())}
    if published.audience_id in within:
        return
    streets = [one for one in issuer.descendants() if one.kind == Tenant.Kind.STREET]
    named = [one for one in streets if units is not None and one.pk in units]
    unseen = [one.name for one in named if not visible_in(one).filter(pk=published.pk).exists()]
    if units is not None and not unseen:
        return
    message = _(
        "{version} is not shown to {names}, who could not adopt it. Its author can show it to them first."
    )
    names = ", ".join(unseen) or _("all units below")
    raise Refused(
        "NOT_SEEN_THERE",
        format_lazy(message, version=str(published), names=names),
        field="publishedId",
    )


def _tell(actor: Actor, type: str, offer: Offer) -> None:
    emit(
        actor=actor,
        type=type,
        obj=offer,
        data={
            "version": offer.version_id,
            "effective_from": offer.effective_from,
            "binding": offer.binding_by is not None,
            "to_all": offer.units is None,
        },
    )
