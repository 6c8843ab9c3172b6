"""Who runs which version, and what they changed of it (M7): from public rows, no tenant's schema.

Statements do not grow with versions or tenants. A unit is told by its name to whoever reads the
library, for what it runs is public and a unit's name is not personal; what it set is told with the
version it set it on, so to those who may see that version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.accounts.selectors import tenants as seen
from linli.errors import NotFound
from linli.library.models import AdoptionRecord, ChangeRecord, PublishedVersion
from linli.library.selectors import published_versions
from linli.registry.models import Tenant

GONE = (Tenant.Status.ARCHIVED, Tenant.Status.PURGED)

# Up from one version to the first, then down to all that came from it.
_TREE = """
    WITH RECURSIVE above AS (
        SELECT id, derived_from_id FROM library_publishedversion WHERE id = %s
        UNION
        SELECT one.id, one.derived_from_id FROM library_publishedversion one
        JOIN above ON one.id = above.derived_from_id
    ), tree AS (
        SELECT id FROM above WHERE derived_from_id IS NULL
        UNION
        SELECT one.id FROM library_publishedversion one JOIN tree ON one.derived_from_id = tree.id
    )
    SELECT id FROM tree
"""


@dataclass(eq=False)
class Runner:
    """A unit that runs a version. ``since``: the first day of its unbroken run of that version."""

    tenant: Tenant
    version_id: UUID
    since: date
    on: date

    @property
    def pk(self) -> UUID:
        return self.tenant.pk


def relatives(*, actor: Actor, version_id: UUID) -> list[PublishedVersion]:
    """All versions of one descent that the actor may see, the oldest first. Refused: NOT_FOUND."""
    visible = published_versions(actor=actor)
    if not visible.filter(pk=version_id).exists():
        raise NotFound(_("published version"), field="versionId")
    with connection.cursor() as cursor:
        cursor.execute(_TREE, [version_id])
        keys = [key for (key,) in cursor.fetchall()]
    return list(visible.filter(pk__in=keys).select_related("author").order_by("id"))


def of_one_model(*, actor: Actor, version_id: UUID) -> list[PublishedVersion]:
    """All versions of one model that the actor may see: one author's, under one key; the first
    first. Refused: NOT_FOUND."""
    visible = published_versions(actor=actor)
    one = visible.filter(pk=version_id).first()
    if one is None:
        raise NotFound(_("published version"), field="versionId")
    same = visible.filter(key=one.key, author=one.author_id, origin_author_id=one.origin_author_id)
    return list(same.select_related("author").order_by("number"))


def runners(
    *,
    actor: Actor,
    versions: Iterable[PublishedVersion],
    on: date,
    under_id: UUID | None = None,
) -> list[Runner]:
    """The units that run one of these versions on a day, by the version, then since when, then name;
    ``under_id``: only that one and those below it. No sandboxes, none that is archived. Refused:
    NOT_FOUND for a tenant that the actor may not see."""
    actor.require_somewhere(Permission.LIBRARY_READ)
    keys = {version.pk for version in versions}
    tenants = Tenant.objects.filter(~Q(status__in=GONE), sandbox=None, adoptions__version__in=keys)
    if under_id is not None:
        if not seen(actor=actor).filter(pk=under_id).exists():
            raise NotFound(_("tenant"), field="underId")
        below = Q(parent=under_id) | Q(parent__parent=under_id)
        tenants = tenants.filter(Q(pk=under_id) | below)
    by_key = tenants.distinct().in_bulk()
    told = AdoptionRecord.objects.filter(tenant__in=by_key, effective_from__lte=on)
    found = [
        Runner(by_key[tenant_id], version_id, since, on)
        for tenant_id, version_id, since in _runs(told.order_by("tenant", "effective_from", "id"))
        if version_id in keys
    ]
    order = sorted(keys)
    return sorted(
        found, key=lambda one: (order.index(one.version_id), one.since, one.tenant.name, one.pk)
    )


def _runs(told: Iterable[AdoptionRecord]) -> list[tuple[UUID, UUID | None, date]]:
    """Of each tenant what it runs in the end, and since when; of one day the last counts."""
    by_day: dict[UUID, dict[date, UUID | None]] = defaultdict(dict)
    for one in told:
        by_day[one.tenant_id][one.effective_from] = one.version_id
    runs = []
    for tenant_id, days in by_day.items():
        version_id, since = None, date.min
        for day, found in days.items():
            if since == date.min or found != version_id:
                version_id, since = found, day
        runs.append((tenant_id, version_id, since))
    return runs


def changes_of(runners: Collection[Runner]) -> dict[UUID, ChangeRecord]:
    """What each of these units had changed on its day, by tenant; one statement for all of them.

    None is there for one that had changed nothing ever.
    """
    if not runners:
        return {}
    on = max(one.on for one in runners)
    told = ChangeRecord.objects.filter(
        tenant__in={one.tenant.pk for one in runners}, effective_from__lte=on
    )
    latest = told.order_by("tenant", "-effective_from", "-id").distinct("tenant")
    return {one.tenant_id: one for one in latest}
