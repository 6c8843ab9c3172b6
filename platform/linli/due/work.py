"""Saying and asking what is due. Usable from inside a tenant: the table is in the public schema."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from linli.due.models import Due


def make_due(tenant_id: UUID) -> None:
    """There is something to deliver now. The caller holds what keeps `set_due` waiting."""
    if not Due.objects.filter(pk=tenant_id, due_at__lte=timezone.now()).exists():
        _write(tenant_id, timezone.now())


def set_due(tenant_id: UUID, at: datetime | None) -> None:
    """From when on a tenant has something to deliver; None for nothing at all.

    The caller holds what keeps others from making something due meanwhile.
    """
    if at is None:
        Due.objects.filter(pk=tenant_id).delete()
    else:
        _write(tenant_id, at)


def due_tenants(most: int, *, but: Collection[UUID]) -> list[UUID]:
    """The tenants that have waited longest for what is due by now, but for those named."""
    waiting = Due.objects.filter(due_at__lte=timezone.now()).exclude(pk__in=but).order_by("due_at")
    return list(waiting.values_list("pk", flat=True)[:most])


def _write(tenant_id: UUID, at: datetime) -> None:
    Due.objects.bulk_create(
        [Due(tenant_id=tenant_id, due_at=at)],
        update_conflicts=True,
        unique_fields=["tenant_id"],
        update_fields=["due_at"],
    )
