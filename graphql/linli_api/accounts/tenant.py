"""What a tenant's schema shows of who works there."""

from linli_api.accounts.types import Membership, RoleName
from linli_api.connections import Connection, Filter
from linli_api.inputs import IdOf


class Query:
    memberships = Connection(
        Membership,
        filters={
            "person_id": Filter("person_id", IdOf("Person")),
            "role": Filter("role", RoleName(description="Who has this role.")),
        },
        description="Who has which role in this tenant, the ended ones included.",
    )
