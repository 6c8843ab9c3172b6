"""Comparing tenants on a measure, from the figures rolled up: no tenant's schema is read (C3)."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission, covered
from linli.comparison.measures import Direction, Measure, Unit, the_measure
from linli.comparison.models import Figure
from linli.errors import NotFound
from linli.registry.models import Tenant

_GONE = (Tenant.Status.ARCHIVED, Tenant.Status.PURGED)


@dataclass(frozen=True)
class Row:
    """One tenant's figure. ``as_of`` None: it has not reported; ``value`` None with a day: it
    reported, but has not what the measure takes. Neither is zero, and neither has a rank."""

    tenant: Tenant
    value: Decimal | None
    unit: Unit
    as_of: date | None
    rolled_up_at: datetime | None
    rank: int | None


def compare(*, actor: Actor, measure: str, under_id: UUID, as_of: date | None = None) -> list[Row]:
    """The tenants below one that the actor covers, best first, those without a figure last; no
    sandboxes.

    Each with its latest figure, or its latest up to ``as_of``. Equal values share a rank. One
    statement for the tenants and one for the figures, however many. Raises `Forbidden`, `NotFound`, `Refused` MEASURE_UNKNOWN.
    """
    actor.require_somewhere(Permission.COMPARISON_READ)
    chosen = the_measure(measure)
    under = Q(pk=under_id)
    below = Q(parent=under_id) | Q(parent__parent=under_id)
    tenants = {
        tenant.pk: tenant
        for tenant in covered(actor, Permission.COMPARISON_READ)
        .filter(under | below & Q(kind__in=chosen.kinds) & ~Q(status__in=_GONE) & Q(sandbox=None))
        .select_related("parent")
    }
    if tenants.pop(under_id, None) is None:
        raise NotFound(_("tenant"), field="underId")
    figures = Figure.objects.filter(measure=chosen.key, tenant__in=tenants)
    if as_of is not None:
        figures = figures.filter(as_of__lte=as_of)
    latest = {f.tenant_id: f for f in figures.order_by("tenant", "-as_of").distinct("tenant")}
    return _ranked([(tenant, latest.get(pk)) for pk, tenant in tenants.items()], chosen)


def _ranked(found: list[tuple[Tenant, Figure | None]], measure: Measure) -> list[Row]:
    def best_first(pair: tuple[Tenant, Figure | None]) -> tuple[bool, Decimal, str]:
        tenant, figure = pair
        value = figure.value if figure else None
        worth = value or Decimal(0)
        return value is None, -worth if measure.direction == Direction.MORE else worth, tenant.slug

    rows: list[Row] = []
    for place, (tenant, figure) in enumerate(sorted(found, key=best_first), start=1):
        value = figure.value if figure else None
        tied = bool(rows) and rows[-1].value == value
        rows.append(
            Row(
                tenant=tenant,
                value=value,
                unit=measure.unit,
                as_of=figure.as_of if figure else None,
                rolled_up_at=figure.rolled_up_at if figure else None,
                rank=None if value is None else rows[-1].rank if tied else place,
            )
        )
    return rows
