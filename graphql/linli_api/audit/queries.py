"""The same question at both sides: each schema keeps the trail of its own writes."""

import graphene
from django.utils.translation import gettext as _

from linli.errors import NotFound
from linli_api import ids
from linli_api.audit.types import AuditEntry
from linli_api.connections import Connection, Filter
from linli_api.inputs import IdOf


class IdOfAny(IdOf):
    """The global id of an object of any type; what is sought for is its key."""

    def __init__(self) -> None:
        super().__init__("object", description="Global id of any object.")

    def keys(self, value: str, path: str) -> str:
        parts = ids.split(value)
        if parts is None:
            raise NotFound(_("object"), field=path)
        return parts[1]


class Query:
    audit_entries = Connection(
        AuditEntry,
        filters={
            "object_id": Filter("object_id", IdOfAny()),
            "action": Filter("action", graphene.String(description="As in fund.approve.")),
        },
        description="Who changed what, when and why.",
    )
