"""What a tenant's schema shows of its partners."""

import graphene

from linli_api.connections import Connection, Filter
from linli_api.fields import ById
from linli_api.inputs import IdOf
from linli_api.partners import mutations
from linli_api.partners.types import (
    Agreement,
    AgreementMode,
    Contribution,
    Declaration,
    Partner,
)
from linli_api.scalars import Date


class Query:
    partner = ById(Partner, description="One partner.")
    partners = Connection(
        Partner,
        filters={
            "community_id": Filter("community_id", IdOf("Community")),
            "kind": Filter(
                "kind", graphene.String(description="Key of one of the model's partner kinds.")
            ),
        },
        description="The partners of this street office.",
    )
    agreement = ById(Agreement, description="One agreement.")
    agreements = Connection(
        Agreement,
        filters={
            "partner_id": Filter("partner_id", IdOf("Partner")),
            "mode": Filter("mode", AgreementMode(description="How it is engaged.")),
        },
        description="What was agreed with partners.",
    )
    declaration = ById(Declaration, description="One declaration.")
    declarations = Connection(
        Declaration,
        filters={
            "agreement_id": Filter("agreement_id", IdOf("Agreement")),
            "since": Filter(
                "starts_on__gte", Date(description="Of periods that start on this day or later.")
            ),
            "until": Filter(
                "starts_on__lt", Date(description="Of periods that start before this day.")
            ),
        },
        description="What partners declared.",
    )
    contribution = ById(Contribution, description="One contribution.")
    contributions = Connection(
        Contribution,
        filters={"partner_id": Filter("declaration__agreement__partner_id", IdOf("Partner"))},
        description="What partners owe the fund.",
    )


MUTATIONS = [
    mutations.AdmitPartner,
    mutations.UpdatePartner,
    mutations.SignAgreement,
    mutations.DeclareIncome,
    mutations.AdmitPartners,
    mutations.SignAgreements,
    mutations.DeclareIncomes,
]
