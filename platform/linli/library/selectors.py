"""The public shelf: published versions, and the policies that bind a tenant."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import NotFound, Refused
from linli.library.governing import is_behind, made_to, versions_run_by
from linli.library.models import AdoptionRule, Offer, Outcome, Policy, PublishedVersion
from linli.library.visibility import visible_in, visible_to
from linli.registry.models import Tenant


def published_versions(*, actor: Actor, profile: str | None = None) -> QuerySet[PublishedVersion]:
    """What the actor may see of the library, the newest first, what was withdrawn as well;
    ``profile``: only what suits such communities."""
    actor.require_somewhere(Permission.LIBRARY_READ)
    versions = visible_to(actor).order_by("-id")
    return versions.filter(profiles__contains=[profile]) if profile else versions


def published_version(published_id: UUID, *, reader: Tenant) -> PublishedVersion:
    """One of those that a tenant sees, with its author. Refused: NOT_FOUND."""
    seen = visible_in(reader).select_related("author")
    published = seen.filter(pk=published_id).first()
    if published is None:
        raise NotFound(_("published version"), field="publishedId")
    return published


def hold(published_id: UUID) -> None:
    """Until the transaction ends nobody withdraws it or shows it to others: what is read of it from
    here on holds when it is adopted. Others may adopt it meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM public.library_publishedversion WHERE id = %s FOR SHARE", [published_id]
        )


def refuse_withdrawn(published: PublishedVersion) -> None:
    """Refused: WITHDRAWN, with the author's reason."""
    if published.withdrawn_at is not None:
        message = _("{version} was withdrawn by its author on {day}: {reason}")
        told = format_lazy(
            message,
            version=str(published),
            day=timezone.localdate(published.withdrawn_at),
            reason=published.withdrawal_reason,
        )
        raise Refused("WITHDRAWN", told, field="publishedId")


def publications(versions: Iterable[tuple[UUID, str, int]]) -> list[PublishedVersion]:
    """The published forms of versions, each by author, key and number, where there is one."""
    wanted = Q()
    for author_id, key, number in versions:
        wanted |= Q(author_id=author_id, key=key, number=number)
        wanted |= Q(author=None, origin_author_id=author_id, key=key, number=number)
    return list(PublishedVersion.objects.filter(wanted)) if wanted else []


def with_outcome(outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    """The lookup of versions with a measured outcome of at least and at most a value.

    ``measure``, ``at_least``, ``at_most``.
    """
    found = Outcome.objects.filter(measure=outcome["measure"])
    if outcome.get("at_least") is not None:
        found = found.filter(value__gte=outcome["at_least"])
    if outcome.get("at_most") is not None:
        found = found.filter(value__lte=outcome["at_most"])
    return {"pk__in": found.values("version")}


def published_from(*, author_id: UUID, key: str, number: int) -> PublishedVersion | None:
    """The published form of a version, if its author has published it, here or over there."""
    written = Q(author_id=author_id) | Q(author=None, origin_author_id=author_id)
    return PublishedVersion.objects.filter(written, key=key, number=number).first()


def policies_of(issuer: Tenant) -> list[Policy]:
    """All an issuer has laid down, in the order in which one replaces another."""
    return list(Policy.objects.filter(issuer=issuer).order_by("effective_from", "issued_at", "id"))


def author_name_by_version(rows: Sequence[PublishedVersion], actor: Actor) -> dict[UUID, str]:
    """The library is for everybody, so its authors are named to everybody."""
    names = Tenant.objects.in_bulk({row.author_id for row in rows} - {None})
    return {row.pk: names[row.author_id].name if row.author_id else row.origin_name for row in rows}


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


def behind_by_offer(rows: Sequence[Offer], actor: Actor) -> dict[UUID, list[str]]:
    """Of each offer that binds by today, the names of those who still run an earlier version of its
    model: to its issuer all of them, to a unit at most its own."""
    today, own = timezone.localdate(), actor.tenant
    due = [row for row in rows if own is not None and row.is_due(today)]
    if own is None or not due:
        return {}
    below = list(own.descendants())
    running = versions_run_by([own.pk, *(unit.pk for unit in below)], today)
    return {
        row.pk: sorted(
            unit.name
            for unit in (below if row.issuer_id == own.pk else [own])
            if unit.is_served and is_behind(unit, running, row)
        )
        for row in due
    }


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
