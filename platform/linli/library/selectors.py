"""The public shelf: published versions, and the policies that bind a tenant."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import NotFound
from linli.library.models import Policy, PublishedVersion
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
