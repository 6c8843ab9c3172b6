"""Background jobs: procrastinate in the public schema, each job carrying its tenant.

A job is deferred in the caller's transaction, so a write that is rolled back takes its job with
it. Jobs are plain functions, never coroutines: several coroutines of one thread share its
connection and would read each other's tenants.

Two queues, because two log-ins: ``owner`` for what changes schemas, ``app`` for everything else.
"""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker

from linli.registry.models import Tenant
from linli.tenancy.context import public_context, tenant_context

OWNER = "owner"
APP = "app"


def tenant_job(*, queue: str = APP, **options: Any) -> Callable[[Callable[..., None]], Any]:
    """Make ``work(tenant, **arguments)`` a job that runs in the tenant's schema.

    Defer it with ``defer_for(job, tenant, **arguments)``. A tenant that is no longer served is
    passed over: there is nothing a job may write there.
    """

    def decorate(work: Callable[..., None]) -> Any:
        @app.task(name=f"{work.__module__}.{work.__name__}", queue=queue, **options)
        @functools.wraps(work)
        def run(tenant_id: str, **arguments: Any) -> None:
            with public_context():
                tenant = Tenant.objects.select_related("parent__parent").get(pk=tenant_id)
                if tenant.is_served:
                    with tenant_context(tenant):
                        work(tenant, **arguments)

        return run

    return decorate


def defer_for(job: Any, tenant: Tenant | UUID, **arguments: Any) -> None:
    """Enqueue ``job`` for a tenant, in the current transaction."""
    tenant_id = tenant.pk if isinstance(tenant, Tenant) else tenant
    job.defer(tenant_id=str(tenant_id), **arguments)


# A worker tells every ten seconds that it lives.
_TAKEN_FOR_DEAD = timedelta(seconds=30)


@app.periodic(cron="* * * * *")
@app.task(name="linli.jobs.retry_stalled", queue=APP)
def retry_stalled(timestamp: int) -> None:
    """Give the jobs of workers that were killed to others: each can be run again."""
    now = timezone.now()
    alive = ProcrastinateWorker.objects.filter(last_heartbeat__gt=now - _TAKEN_FOR_DEAD)
    for job in ProcrastinateJob.objects.filter(status="doing").exclude(worker__in=alive):
        app.job_manager.retry_job_by_id(job.pk, retry_at=now)
