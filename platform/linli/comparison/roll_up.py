"""From a tenant's schema to the public figures that supervisors read (C3)."""

from datetime import date
from decimal import Decimal

from django.utils import timezone

from linli.comparison.measures import measures
from linli.comparison.models import Figure
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context

_PLACES = Decimal("0.000001")


def roll_up(tenant: Tenant, as_of: date) -> None:
    """Work out every measure of one tenant as of the end of a day and keep it, in one statement.

    A later roll-up of the same day replaces the figures. What could not be worked out is kept as
    None: reported, but missing.
    """
    now = timezone.now()
    with tenant_context(tenant):
        figures = [
            Figure(
                tenant_id=tenant.pk,
                measure=measure.key,
                as_of=as_of,
                value=_exact(measure.work_out(as_of)),
                rolled_up_at=now,
            )
            for measure in measures()
            if tenant.kind in measure.kinds
        ]
        Figure.objects.bulk_create(
            figures,
            update_conflicts=True,
            unique_fields=["measure", "tenant", "as_of"],
            update_fields=["value", "rolled_up_at"],
        )


def _exact(value: Decimal | int | None) -> Decimal | None:
    return None if value is None else Decimal(value).quantize(_PLACES)
