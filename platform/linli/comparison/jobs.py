"""The roll-up as a job: one for each tenant, every night and whenever somebody asks."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.utils import timezone
from procrastinate.contrib.django import app

from linli.comparison.roll_up import roll_up
from linli.jobs import APP, tenant_job
from linli.registry.models import Tenant


@tenant_job(queue=APP)
def roll_up_tenant(tenant: Tenant, *, as_of: str) -> None:
    roll_up(tenant, date.fromisoformat(as_of))


def defer_roll_ups(tenants: Iterable[Tenant], as_of: date) -> int:
    """Enqueue one roll-up for each tenant that is served; how many those are."""
    jobs = [
        {"tenant_id": str(tenant.pk), "as_of": as_of.isoformat()}
        for tenant in tenants
        if tenant.is_served
    ]
    if jobs:
        roll_up_tenant.batch_defer(*jobs)
    return len(jobs)


# Half past one in Shanghai: procrastinate reads the times in UTC.
@app.periodic(cron="30 17 * * *")
@app.task(name="linli.comparison.jobs.roll_up_every_tenant", queue=APP)
def roll_up_every_tenant(timestamp: int) -> None:
    """Every tenant's figures as of the day that has just ended."""
    night = datetime.fromtimestamp(timestamp, timezone.get_default_timezone())
    defer_roll_ups(Tenant.objects.order_by("pk"), night.date() - timedelta(days=1))
