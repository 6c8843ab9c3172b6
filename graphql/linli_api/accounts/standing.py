"""At the platform's host, what is done to one tenant is done as what the person is there."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from linli.accounts import selectors
from linli.accounts.policy import Actor, Permission, standing
from linli.errors import NotFound
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.communities.selectors import community_to_act_on


def check_known(actor: Actor, person_id: UUID) -> None:
    """Raises `NotFound` for who is nobody where the actor gives out roles: an id must not fetch a
    stranger."""
    known = selectors.people(actor=actor, permission=Permission.PEOPLE_GRANT)
    if not known.filter(pk=person_id).exists():
        raise NotFound(_("person"), field="personId")


def at_tenant(actor: Actor, tenant_id: UUID | None, *, community_id: UUID | None = None) -> Actor:
    """The actor as they give out roles at a tenant they reach, or at the platform itself (None).

    Raises `Forbidden`, and `NotFound` for a tenant they do not reach and for a community that is not one of its.
    """
    tenant = None
    if tenant_id is not None:
        tenant = selectors.tenants(actor=actor).filter(pk=tenant_id).first()
        if tenant is None:
            raise NotFound(_("tenant"), field="tenantId")
    there = standing(actor, tenant)
    there.require(Permission.PEOPLE_GRANT)
    if community_id is not None:
        _check_community(tenant, community_id)
    return there


def at_tenant_of(actor: Actor, membership_id: UUID) -> Actor:
    """The actor as they stand where a membership is held. Raises `NotFound`."""
    membership = (
        selectors.memberships(actor=actor, permission=Permission.PEOPLE_GRANT)
        .select_related("tenant__parent__parent")
        .filter(pk=membership_id)
        .first()
    )
    if membership is None:
        raise NotFound(_("membership"), field="membershipId")
    return standing(actor, membership.tenant)


def _check_community(tenant: Tenant | None, community_id: UUID) -> None:
    """Communities live in the tenant's own schema, above what grants roles."""
    if tenant is None or not tenant.is_served:
        raise NotFound(_("community"), field="communityId")
    with tenant_context(tenant):
        community_to_act_on(community_id)
