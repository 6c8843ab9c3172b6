"""Reading the national divisions, and what hangs off a tenant."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from linli.registry.models import Brand, Division, Domain, Sandbox, Tenant


def divisions(*, actor: object) -> QuerySet[Division]:
    """The national list is public: the same for everybody."""
    return Division.objects.all()


def host_by_tenant(rows: Sequence[Tenant], actor: object) -> dict[UUID, str]:
    """The primary host of each, without port."""
    hosts = Domain.objects.filter(tenant__in=rows, is_primary=True)
    return dict(hosts.values_list("tenant_id", "domain"))


def brand_by_tenant(rows: Sequence[Tenant], actor: object) -> dict[UUID, Brand]:
    return Brand.objects.in_bulk([tenant.pk for tenant in rows])


def sandbox_by_tenant(rows: Sequence[Tenant], actor: object) -> dict[UUID, bool]:
    """Whether each is one to try things out in."""
    keys = [tenant.pk for tenant in rows]
    sandboxes = set(Sandbox.objects.filter(pk__in=keys).values_list("pk", flat=True))
    return {key: key in sandboxes for key in keys}


def filled_by_tenant(rows: Sequence[Tenant], actor: object) -> dict[UUID, datetime | None]:
    """When the sample of each sandbox was last laid out."""
    keys = [tenant.pk for tenant in rows]
    filled = Sandbox.objects.filter(pk__in=keys, filled_at__isnull=False)
    return dict(filled.values_list("pk", "filled_at"))


def is_sandbox(tenant: Tenant) -> bool:
    return Sandbox.objects.filter(pk=tenant.pk).exists()
