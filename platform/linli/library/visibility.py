"""Who sees a published version (M4): the one place that says so.

`private` its author; `district` and `city` that unit with all below it; `all` everybody. For anybody
else it does not exist. A withdrawn one stays visible to those who could see it.
"""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Lookup, Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission, everywhere, held_at
from linli.errors import Refused
from linli.library.models import PublishedVersion
from linli.registry.models import Tenant

Visibility = PublishedVersion.Visibility


class Among(Lookup):
    """``column = ANY(ARRAY(SELECT …))``: worked out once a statement and looked up in an index, where
    IN (SELECT …) under an OR would be tried on each row."""

    lookup_name = "among"
    prepare_rhs = False
    output_field = BooleanField()

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = compiler.compile(self.rhs)
        return f"{left} = ANY({right})", (*left_params, *right_params)


def visible_to(actor: Actor) -> QuerySet[PublishedVersion]:
    """What the actor may see. At a tenant's host that is what this tenant sees; at the platform's what
    any of the tenants sees in which the actor may read the library."""
    if actor.tenant_id is not None:
        assert actor.tenant is not None
        return visible_in(actor.tenant)
    if everywhere(actor, Permission.LIBRARY_READ):
        return PublishedVersion.objects.all()
    tenants = held_at(actor, Permission.LIBRARY_READ).order_by()
    seen = Q(visibility=Visibility.ALL) | Q(_among("author_id", tenants, "pk"))
    for above in ("pk", "parent", "parent__parent"):
        seen |= Q(_among("audience_id", tenants, above))
    return PublishedVersion.objects.filter(seen)


def visible_in(tenant: Tenant) -> QuerySet[PublishedVersion]:
    """What one tenant sees."""
    units = [tenant.pk, *(above.pk for above in tenant.ancestors())]
    return PublishedVersion.objects.filter(
        Q(visibility=Visibility.ALL) | Q(author_id=tenant.pk) | Q(audience_id__in=units)
    )


def audience_of(author: Tenant, visibility: str) -> Any:
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


def _among(column: str, tenants: QuerySet[Tenant], key: str) -> Among:
    return Among(F(column), ArraySubquery(tenants.values(key)))
