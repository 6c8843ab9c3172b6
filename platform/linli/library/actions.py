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
from linli.errors import Refused
from linli.library.models import AdoptionRecord, ChangeRecord, Policy, PublishedVersion
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
    *,
    actor: Actor,
    author: Tenant,
    package: Package,
    adoptions: Iterable[UUID],
    derived_from: PublishedVersion | None = None,
) -> PublishedVersion:
    """Put a version on the shelf for every tenant to adopt. Refused: ALREADY_PUBLISHED.

    ``adoptions``: those of the author's own, recorded before, that are of this version.
    ``derived_from``: the version it was made from (M7); unless told, the author's last one before it
    under the same key.
    """
    actor.require(Permission.MODELS_PUBLISH)
    with public_context(), transaction.atomic():
        published = PublishedVersion(
            author=author,
            derived_from=derived_from or _before(author, package),
            **vars(package),
        )
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
                published,
                "author", "derived_from", "key", "number", "digest", "profiles", "case_text",
                "evidence",
            ),
        )  # fmt: skip
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
    """Tell everyone which published version a tenant runs from a day on (M7); None: its own."""
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
    """Tell how a tenant's rules differ from the version it runs, from a day on each (M7)."""
    if not (actor.holds(Permission.MODELS_ADOPT) or actor.holds(Permission.MODELS_OVERRIDE)):
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
