"""What a tenant's schema shows of the documents it trusts."""

from typing import Any

from linli.trusted import selectors
from linli_api.connections import Connection
from linli_api.fields import ById, Field
from linli_api.trusted import mutations
from linli_api.trusted.types import DocumentRule, TrustedDocument


class Query:
    trusted_document = ById(TrustedDocument, description="One trusted document.")
    trusted_documents = Connection(
        TrustedDocument, description="The documents trusted here, the withdrawn ones too."
    )
    document_rule = Field(DocumentRule, description="Whether programs may run others.")

    @staticmethod
    def resolve_document_rule(root: None, info: Any) -> dict[str, Any]:
        return {"only_trusted": selectors.only_trusted(info.context.actor.tenant.pk)}


MUTATIONS = [
    mutations.TrustDocument,
    mutations.WithdrawDocument,
    mutations.RequireTrustedDocuments,
]
