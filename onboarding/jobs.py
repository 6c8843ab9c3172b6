"""Jobs of the owner's worker: only the owner may create a schema, or empty one."""

from datetime import datetime
from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from linli.jobs import OWNER
from linli.registry.provisioning import provision
from linli.tenancy.context import public_context
from onboarding.sample import refill


@app.task(
    name="onboarding.jobs.provision_tenant",
    queue=OWNER,
    # Idempotent (T2), so trying again is all it takes: after 4, 16, 64 … seconds.
    retry=RetryStrategy(max_attempts=6, exponential_wait=4),
)
def provision_tenant(tenant_id: str) -> None:
    with public_context():
        provision(UUID(tenant_id), actor=None)


@app.task(
    name="onboarding.jobs.refill_sandbox",
    queue=OWNER,
    # One transaction, which knows by ``asked_at`` whether it was done.
    retry=RetryStrategy(max_attempts=6, exponential_wait=4),
)
def refill_sandbox(tenant_id: str, asked_at: str) -> None:
    with public_context():
        refill(UUID(tenant_id), datetime.fromisoformat(asked_at))
