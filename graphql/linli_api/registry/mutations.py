"""A tenant's life, from the platform's host."""

from typing import Any

import graphene
from django.conf import settings

from linli.accounts.policy import Actor, Permission
from linli_api.inputs import EXPECTED_VERSION, IdOf
from linli_api.mutation import Mutation
from linli_api.registry.types import Brand, Tenant, TenantKind
from onboarding import sandboxes, tenants


class RequestTenant(Mutation):
    """Asks for a tenant; a job makes it, and its status tells how far that is."""

    class Meta:
        permission = Permission.TENANTS_REQUEST

    class Input:
        slug = graphene.String(required=True, description="The first part of its address.")
        name = graphene.String(required=True, description="As people call it.")
        kind = TenantKind(required=True, description="What it is.")
        parent_id = IdOf("Tenant", description="The district or city it belongs to.")
        division_code = graphene.String(description="Where it lies: 4, 6 or 9 digits.")
        locale = graphene.String(
            required=True,
            default_value=settings.LANGUAGE_CODE,
            description="The language of its pages: zh-hans.",
        )
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    tenant = graphene.Field(Tenant, description="The tenant, requested.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        given = {"parent_id": None, "division_code": None} | values
        return {"tenant": tenants.request_tenant(actor=actor, **given)}


class SuspendTenant(Mutation):
    """Makes an active tenant read-only."""

    class Meta:
        permission = Permission.TENANTS_MANAGE

    class Input:
        tenant_id = IdOf("Tenant", required=True, description="Which tenant.")
        expected_version = graphene.Int(description=EXPECTED_VERSION)
        reason = graphene.String(required=True, description="Why; it is kept.")

    tenant = graphene.Field(Tenant, description="The tenant as it stands now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"tenant": tenants.suspend_tenant(actor=actor, **values)}


class ResumeTenant(Mutation):
    """Lets a suspended tenant write again."""

    class Meta:
        permission = Permission.TENANTS_MANAGE

    class Input:
        tenant_id = IdOf("Tenant", required=True, description="Which tenant.")
        expected_version = graphene.Int(description=EXPECTED_VERSION)
        reason = graphene.String(required=True, description="Why; it is kept.")

    tenant = graphene.Field(Tenant, description="The tenant as it stands now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"tenant": tenants.resume_tenant(actor=actor, **values)}


class ArchiveTenant(Mutation):
    """Takes a tenant off the air; its data stays."""

    class Meta:
        permission = Permission.TENANTS_MANAGE

    class Input:
        tenant_id = IdOf("Tenant", required=True, description="Which tenant.")
        expected_version = graphene.Int(description=EXPECTED_VERSION)
        reason = graphene.String(required=True, description="Why; it is kept.")

    tenant = graphene.Field(Tenant, description="The tenant as it stands now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"tenant": tenants.archive_tenant(actor=actor, **values)}


class BrandTenant(Mutation):
    """Sets how a tenant's pages present it."""

    class Meta:
        permission = Permission.TENANTS_MANAGE

    class Input:
        tenant_id = IdOf("Tenant", required=True, description="Which tenant.")
        title = graphene.String(required=True, description="The title of its pages.")
        colour = graphene.String(required=True, description="# and six hex digits.")
        expected_version = graphene.Int(
            description=f"{EXPECTED_VERSION} The brand's; 0: it has none yet."
        )

    brand = graphene.Field(Brand, description="How it is presented now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"brand": tenants.brand_tenant(actor=actor, **values)}


class RequestSandbox(Mutation):
    """Asks for the one sandbox of a district or a city: a street office with made-up data. Who
    shall work in it is given a role there, as in any tenant."""

    class Meta:
        permission = Permission.TENANTS_REQUEST

    class Input:
        slug = graphene.String(required=True, description="The first part of its address.")
        name = graphene.String(required=True, description="As people call it.")
        parent_id = IdOf("Tenant", required=True, description="The district or city it is for.")
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    tenant = graphene.Field(Tenant, description="The sandbox, requested.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"tenant": sandboxes.request_sandbox(actor=actor, **values)}


class ResetSandbox(Mutation):
    """Has everything this sandbox holds thrown away and the sample laid out anew, by a job. It is done
    when the sandbox's ``sandboxFilledAt`` has changed; what is written until then is thrown away too,
    and so are webhook endpoints and exports."""

    class Meta:
        permission = Permission.COMMUNITIES_ONBOARD

    class Input:
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    tenant = graphene.Field(Tenant, description="The sandbox, as it was filled before.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"tenant": sandboxes.reset_sandbox(actor=actor, **values)}
