"""People and their roles, as administrators see them in the API."""

import graphene

from linli.accounts import models, selectors
from linli.accounts.policy import Permission, Role
from linli_api import ids
from linli_api.connections import Connection
from linli_api.fields import One
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
    email = graphene.String(description="Null where not given.")
    phone = graphene.String(description="Null where not given.")
    is_active = graphene.Boolean(required=True, description="Whether they may log in.")
    memberships = Connection(
        lambda: Membership, by="person_id", description="Their roles, where you give them out."
    )

    @staticmethod
    def resolve_email(person: models.Person, info: graphene.ResolveInfo) -> str | None:
        return person.email or None

    @staticmethod
    def resolve_phone(person: models.Person, info: graphene.ResolveInfo) -> str | None:
        return person.phone or None


class Membership(Object):
    """A role of one person at one tenant, or in one community of it, or at the platform itself."""

    class Meta:
        permission = Permission.PEOPLE_GRANT
        model = models.Membership
        selector = selectors.memberships

    person = One(Person, by="person_id", description="Who.")
    tenant = One(Tenant, by="tenant_id", description="Where; null for the platform itself.")
    role = graphene.Field(RoleName, required=True, description="As what.")
    community_id = graphene.ID(description="Set where the role is limited to one community.")
    starts_on = Date(required=True, description="The first day.")
    ended_on = Date(description="The first day no longer; null while it runs.")
    granted_by = One(Person, by="granted_by_id", description="Who gave it.")

    @staticmethod
    def resolve_community_id(
        membership: models.Membership, info: graphene.ResolveInfo
    ) -> str | None:
        key = membership.community_id
        return ids.encode("Community", key) if key else None
