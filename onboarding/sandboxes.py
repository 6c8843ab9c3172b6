"""Tenants to try things out in: asked for under a district or a city, reset by a call."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record
from linli.errors import Refused
from linli.registry.models import Sandbox, Tenant
from linli.rules import upheld
from linli.tenancy.context import public_context
from onboarding.jobs import refill_sandbox
from onboarding.tenants import request_tenant


def request_sandbox(
    *, actor: Actor, slug: str, name: str, parent_id: UUID, reason: str = ""
) -> Tenant:
    """Ask for the one sandbox of a district or a city: a street office with made-up data.

    Raises what `request_tenant` raises, and `Refused` SANDBOX_EXISTS.
    """
    with public_context(), transaction.atomic():
        tenant = request_tenant(
            actor=actor,
            slug=slug,
            name=name,
            kind=Tenant.Kind.STREET,
            parent_id=parent_id,
            division_code=None,
            reason=reason,
        )
        with upheld(registry_sandbox_under_id_key=_exists):
            Sandbox.objects.create(tenant=tenant, under_id=parent_id)
    return tenant


def reset_sandbox(*, actor: Actor, reason: str = "") -> Tenant:
    """Have all rows of the sandbox the actor stands in thrown away and the sample laid out anew; a
    job of the owner's does it. Clients, roles and the platform's trail stay.

    Raises `Forbidden`, `Refused` NO_SANDBOX for a tenant that holds what is real.
    """
    actor.require(Permission.COMMUNITIES_ONBOARD)
    with public_context(), transaction.atomic():
        sandbox = (
            Sandbox.objects.select_for_update(of=("self",))
            .select_related("tenant")
            .filter(tenant=actor.tenant, tenant__status=Tenant.Status.ACTIVE)
            .first()
        )
        if sandbox is None:
            message = _("This unit is no sandbox: what it holds is real and stays.")
            raise Refused("NO_SANDBOX", message)
        record(
            actor=actor,
            action="tenants.sandbox_reset",
            obj=sandbox.tenant,
            before=None,
            after={"tenant_id": sandbox.pk},
            reason=reason,
        )
        refill_sandbox.defer(tenant_id=str(sandbox.pk), asked_at=timezone.now().isoformat())
    return sandbox.tenant


def _exists() -> Refused:
    message = _("There is a sandbox under this unit already. Use that one; it can be reset.")
    return Refused("SANDBOX_EXISTS", message, field="parentId")
