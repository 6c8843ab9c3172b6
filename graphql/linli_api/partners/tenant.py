"""What a tenant's schema shows of its partners."""

from typing import Any

import graphene
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Permission
from linli_api.connections import Connection, Filter
from linli_api.fields import Bounded, ById, Groups
from linli_api.inputs import IdOf, plain
from linli_api.partners import mutations
from linli_api.partners.types import (
    MOST_UNFIT,
    Agreement,
    AgreementMode,
    Contribution,
    ContributionMonth,
    Declaration,
    Partner,
    UnfitAgreement,
    unfit_agreements,
)
from linli_api.scalars import Date
from tenants.partners import selectors

COMMUNITY = IdOf("Community", description="Of one community.")


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
        filters={"partner_id": Filter("partner_id", IdOf("Partner"))},
        description="What partners owe the fund.",
    )
    contribution_months = Groups(
        ContributionMonth,
        groups=selectors.contribution_months,
        check=selectors.check_months,
        arguments={
            "since": Date(required=True, description="Of periods that start on this day or later."),
            "until": Date(required=True, description="The first day not included."),
            "community_id": IdOf("Community", description="Of one community."),
        },
        required=True,
        cost=50,
        rows=12,
        most=1_000,
        less=_("Ask for fewer months, or for one community with communityId."),
        description="What partners owe, summed up by community and month.",
    )
    unfit_agreements = Bounded(
        UnfitAgreement,
        most=MOST_UNFIT,
        less=_("Ask for one community with communityId."),
        cost=50,
        community_id=COMMUNITY.argument(),
        permission=Permission.PARTNERS_READ,
        description="Agreements running today that do not fit the rules in force today.",
    )

    @staticmethod
    def resolve_unfit_agreements(root: None, info: Any, **arguments: Any) -> list[Any]:
        given = plain({"community_id": COMMUNITY}, arguments)
        return unfit_agreements(selectors.unfit_agreements(actor=info.context.actor, **given))


MUTATIONS = [
    mutations.AdmitPartner,
    mutations.UpdatePartner,
    mutations.SignAgreement,
    mutations.DeclareIncome,
    mutations.AdmitPartners,
    mutations.SignAgreements,
    mutations.DeclareIncomes,
]
