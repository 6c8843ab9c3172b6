"""What tenants put on the public shelf. Rows here and their trail stand in the public schema.

Called by a tenant's own actions, which have checked the content; these write it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.library.models import (
    AdoptionRecord,
    AdoptionRule,
    ChangeRecord,
    Offer,
    Outcome,
    Policy,
    PublishedVersion,
)
from linli.library.personal import check_texts
from linli.library.pictures import attach, check_words
from linli.library.search import grams, one_spelling
from linli.library.selectors import refuse_withdrawn
from linli.library.visibility import audience_of
from linli.registry.models import Tenant
from linli.rules import check_version, is_blank, save_changes, upheld
from linli.tenancy.context import public_context


@dataclass(frozen=True)
class Package:
    """All that leaves a tenant when it publishes: nothing else does (M4).

    Field by field, and a test holds that there is no other:

    - ``key``, ``number``, ``title``, ``digest``, ``notes``: the version's own;
    - ``document``, ``bounds``: the model, as JSON values;
    - ``profiles``: the kinds of community it suits; ``case_text``: the case in words. What people typed
      is searched for numbers and addresses of persons before (`linli.library.personal`);
    - ``evidence``: by measure what the platform measured of the whole tenant in the period from
      ``evidence_starts_on`` until before ``evidence_ends_on``: value and as_of at its end, start_value
      and start_as_of at its start, unit; no period: published without evidence;
    - ``ran_in``: how many communities ran it in that period, by profile, and their residents together;
      withheld where there are too few of them (`tenants.operating_model.evidence`).
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
    evidence_starts_on: date | None = None
    evidence_ends_on: date | None = None
    ran_in: Mapping[str, Any] | None = None


