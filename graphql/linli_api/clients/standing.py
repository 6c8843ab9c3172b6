"""Which tenant is meant: at a tenant's host that one, at the platform's the one that is named."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, standing
from linli.accounts.selectors import tenants
from linli.clients import selectors
from linli.errors import Forbidden, NotFound
from linli.registry.models import Tenant


def meant(actor: Actor, tenant_id: UUID | None) -> Tenant | None:
    """The tenant of the host, or the one named, of those the actor reaches. Raises `NotFound`, and
    `Forbidden` for who has no role anywhere."""
    if not actor.grants:
        raise Forbidden
    if tenant_id is None or (actor.tenant is not None and tenant_id == actor.tenant.pk):
        return actor.tenant
    found = None
    if actor.tenant is None:
        found = tenants(actor=actor).select_related("parent__parent").filter(pk=tenant_id).first()
    if found is None:
        raise NotFound(_("tenant"), field="tenantId")
    return found


def at_tenant(actor: Actor, tenant_id: UUID | None) -> Actor:
    """The actor as they stand there. Raises `NotFound`."""
    there = meant(actor, tenant_id)
    return actor if there == actor.tenant else standing(actor, there)


def at_tenant_of_client(actor: Actor, client_id: UUID) -> Actor:
    """The actor as they stand where a client is at home. Raises `NotFound`."""
    client = (
        selectors.clients(actor=actor)
        .select_related("tenant__parent__parent")
        .filter(pk=client_id)
        .first()
    )
    if client is None:
        raise NotFound(_("client"), field="clientId")
    return actor if actor.tenant is not None else standing(actor, client.tenant)


def at_tenant_of_secret(actor: Actor, secret_id: UUID) -> Actor:
    """The same by one of its secrets. Raises `NotFound`."""
    secret = (
        selectors.client_secrets(actor=actor)
        .select_related("client__tenant__parent__parent")
        .filter(pk=secret_id)
        .first()
    )
    if secret is None:
        raise NotFound(_("client secret"), field="clientSecretId")
    return actor if actor.tenant is not None else standing(actor, secret.client.tenant)
