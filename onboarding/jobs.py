"""Provisioning as a job of the owner's worker: only the owner may create a schema."""

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from linli.jobs import OWNER
from linli.registry.provisioning import provision
from linli.tenancy.context import public_context


@app.task(
    name="onboarding.jobs.provision_tenant",
    queue=OWNER,
    # Idempotent (T2), so trying again is all it takes: after 4, 16, 64 … seconds.
    retry=RetryStrategy(max_attempts=6, exponential_wait=4),
)
def provision_tenant(tenant_id: str) -> None:
    with public_context():
        provision(UUID(tenant_id), actor=None)
