"""An export's two jobs: to write it, and to forget it when its days are over."""

from datetime import datetime
from typing import Any
from uuid import UUID

from linli.jobs import APP, tenant_job
from linli.registry.models import Tenant
from linli_api.exports import files
from linli_api.exports.models import Export
from linli_api.exports.run import write_out


@tenant_job(queue=APP)
def write_export(tenant: Tenant, *, export_id: str) -> None:
    write_out(tenant, UUID(export_id))


@tenant_job(queue=APP)
def forget_export(tenant: Tenant, *, export_id: str) -> None:
    """Its files go; the row stays, to say what was asked for and what became of it."""
    export = Export.objects.get(pk=UUID(export_id))
    kept = (*Export.UNFINISHED, Export.Status.DONE)
    Export.objects.filter(pk=export.pk, status__in=kept).update(status=Export.Status.EXPIRED)
    files.drop_all(export)


def defer(job: Any, tenant: Tenant, export: Export, *, at: datetime | None = None) -> None:
    """Enqueue one of them, in the current transaction."""
    job.configure(schedule_at=at).defer(tenant_id=str(tenant.pk), export_id=str(export.pk))
