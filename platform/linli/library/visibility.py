"""Who sees a published version (M4): the one place that says so.

`private` its author; `district` and `city` that unit with all below it; `all` everybody. For anybody
else it does not exist. A withdrawn one stays visible to those who could see it.
"""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission, everywhere
from linli.errors import Refused
from linli.library.models import PublishedVersion
from linli.registry.models import Tenant

Visibility = PublishedVersion.Visibility


def visible_to(actor: Actor) -> QuerySet[PublishedVersion]:
    """What the actor may see. At a tenant's host that is what this tenant sees; at the platform's what
    any of the tenants sees in which the actor may read the library."""
    if actor.tenant_id is not None:
        assert actor.tenant is not None
        return visible_in(actor.tenant)
    if everywhere(actor, Permission.LIBRARY_READ):
        return PublishedVersion.objects.all()
    held = actor.held_in(Permission.LIBRARY_READ)
    return _seen([units[0] for units in held], {unit for units in held for unit in units})


def to_take_along(actor: Actor) -> QuerySet[PublishedVersion]:
    """What the actor may export: what everybody sees, for its author put it there and has not taken it
    back; what is shown to some only leaves with who may read it at its author's alone."""
    actor.require_somewhere(Permission.LIBRARY_READ)
    shown = visible_to(actor).filter(withdrawn_at=None)
    if everywhere(actor, Permission.LIBRARY_READ):
        return shown
    own = [units[0] for units in actor.held_in(Permission.LIBRARY_READ)]
    return shown.filter(Q(visibility=Visibility.ALL) | Q(author__in=own))


def visible_in(tenant: Tenant) -> QuerySet[PublishedVersion]:
    """What one tenant sees."""
    return _seen([tenant.pk], {tenant.pk, *(above.pk for above in tenant.ancestors())})


def sees(tenant: Tenant, version: PublishedVersion) -> bool:
    """The same of one version that is at hand."""
    return (
        version.visibility == Visibility.ALL
        or version.author_id == tenant.pk
        or version.audience_id in {tenant.pk, *(above.pk for above in tenant.ancestors())}
    )


def _seen(own: Collection[UUID], units: Collection[UUID]) -> QuerySet[PublishedVersion]:
    """own: tenants that see what they published themselves; units: these and all above them.

    The keys stand in the statement: only so PostgreSQL knows whether this is much or little of what
    there is, and so by which index to go.
    """
    return PublishedVersion.objects.filter(
        Q(visibility=Visibility.ALL) | Q(author_id__in=list(own)) | Q(audience_id__in=sorted(units))
    )


def audience_of(author: Tenant, visibility: str) -> UUID | None:
    """The unit that sees an author's version with all below it; None where none does so.

    Refused: VISIBILITY_INVALID, NO_UNIT_ABOVE (a city has no district).
    """
    if visibility not in Visibility.values:
        message = _("There is no visibility {visibility}. Choose from: {allowed}.")
        allowed = ", ".join(Visibility.values)
        told = format_lazy(message, visibility=visibility, allowed=allowed)
        raise Refused("VISIBILITY_INVALID", told, field="visibility", allowed=Visibility.values)
    if visibility in (Visibility.PRIVATE, Visibility.ALL):
        return None
    for unit in (author, *author.ancestors()):
        if unit.kind == visibility:
            return unit.pk
    message = _("{author} lies in no unit of this kind. Choose another visibility.")
    told = format_lazy(message, author=author.name)
    raise Refused("NO_UNIT_ABOVE", told, field="visibility", visibility=visibility)
