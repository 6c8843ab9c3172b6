"""The public shelf: published versions, and the policies that bind a tenant."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import NotFound
from linli.library.governing import made_to
from linli.library.models import AdoptionRule, Offer, Policy, PublishedVersion
from linli.registry.models import Tenant


def published_versions(*, actor: Actor, profile: str | None = None) -> QuerySet[PublishedVersion]:
    """What every tenant may adopt, the newest first; ``profile``: only what suits such communities."""
    actor.require_somewhere(Permission.LIBRARY_READ)
    versions = PublishedVersion.objects.order_by("-id")
    return versions.filter(profiles__contains=[profile]) if profile else versions


def published_version(published_id: UUID) -> PublishedVersion:
    """One of them, with its author. Refused: NOT_FOUND."""
    published = PublishedVersion.objects.select_related("author").filter(pk=published_id).first()
    if published is None:
        raise NotFound(_("published version"), field="publishedId")
    return published


def published_from(*, author_id: UUID, key: str, number: int) -> PublishedVersion | None:
    """The published form of a version, if its author has published it."""
    return PublishedVersion.objects.filter(author_id=author_id, key=key, number=number).first()


def policies_of(issuer: Tenant) -> list[Policy]:
    """All an issuer has laid down, in the order in which one replaces another."""
    return list(Policy.objects.filter(issuer=issuer).order_by("effective_from", "issued_at", "id"))


def author_name_by_version(rows: Sequence[PublishedVersion], actor: Actor) -> dict[UUID, str]:
    """The library is for everybody, so its authors are named to everybody."""
    names = Tenant.objects.in_bulk({row.author_id for row in rows})
    return {row.pk: names[row.author_id].name for row in rows}


def adoption_rules(*, actor: Actor) -> QuerySet[AdoptionRule]:
    """What was laid down here and above about how units adopt, in the order in which one replaces
    another."""
    actor.require_somewhere(Permission.MODELS_READ)
    if actor.tenant is None:
        return AdoptionRule.objects.none()
    rules = AdoptionRule.objects.filter(issuer__in=[actor.tenant, *actor.tenant.ancestors()])
    return rules.select_related("issuer").order_by("effective_from", "laid_down_at", "id")


def offers(*, actor: Actor) -> QuerySet[Offer]:
    """What this unit offers to those below it, and what is offered to it; the newest first."""
    actor.require_somewhere(Permission.MODELS_READ)
    if actor.tenant is None:
        return Offer.objects.none()
    seen = Offer.objects.filter(Q(issuer=actor.tenant) | made_to(actor.tenant))
    return seen.select_related("version", "issuer").order_by("-id")


def laid_down_by(issuer: Tenant) -> int:
    """How many adoption rules an issuer has laid down so far."""
    return AdoptionRule.objects.filter(issuer=issuer).count()


def number_by_rule(rows: Sequence[AdoptionRule], actor: Actor) -> dict[UUID, int]:
    """Which of its issuer's each is, from 1 on, as they were laid down."""
    counted: Counter[UUID] = Counter()
    numbers = {}
    issuers = {row.issuer_id for row in rows}
    told = AdoptionRule.objects.filter(issuer__in=issuers).order_by("pk")
    for pk, issuer in told.values_list("pk", "issuer"):
        counted[issuer] += 1
        numbers[pk] = counted[issuer]
    return numbers


def units_by_offer(rows: Sequence[Offer], actor: Actor) -> dict[UUID, list[str]]:
    """The names of those an offer is made to; to one of them only its own, for whom else it is made
    to is not theirs to know. None where it is made to all."""
    own = actor.tenant_id
    shown = {
        row.pk: row.units if row.issuer_id == own else [own]
        for row in rows
        if row.units is not None
    }
    names = Tenant.objects.in_bulk({pk for units in shown.values() for pk in units})
    return {pk: sorted(names[one].name for one in units) for pk, units in shown.items()}
