"""The audit trail, as the API shows it."""

import graphene
from django.apps import apps

from linli.accounts import selectors as accounts
from linli.accounts.policy import Permission
from linli.audit import models
from linli.clients import selectors
from linli_api import ids
from linli_api.fields import Computed, GlobalId
from linli_api.scalars import DateTime, Document
from linli_api.types import Object, types_by_model


class AuditEntry(Object):
    """One write: who, when, what, before and after."""

    class Meta:
        permission = Permission.AUDIT_READ
        model = models.Entry
        selector = selectors.trail
        orderings = {"NEWEST": ("-id",), "OLDEST": ("id",)}

    at = DateTime(required=True, description="When.")
    person_id = GlobalId(
        "Person", by="person_id", description="Who; null where the platform acted by itself."
    )
    person_name = Computed(
        graphene.String, load=accounts.name_by_entry, description="What they are called now."
    )
    client_id = graphene.ID(
        description="The program it was done through, a client or a person's token; null where a "
        "person did it in their browser.",
    )
    client_name = Computed(
        graphene.String, load=selectors.client_name_by_entry, description="What that is called."
    )
    action = graphene.String(required=True, description="What was done: fund.approve.")
    object_id = graphene.ID(required=True, description="The global id of what it was done to.")
    before = Document(description="What the write changed, as it was; null for something new.")
    after = Document(description="The same, as it became; null for something ended.")
    reason = graphene.String(required=True, description="Why; empty where none was given.")

    @staticmethod
    def resolve_client_id(entry: models.Entry, info: graphene.ResolveInfo) -> str | None:
        kind = "PersonalToken" if entry.person_id else "Client"
        return ids.encode(kind, entry.client_id) if entry.client_id else None

    @staticmethod
    def resolve_object_id(entry: models.Entry, info: graphene.ResolveInfo) -> str:
        model = apps.get_model(entry.object_type)
        shown = types_by_model(info.schema).get(model)
        return ids.encode(shown._meta.name if shown else model.__name__, entry.object_id)
