"""What a new tenant's rules start with."""

from linli.audit.record import Acting
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.operating_model.policies import land_policies


def freeze_policies(tenant: Tenant, actor: Acting | None) -> None:
    """The provisioning step that copies the policies of its city and district into a tenant."""
    with tenant_context(tenant):
        land_policies(tenant, actor=actor)
