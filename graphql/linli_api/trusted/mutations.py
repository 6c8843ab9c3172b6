"""What people do with trusted documents."""

from typing import Any

import graphene

from linli.accounts.policy import Actor, Permission
from linli.trusted import actions
from linli_api.inputs import IdOf
from linli_api.mutation import Mutation
from linli_api.trusted.types import DocumentRule, TrustedDocument
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
    def act(cls, *, actor: Actor, text: str, name: str) -> dict[str, Any]:
        cost = cost_of(text)
        return {
            "document": actions.trust_document(actor=actor, text=text, name=name, cost=cost),
        }


class WithdrawDocument(Mutation):
    """Ends the trust in a document; ten seconds later no process runs it any more."""

    class Meta:
        permission = Permission.DOCUMENTS_TRUST

    class Input:
        document_id = IdOf("TrustedDocument", required=True, description="Which document.")

    document = graphene.Field(TrustedDocument, description="The document as it stands now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"document": actions.withdraw_document(actor=actor, **values)}


class RequireTrustedDocuments(Mutation):
    """Says whether clients may run trusted documents only; ten seconds later it holds everywhere."""

    class Meta:
        permission = Permission.DOCUMENTS_REQUIRE

    class Input:
        only_trusted = graphene.Boolean(required=True, description="True: no others.")

    rule = graphene.Field(DocumentRule, description="The rule as it stands now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"rule": actions.require_trusted(actor=actor, **values)}
