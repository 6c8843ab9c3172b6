"""Whom this installation believes, and what comes from there."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from linli.accounts.policy import Actor, Permission
from linli.library.models import PublishedVersion, TrustedSource
from linli.registry.models import Tenant


def trusted_sources(*, actor: Actor) -> QuerySet[TrustedSource]:
    """The installations whose packages are or were believed: for all who read the library."""
    actor.require_somewhere(Permission.LIBRARY_READ)
    return TrustedSource.objects.order_by("name", "id")


def importer_name_by_version(rows: Sequence[PublishedVersion], actor: Actor) -> dict[UUID, str]:
    """Who brought a version here, by name: the library is for everybody, and so is that."""
    names = Tenant.objects.in_bulk({row.imported_by_id for row in rows} - {None})
    return {row.pk: names[row.imported_by_id].name for row in rows if row.imported_by_id}
