"""What happens in the tenants below after a city or a district has decided something."""

from procrastinate import RetryStrategy

from linli.jobs import tenant_job
from linli.registry.models import Tenant
from tenants.operating_model.policies import land_policies


@tenant_job(retry=RetryStrategy(max_attempts=8, exponential_wait=3))
def freeze_policies(tenant: Tenant) -> None:
    """Copy the policies that bind this tenant and are not here yet; nobody stands behind a job."""
    land_policies(tenant, actor=None)
