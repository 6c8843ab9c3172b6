"""Answers are kept for a day; every hour those that have had theirs are swept out."""

from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app

from linli.jobs import APP, tenant_job
from linli.registry.models import Tenant
from linli.repeats.keeping import KEPT_FOR
from linli.repeats.models import KeptAnswer

# One look at the catalogue tells whose table holds anything, without a visit to each of them.
_SCHEMAS_WITH_ROWS = """
    SELECT relnamespace::regnamespace::text FROM pg_class
    WHERE relname = 'repeats_keptanswer' AND relkind = 'r' AND pg_relation_size(oid) > 0
"""


@app.periodic(cron="17 * * * *")
@app.task(name="linli.repeats.jobs.sweep_everywhere", queue=APP)
def sweep_everywhere(timestamp: int) -> None:
    """The public schema's at once, each tenant's that has any by a job of its own."""
    sweep()
    jobs = [{"tenant_id": str(pk)} for pk in tenants_with_answers()]
    if jobs:
        sweep_tenant.batch_defer(*jobs)


@tenant_job(queue=APP)
def sweep_tenant(tenant: Tenant) -> None:
    sweep()


def sweep() -> int:
    """Drop what is too old in the schema of the moment; how many that were."""
    return KeptAnswer.objects.filter(kept_at__lte=timezone.now() - KEPT_FOR).delete()[0]


def tenants_with_answers() -> list:
    """The keys of the tenants whose table has any row, be it one that was swept just now."""
    with connection.cursor() as cursor:
        cursor.execute(_SCHEMAS_WITH_ROWS)
        schemas = [name for (name,) in cursor.fetchall()]
    return list(Tenant.objects.filter(schema_name__in=schemas).values_list("pk", flat=True))
