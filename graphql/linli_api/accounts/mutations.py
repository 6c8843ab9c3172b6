"""Registering people, their log-in, giving out roles: from the platform's host."""

from typing import Any

import graphene

from linli.accounts import actions
from linli.accounts.policy import Actor, Permission, Role
from linli_api.accounts.standing import at_tenant, at_tenant_of, check_known
from linli_api.accounts.types import Membership, Person, RoleName
from linli_api.inputs import EXPECTED_VERSION, IdOf
from linli_api.mutation import Mutation
from linli_api.scalars import Date


class RegisterPerson(Mutation):
    """Registers someone who can log in. What they may do comes with grantMembership."""

    class Meta:
        permission = Permission.PEOPLE_GRANT

    class Input:
        username = graphene.String(required=True, description="What they log in with.")
        name = graphene.String(required=True, description="What they are called.")
        email = graphene.String(required=True, default_value="", description="Unique where given.")
        phone = graphene.String(required=True, default_value="", description="Unique where given.")
        password = graphene.String(description="Without one they need a passkey first.")
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    person = graphene.Field(Person, description="The new person.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"person": actions.register_person(actor=actor, **values)}


class SetPassword(Mutation):
    """Gives somebody a new password, and logs them out everywhere.

    For who gives out roles wherever they have one.
    """

    class Meta:
        permission = Permission.PEOPLE_GRANT

    class Input:
        person_id = IdOf("Person", required=True, description="Whose.")
        expected_version = graphene.Int(description=EXPECTED_VERSION)
        password = graphene.String(required=True, description="The new one; it is never shown.")
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    person = graphene.Field(Person, description="Whose it is.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        check_known(actor, values["person_id"])
        return {"person": actions.set_password(actor=actor, **values)}


class DisablePerson(Mutation):
    """Somebody can no longer log in or do anything; their roles stay as they are.

    For who gives out roles wherever they have one.
    """

    class Meta:
        permission = Permission.PEOPLE_GRANT

    class Input:
        person_id = IdOf("Person", required=True, description="Whom.")
        expected_version = graphene.Int(description=EXPECTED_VERSION)
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    person = graphene.Field(Person, description="The person as they are now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        check_known(actor, values["person_id"])
        return {"person": actions.disable_person(actor=actor, **values)}


class EnablePerson(Mutation):
    """Somebody who was disabled may log in again."""

    class Meta:
        permission = Permission.PEOPLE_GRANT

    class Input:
        person_id = IdOf("Person", required=True, description="Whom.")
        expected_version = graphene.Int(description=EXPECTED_VERSION)
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    person = graphene.Field(Person, description="The person as they are now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        check_known(actor, values["person_id"])
        return {"person": actions.enable_person(actor=actor, **values)}


class GrantMembership(Mutation):
    """Gives a role at a tenant, or at the platform itself.

    To somebody who has a role where you give them out, or none anywhere yet. Who works elsewhere
    is given one by an administrator above both.
    """

    class Meta:
        permission = Permission.PEOPLE_GRANT

    class Input:
        person_id = IdOf("Person", required=True, description="Whom.")
        role = RoleName(required=True, description="As what.")
        tenant_id = IdOf("Tenant", description="Where; left out for the platform itself.")
        community_id = IdOf("Community", description="To limit it to one community of the tenant.")
        starts_on = Date(description="The first day; today unless given.")
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    membership = graphene.Field(Membership, description="The new membership.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        check_known(actor, values["person_id"])
        standing = at_tenant(
            actor, values.pop("tenant_id", None), community_id=values.get("community_id")
        )
        given = values | {"role": Role(values["role"])}
        return {"membership": actions.grant_membership(actor=standing, **given)}


class EndMembership(Mutation):
    """Ends a membership, from today on."""

    class Meta:
        permission = Permission.PEOPLE_GRANT

    class Input:
        membership_id = IdOf("Membership", required=True, description="Which membership.")
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    membership = graphene.Field(Membership, description="The ended membership.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        standing = at_tenant_of(actor, values["membership_id"])
        return {"membership": actions.end_membership(actor=standing, **values)}
