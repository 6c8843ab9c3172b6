"""Making a tenant: a list of steps, each of which can be run again (T2).

A step does its work in one transaction and does nothing when that work is done. A process killed
anywhere is therefore made good by running the whole list again, and no step needs to be told how
far the last run came. The tenant's host answers 503 until the last step has opened it.

Steps of the domains above (freezing a district's policy, say) are named in
``settings.PROVISIONING_STEPS``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from linli.audit.record import Acting, record, snapshot
from linli.errors import NotFound, Refused
from linli.registry import template
from linli.registry.models import Tenant
from linli.rules import save_changes

Step = Callable[[Tenant, Acting | None], None]


def steps() -> list[Step]:
    return [import_string(path) for path in settings.PROVISIONING_STEPS]


def provision(tenant_id: UUID, *, actor: Acting | None) -> Tenant:
    """Bring a requested tenant on the air, or finish what an earlier run began. As the owner.

    Raises `Refused` TENANT_NOT_PROVISIONABLE for one that has been archived or purged.
    """
    with _alone(tenant_id):
        tenant = Tenant.objects.filter(pk=tenant_id).first()
        if tenant is None:
            raise NotFound(_("tenant"), field="tenantId")
        if tenant.status in (Tenant.Status.ARCHIVED, Tenant.Status.PURGED):
            raise Refused(
                "TENANT_NOT_PROVISIONABLE",
                _("%(tenant)s is %(status)s; request a new tenant instead.")
                % {"tenant": tenant.name, "status": tenant.get_status_display()},
            )
        if tenant.is_served:
            return tenant
        for step in steps():
            step(tenant, actor)
        return tenant


def begin(tenant: Tenant, actor: Acting | None) -> None:
    """requested → provisioning."""
    if tenant.status == Tenant.Status.REQUESTED:
        set_status(tenant, Tenant.Status.PROVISIONING, actor=actor, reason="")


def create_schema(tenant: Tenant, actor: Acting | None) -> None:
    """The schema with every table, its rights and its migration rows; DDL is transactional."""
    if not template.schema_exists(tenant.schema_name):
        template.create_schema(tenant.schema_name)


def open_doors(tenant: Tenant, actor: Acting | None) -> None:
    """provisioning → active: from here on the tenant's host answers."""
    set_status(tenant, Tenant.Status.ACTIVE, actor=actor, reason="")


def set_status(
    tenant: Tenant,
    status: Tenant.Status,
    *,
    actor: Acting | None,
    reason: str,
) -> None:
    """One step of a tenant's life (T1), recorded with who and why. The caller knows it is allowed."""
    with transaction.atomic():
        locked = Tenant.objects.select_for_update().get(pk=tenant.pk)
        before = snapshot(locked, "status")
        locked.status = status
        save_changes(locked, ["status"])
        record(
            actor=actor,
            action=f"tenants.{status.value}",
            obj=locked,
            before=before,
            after=snapshot(locked, "status"),
            reason=reason,
        )
    tenant.status, tenant.version = locked.status, locked.version


@contextmanager
def _alone(tenant_id: UUID) -> Iterator[None]:
    """Two runs for one tenant wait for each other; the lock dies with its process."""
    key = tenant_id.int & (2**63 - 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [key])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
