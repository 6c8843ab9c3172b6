"""What the platform's schema shows of people and their roles."""

import graphene

from linli_api.accounts import mutations
from linli_api.accounts.types import Membership, Person, RoleName
from linli_api.connections import Connection, Filter
from linli_api.fields import ById
from linli_api.inputs import IdOf


class Query:
    person = ById(Person, description="One person, of those with a role where you may see roles.")
    people = Connection(
        Person,
        filters={"username": Filter("username", graphene.String(description="Their log-in name."))},
        description="Those with a role where you may see roles; who gives roles out sees those with none "
        "yet too, the platform operator everybody.",
    )
    memberships = Connection(
        Membership,
        filters={
            "tenant_id": Filter("tenant_id", IdOf("Tenant")),
            "person_id": Filter("person_id", IdOf("Person")),
            "role": Filter("role", RoleName(description="Who has this role.")),
        },
        description="Who has which role in the tenants whose roles you may see.",
    )


MUTATIONS = [
    mutations.RegisterPerson,
    mutations.SetPassword,
    mutations.DisablePerson,
    mutations.EnablePerson,
    mutations.GrantMembership,
    mutations.EndMembership,
]
