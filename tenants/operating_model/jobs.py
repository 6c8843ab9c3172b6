"""What happens in other tenants after one has decided something."""

from uuid import UUID

from django.db import transaction
from procrastinate import RetryStrategy

from linli.jobs import tenant_job
from linli.registry.models import Tenant
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