def publish(
    *,
    actor: Actor,
    author: Tenant,
    package: Package,
    adoptions: Iterable[UUID],
    visibility: str = PublishedVersion.Visibility.ALL,
    pictures: Sequence[Mapping[str, Any]] = (),
    derived_from: PublishedVersion | None = None,
) -> PublishedVersion:
    """Put a version on the shelf for those who shall see it to adopt.

    ``adoptions``: those of the author's own, recorded before, that are of this version. ``pictures``:
    picture_id, alt, caption of uploads. Refused: ALREADY_PUBLISHED, VISIBILITY_INVALID, NO_UNIT_ABOVE,
    what `check_words` and `attach` of `linli.library.pictures` refuse.
    ``derived_from``: the version it was made from (M7); unless told, the author's last one before it
    under the same key.
    """
    actor.require(Permission.MODELS_PUBLISH)
    check_words(pictures)
    searched = one_spelling(package.title, package.notes, package.case_text)
    with public_context(), transaction.atomic():
        published = PublishedVersion(
            author=author,
            visibility=visibility,
            audience_id=audience_of(author, visibility),
            place=author.division_id or "",
            under=[author.pk, *(above.pk for above in author.ancestors())],
            searched=searched,
            grams=grams(searched),
            derived_from=derived_from or _before(author, package),
            **vars(package),
        )
        with upheld(published_once=lambda: _already_published(published)):
            published.save(force_insert=True)
        add_outcomes(published)
        attach(published, author, pictures)
        after = snapshot(
            published, "author", "derived_from", "key", "number", "digest", "profiles", "case_text", "evidence",
            "evidence_starts_on", "evidence_ends_on", "ran_in", "visibility",
        )  # fmt: skip
        record(
            actor=actor,
            action="library.publish",
            obj=published,
            before=None,
            after=after | {"pictures": [str(picture["picture_id"]) for picture in pictures]},
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


def add_outcomes(published: PublishedVersion) -> None:
    """What was measured as rows, for it to be found by. Part of the caller's action."""
    Outcome.objects.bulk_create(
        Outcome(version=published, measure=measure, value=Decimal(told["value"]))
        for measure, told in published.evidence.items()
        if told["value"] is not None
    )


def change_visibility(
    *,
    actor: Actor,
    author: Tenant,
    published_id: UUID,
    visibility: str,
    expected_version: int | None = None,
) -> PublishedVersion:
    """Show an own version to others than before; whoever runs it keeps its copy (M4).

    Refused: NOT_FOUND, VERSION_CONFLICT, VISIBILITY_INVALID, NO_UNIT_ABOVE, NOTHING_CHANGES.
    """
    actor.require(Permission.MODELS_PUBLISH)
    with public_context(), transaction.atomic():
        published = _own(author, published_id)
        check_version(published, expected_version)
        if published.visibility == visibility:
            raise Refused("NOTHING_CHANGES", _("This is who sees it already."), field="visibility")
        before = snapshot(published, "visibility", "audience_id")
        published.audience_id = audience_of(author, visibility)
        published.visibility = visibility
        save_changes(published, ["visibility", "audience_id"])
        record(
            actor=actor,
            action="library.change_visibility",
            obj=published,
            before=before,
            after=snapshot(published, "visibility", "audience_id"),
        )
    return published


def withdraw(
    *, actor: Actor, author: Tenant, published_id: UUID, reason: str
) -> tuple[PublishedVersion, list[UUID]]:
    """Take an own version back: from then on nobody adopts it; whoever runs it keeps it (M4).

    It and the tenants other than the author that have adopted it at any time. Waits for adoptions that
    are under way (`linli.library.selectors.hold`), so that they are among these. Refused: NOT_FOUND,
    REASON_MISSING, PERSONAL_DATA (in the reason, which all who see it read), WITHDRAWN (before).
    """
    actor.require(Permission.MODELS_PUBLISH)
    if is_blank(reason):
        message = _("Say why it is withdrawn: whoever runs it reads that.")
        raise Refused("REASON_MISSING", message, field="reason")
    check_texts({"reason": reason})
    with public_context(), transaction.atomic():
        published = _own(author, published_id)
        refuse_withdrawn(published)
        before = snapshot(published, "withdrawn_at")
        published.withdrawn_at = timezone.now()
        published.withdrawal_reason = reason.strip()
        save_changes(published, ["withdrawn_at", "withdrawal_reason"])
        record(
            actor=actor,
            action="library.withdraw",
            obj=published,
            before=before,
            after=snapshot(published, "withdrawn_at"),
            reason=reason.strip(),
        )
        told = AdoptionRecord.objects.filter(version=published).exclude(tenant=author)
        return published, sorted(set(told.values_list("tenant", flat=True)))


def _own(author: Tenant, published_id: UUID) -> PublishedVersion:
    """One of the author's, for this transaction alone. Refused: NOT_FOUND."""
    found = PublishedVersion.objects.select_for_update(no_key=True).filter(
        pk=published_id, author=author
    )
    published = found.first()
    if published is None:
        raise NotFound(_("published version"), field="versionId")
    return published


def _already_published(published: PublishedVersion) -> Refused:
    message = _("{version} is in the library already. Write a new version to publish it.")
    told = format_lazy(message, version=str(published))
    return Refused("ALREADY_PUBLISHED", told, field="versionId")


def _before(author: Tenant, package: Package) -> PublishedVersion | None:
    earlier = PublishedVersion.objects.filter(author=author, key=package.key)
    return earlier.filter(number__lt=package.number).order_by("-number").first()


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


def record_changes(*, actor: Actor, told: Iterable[ChangeRecord]) -> None:
    """Tell how a tenant's rules differ from the version it runs, from a day on each (M7).

    By whoever changes them, or approves that they are changed.
    """
    may = (Permission.MODELS_APPROVE, Permission.MODELS_ADOPT, Permission.MODELS_OVERRIDE)
    if not any(actor.holds(permission) for permission in may):
        raise actor.forbidden(Permission.MODELS_OVERRIDE)
    with public_context(), transaction.atomic():
        for one in told:
            one.save(force_insert=True)
            record(
                actor=actor,
                action="library.record_changes",
                obj=one,
                before=None,
                after=snapshot(one, "tenant", "effective_from", "places", "communities"),
            )


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
