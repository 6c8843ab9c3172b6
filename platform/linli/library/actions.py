"""What tenants put on the public shelf. Rows here and their trail stand in the public schema.

Called by a tenant's own actions, which have checked the content; these write it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.library.models import AdoptionRecord, AdoptionRule, Offer, Policy, PublishedVersion
from linli.registry.models import Tenant
from linli.tenancy.context import public_context


@dataclass(frozen=True)
class Package:
    """All that leaves a tenant when it publishes: nothing else does (M4).

    `document` and `bounds` as JSON values, `profiles` the kinds of community it suits, `evidence`
    the author's measured outcomes by measure.
    """

    key: str
    number: int
    title: str
    document: Mapping[str, Any]
    bounds: Mapping[str, Any]
    digest: str
    notes: str
    profiles: Sequence[str]
    case_text: str
    evidence: Mapping[str, Any]


def publish(
    *, actor: Actor, author: Tenant, package: Package, adoptions: Iterable[UUID]
) -> PublishedVersion:
    """Put a version on the shelf for every tenant to adopt. Refused: ALREADY_PUBLISHED.

    ``adoptions``: those of the author's own, recorded before, that are of this version.
    """
    actor.require(Permission.MODELS_PUBLISH)
    with public_context(), transaction.atomic():
        published = PublishedVersion(author=author, **vars(package))
        try:
            with transaction.atomic():
                published.save(force_insert=True)
        except IntegrityError as error:
            message = _("{version} is in the library already. Write a new version to publish it.")
            raise Refused(
                "ALREADY_PUBLISHED", format_lazy(message, version=str(published)), field="versionId"
            ) from error
        record(
            actor=actor,
            action="library.publish",
            obj=published,
            before=None,
            after=snapshot(
                published, "author", "key", "number", "digest", "profiles", "case_text", "evidence"
            ),
        )
        for told in AdoptionRecord.objects.filter(pk__in=list(adoptions)).order_by("pk"):
            before = snapshot(told, "version")
            told.version = published
            told.save(update_fields=["version"])
            record(
                actor=actor,
                action="library.name_adopted",
                obj=told,
                before=before,
                after=snapshot(told, "version"),
            )
    return published


def issue(
    *,
    actor: Actor,
    issuer: Tenant,
    values: Mapping[str, Any],
    bounds: Mapping[str, Any],
    effective_from: date,
    reason: str,
) -> Policy:
    """Lay down a policy for every tenant below the issuer, now and later (M3)."""
    actor.require(Permission.MODELS_ISSUE_POLICY)
    with public_context(), transaction.atomic():
        policy = Policy.objects.create(
            issuer=issuer,
            values=values,
            bounds=bounds,
            effective_from=effective_from,
            reason=reason,
        )
        record(
            actor=actor,
            action="library.issue_policy",
            obj=policy,
            before=None,
            after=snapshot(policy),
            reason=reason,
        )
    return policy


def record_adoption(
    *,
    actor: Actor,
    tenant: Tenant,
    adoption_id: UUID,
    published: PublishedVersion | None,
    effective_from: date,
) -> AdoptionRecord:
    """Tell everyone which published version a tenant runs from a day on (M7); None: its own.

    By whoever adopts it, or approves that it is adopted.
    """
    if not actor.allows(Permission.MODELS_APPROVE):
        actor.require(Permission.MODELS_ADOPT)
    with public_context(), transaction.atomic():
        told = AdoptionRecord.objects.create(
            id=adoption_id, tenant=tenant, version=published, effective_from=effective_from
        )
        record(
            actor=actor,
            action="library.record_adoption",
            obj=told,
            before=None,
            after=snapshot(told),
        )
    return told


def lay_down_rule(
    *,
    actor: Actor,
    issuer: Tenant,
    approver: AdoptionRule.Approver,
    upgrades: AdoptionRule.Upgrades,
    effective_from: date,
    reason: str,
) -> AdoptionRule:
    """Lay down how the tenants below the issuer adopt and upgrade, from a day on (M5, M6)."""
    actor.require(Permission.MODELS_ISSUE_POLICY)
    with public_context(), transaction.atomic():
        rule = AdoptionRule.objects.create(
            issuer=issuer,
            approver=approver,
            upgrades=upgrades,
            effective_from=effective_from,
            reason=reason,
        )
        record(
            actor=actor,
            action="library.lay_down_rule",
            obj=rule,
            before=None,
            after=snapshot(rule),
            reason=reason,
        )
    return rule


def make_offer(*, actor: Actor, offer: Offer) -> Offer:
    """Offer a published version to tenants below the issuer (M6)."""
    actor.require(Permission.MODELS_ISSUE_POLICY)
    with public_context(), transaction.atomic():
        offer.save(force_insert=True)
        record(
            actor=actor,
            action="library.make_offer",
            obj=offer,
            before=None,
            after=snapshot(offer),
        )
    return offer


def end_offer(*, actor: Actor, issuer: Tenant, offer_id: UUID, on: date, reason: str) -> Offer:
    """An offer counts no more from a day on. Refused: NOT_FOUND, OFFER_WITHDRAWN."""
    actor.require(Permission.MODELS_ISSUE_POLICY)
    with public_context(), transaction.atomic():
        offers = Offer.objects.select_for_update(of=("self",), no_key=True)
        offer = offers.select_related("version").filter(pk=offer_id, issuer=issuer).first()
        if offer is None:
            raise NotFound(_("offer"), field="offerId")
        if offer.withdrawn_on is not None:
            message = _("This offer was withdrawn on {day}.")
            told = format_lazy(message, day=offer.withdrawn_on)
            raise Refused("OFFER_WITHDRAWN", told, field="offerId")
        before = snapshot(offer)
        offer.withdrawn_on, offer.withdrawn_reason = on, reason
        offer.save(update_fields=["withdrawn_on", "withdrawn_reason"])
        record(
            actor=actor,
            action="library.end_offer",
            obj=offer,
            before=before,
            after=snapshot(offer),
            reason=reason,
        )
    return offer
