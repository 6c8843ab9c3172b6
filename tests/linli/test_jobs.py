"""Jobs: enqueued with the caller's transaction, each in the schema of its own tenant."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from linli.comparison.jobs import roll_up_tenant
from linli.jobs import defer_for
from linli.registry.models import Tenant
from linli.tenancy.context import current_schema, tenant_context
from tenants.communities.models import Community
from tests.support.databases import Database

# A worker of the product with one more job: it writes its tenant's name into the tenant it is in.
WORKER = """
import sys
from datetime import date
import django
django.setup()
from linli.jobs import tenant_job
from tenants.communities.models import Community

@tenant_job()
def sign(tenant, number):
    Community.objects.create(name=f"{tenant.slug} {number}", opened_on=date(2025, 1, 1))

if sys.argv[1] == "defer":
    from linli.jobs import defer_for
    from linli.registry.models import Tenant
    for number in range(50):
        for slug in ("chezhan", "wenshao"):
            defer_for(sign, Tenant.objects.get(slug=slug), number=number)
else:
    from django.core.management import call_command
    call_command(
        "procrastinate", "worker", "--queues", "app", "--one-shot", "--concurrency", "8"
    )
"""

RETRY = """
import django
django.setup()
from linli.jobs import retry_stalled
retry_stalled(timestamp=0)
"""


def test_a_job_of_a_transaction_that_is_rolled_back_vanishes(db: None, street: Tenant) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        defer_for(roll_up_tenant, street, as_of="2025-01-01")
        1 / 0  # noqa: B018
    assert ProcrastinateJob.objects.count() == 0

    defer_for(roll_up_tenant, street, as_of="2025-01-01")

    assert ProcrastinateJob.objects.get().args["tenant_id"] == str(street.pk)


def test_a_job_can_be_deferred_from_inside_a_tenant(db: None, street: Tenant) -> None:
    with tenant_context(street):
        defer_for(roll_up_tenant, street, as_of="2025-01-01")
        assert current_schema() == street.schema_name

    assert ProcrastinateJob.objects.count() == 1


def test_100_jobs_side_by_side_each_write_into_their_own_tenant(scratch_database: Database) -> None:
    for step in ("defer", "work"):
        done = scratch_database.run("-c", WORKER, step, login="app")
        assert done.returncode == 0, done.stderr

    for slug in ("chezhan", "wenshao"):
        with tenant_context(Tenant.objects.get(slug=slug)):
            names = sorted(Community.objects.values_list("name", flat=True))
            assert names == sorted(f"{slug} {number}" for number in range(50))


def test_a_tenant_that_is_no_longer_served_is_passed_over(scratch_database: Database) -> None:
    assert scratch_database.run("-c", WORKER, "defer", login="app").returncode == 0
    Tenant.objects.filter(slug="wenshao").update(status=Tenant.Status.ARCHIVED)

    done = scratch_database.run("-c", WORKER, "work", login="app")

    assert done.returncode == 0, done.stderr
    with tenant_context(Tenant.objects.get(slug="wenshao")):
        assert Community.objects.count() == 0
    with tenant_context(Tenant.objects.get(slug="chezhan")):
        assert Community.objects.count() == 50


def test_a_job_whose_worker_was_killed_is_done_by_another(scratch_database: Database) -> None:
    street = Tenant.objects.get(slug="chezhan")
    for day in ("2025-01-01", "2025-02-01"):
        defer_for(roll_up_tenant, street, as_of=day)
    now = timezone.now()
    with connection.cursor() as cursor:
        for as_of, heard in (("2025-01-01", now - timedelta(minutes=5)), ("2025-02-01", now)):
            cursor.execute(
                "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s) RETURNING id",
                [heard],
            )
            cursor.execute(
                "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s"
                " WHERE args->>'as_of' = %s",
                [*cursor.fetchone(), as_of],
            )

    done = scratch_database.run("-c", RETRY, login="app")

    assert done.returncode == 0, done.stderr
    found = {job.args["as_of"]: job.status for job in ProcrastinateJob.objects.all()}
    assert found == {"2025-01-01": "todo", "2025-02-01": "doing"}
