"""What people do with trusted documents."""

from copy import copy
from typing import Any

import graphene

from linli.accounts.policy import Actor, Permission
from linli.trusted import actions
from linli_api.batches import together
from linli_api.inputs import EXPECTED_VERSION, IdOf
from linli_api.mutation import Mutation
from linli_api.registry.types import Tenant
from linli_api.trusted.types import TrustedDocument
from linli_api.trusted.valid import cost_of


class TrustDocument(Mutation):
    """Registers a document that may then be run by its hash: sent again, it changes nothing."""

    class Meta:
        permission = Permission.DOCUMENTS_TRUST

    class Input:
        text = graphene.String(required=True, description="The document, exactly as hashed.")
        name = graphene.String(
            required=True, default_value="", description="What to call it in the list."
        )

    document = graphene.Field(TrustedDocument, description="The document with its id.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        cost = cost_of(values["text"])
        return {"document": actions.trust_document(actor=actor, cost=cost, **values)}


class WithdrawDocument(Mutation):
    """Ends the trust in a document; ten seconds later no process runs it any more."""

    class Meta:
        permission = Permission.DOCUMENTS_TRUST

    class Input:
        trusted_document_id = IdOf("TrustedDocument", required=True, description="Which document.")

    document = graphene.Field(TrustedDocument, description="The document as it stands now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        document_id = values.pop("trusted_document_id")
        return {"document": actions.withdraw_document(actor=actor, document_id=document_id)}


class RequireTrustedDocuments(Mutation):
    """Says whether clients may run trusted documents only; ten seconds later it holds everywhere."""

    class Meta:
        permission = Permission.DOCUMENTS_REQUIRE

    class Input:
        only_trusted = graphene.Boolean(required=True, description="True: no others.")
        expected_version = graphene.Int(
            description=f"{EXPECTED_VERSION} The rule's; 0: nothing was ruled yet."
        )

    tenant = graphene.Field(Tenant, description="The tenant as it stands now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        actions.require_trusted(actor=actor, **values)
        [now] = together([copy(actor.tenant)])  # what was read of it before stands no more
        return {"tenant": now}
