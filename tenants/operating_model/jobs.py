"""What happens in other tenants after one has decided something."""

from uuid import UUID

from django.db import transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from linli.jobs import APP, tenant_job
from linli.registry.models import Tenant
from tenants.operating_model import binding
from tenants.operating_model.models import ModelVersion
from tenants.operating_model.policies import land_policies
from tenants.operating_model.withdrawals import tell_withdrawn


@tenant_job(retry=RetryStrategy(max_attempts=8, exponential_wait=3))
def freeze_policies(tenant: Tenant) -> None:
    """Copy the policies that bind this tenant and are not here yet; nobody stands behind a job."""
    land_policies(tenant, actor=None)


@tenant_job(retry=RetryStrategy(max_attempts=8, exponential_wait=3))
def tell_withdrawn_to(tenant: Tenant, *, published_id: str) -> None:
    """Tell a tenant that runs a copy, or ran one, that its author has taken the original back."""
    with transaction.atomic():
        for version in ModelVersion.objects.filter(published_id=UUID(published_id)):
            tell_withdrawn(None, version)


@tenant_job(retry=RetryStrategy(max_attempts=4, exponential_wait=3))
def follow_offers(tenant: Tenant) -> None:
    """Apply the binding offer that is due in a tenant, or open it for people to decide."""
    binding.follow_offers(tenant)


@app.periodic(cron="7 * * * *")
@app.task(name="tenants.operating_model.jobs.follow_binding_offers", queue=APP)
def follow_binding_offers(timestamp: int) -> None:
    """One job for each tenant that has yet to take up what was made binding."""
    jobs = [{"tenant_id": str(unit.pk)} for unit in binding.units_to_follow()]
    if jobs:
        follow_offers.batch_defer(*jobs)
