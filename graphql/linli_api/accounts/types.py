"""People and their roles, as administrators see them in the API."""

import graphene

from linli.accounts import models, selectors
from linli.accounts.policy import Permission, Role
from linli_api.connections import Connection
from linli_api.fields import Column, GlobalId, One
from linli_api.inputs import VERSION
from linli_api.registry.types import Tenant
from linli_api.scalars import Date, choices
from linli_api.types import Object

RoleName = choices(Role, "Role")


class Person(Object):
    """Someone who logs in; shown to who gives out roles where the person has one."""

    class Meta:
        permission = Permission.PEOPLE_GRANT
        model = models.Person
        selector = selectors.people

    username = graphene.String(required=True, description="What they log in with.")
    name = graphene.String(required=True, description="What they are called.")
    email = Column(
        graphene.String, of="email", blank_is_null=True, description="Null where not given."
    )
    phone = Column(
        graphene.String, of="phone", blank_is_null=True, description="Null where not given."
    )
    is_active = graphene.Boolean(required=True, description="Whether they may log in.")
    version = graphene.Int(required=True, description=VERSION)
    memberships = Connection(
        lambda: Membership, by="person_id", description="Their roles, where you give them out."
    )


class Membership(Object):
    """A role of one person at one tenant, or in one community of it, or at the platform itself."""

    class Meta:
        permission = Permission.PEOPLE_GRANT
        model = models.Membership
        selector = selectors.memberships

    person = One(Person, by="person_id", description="Who.")
    tenant = One(Tenant, by="tenant_id", description="Where; null for the platform itself.")
    role = graphene.Field(RoleName, required=True, description="As what.")
    community_id = GlobalId(
        "Community",
        by="community_id",
        description="Set where the role is limited to one community.",
    )
    starts_on = Date(required=True, description="The first day.")
    ended_on = Date(description="The first day no longer; null while it runs.")
    granted_by = One(Person, by="granted_by_id", description="Who gave it.")
