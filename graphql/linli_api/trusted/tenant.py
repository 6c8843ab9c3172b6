"""What a tenant's schema shows of the documents it trusts."""

from linli_api.connections import Connection
from linli_api.fields import ById
from linli_api.trusted import mutations
from linli_api.trusted.types import TrustedDocument


class Query:
    trusted_document = ById(TrustedDocument, description="One trusted document.")
    trusted_documents = Connection(
        TrustedDocument, description="The documents trusted here, the withdrawn ones too."
    )


MUTATIONS = [
    mutations.TrustDocument,
    mutations.WithdrawDocument,
    mutations.RequireTrustedDocuments,
]
