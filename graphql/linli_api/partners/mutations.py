"""What people do with partners."""

from typing import Any

import graphene

from linli.accounts.policy import Actor, Permission
from linli_api.bulk import Bulk
from linli_api.inputs import EXPECTED_VERSION, Changed, IdOf
from linli_api.mutation import Mutation
from linli_api.partners.types import (
    END,
    SAMPLE,
    Agreement,
    AgreementMode,
    Contribution,
    Partner,
    UtilitiesBearer,
)
from linli_api.scalars import Date, Fen, Rate
from tenants.partners import actions, models


class AdmitPartner(Mutation):
    """Admits a partner into a community."""

    class Meta:
        permission = Permission.PARTNERS_ADMIT

    class Input:
        community_id = IdOf("Community", required=True, description="Into which community.")
        name = graphene.String(required=True, description="Who it is.")
        kind = graphene.String(
            required=True, description="Key of one of the partner kinds of the rules in force."
        )
        is_individual = graphene.Boolean(
            required=True, default_value=False, description="True for a person."
        )
        joined_on = Date(description="Since when; today unless told.")
        sample = graphene.Boolean(required=True, default_value=False, description=SAMPLE)

    partner = graphene.Field(Partner, description="The new partner.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"partner": actions.admit_partner(actor=actor, **values)}


class UpdatePartner(Mutation):
    """Corrects what was written down of a partner. What is left out stays; null is
    refused, for all of it is known."""

    class Meta:
        permission = Permission.PARTNERS_ADMIT

    class Input:
        partner_id = IdOf("Partner", required=True, description="Which partner.")
        name = Changed(graphene.String, description="Who it is.")
        kind = Changed(
            graphene.String, description="Key of one of the partner kinds of the rules in force."
        )
        is_individual = Changed(graphene.Boolean, description="True for a person.")
        joined_on = Changed(Date, description="Since when.")
        expected_version = graphene.Int(description=EXPECTED_VERSION)
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    partner = graphene.Field(Partner, description="The partner as it is now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"partner": actions.update_partner(actor=actor, **values)}


class SignAgreement(Mutation):
    """Writes down what a partner and its community agreed, within the rules in force."""

    class Meta:
        permission = Permission.PARTNERS_SIGN

    class Input:
        partner_id = IdOf("Partner", required=True, description="With which partner.")
        mode = AgreementMode(required=True, description="How it is engaged.")
        rule_key = graphene.String(
            required=True, description="Key of one of the model's contribution rules for the mode."
        )
        agreed_rate = Rate(description="An own rate, inside the bounds; for a share only.")
        services = graphene.String(
            required=True, default_value="", description="What it offers, and how well."
        )
        spaces = graphene.String(
            required=True, default_value="", description="The rooms it is lent."
        )
        utilities_borne_by = UtilitiesBearer(
            required=True,
            default_value=models.Agreement.Bearer.PARTNER.value,
            description="Who pays for water, power and heating.",
        )
        rent_free_months = graphene.Int(
            required=True,
            default_value=0,
            description="Months from the start in which nothing is owed.",
        )
        starts_on = Date(required=True, description="The first day of the term.")
        ends_on = Date(required=True, description=END)
        sample = graphene.Boolean(required=True, default_value=False, description=SAMPLE)

    agreement = graphene.Field(Agreement, description="The agreement.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"agreement": actions.sign_agreement(actor=actor, **values)}


class DeclareIncome(Mutation):
    """Takes what a partner declares for a period, and works out what it owes."""

    class Meta:
        permission = Permission.PARTNERS_DECLARE

    class Input:
        agreement_id = IdOf("Agreement", required=True, description="Under which agreement.")
        starts_on = Date(required=True, description="The first day of the period.")
        ends_on = Date(required=True, description=END)
        income_fen = Fen(description="The income in fen, for a rule that takes a share.")
        sessions = graphene.Int(description="Sessions held, for a rule that takes a fee each.")
        sample = graphene.Boolean(required=True, default_value=False, description=SAMPLE)

    contribution = graphene.Field(Contribution, description="What is owed, with its working-out.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"contribution": actions.declare_income(actor=actor, **values)}


class AdmitPartners(Bulk):
    """Admits many partners, each as admitPartner does."""

    of = AdmitPartner


class SignAgreements(Bulk):
    """Writes down many agreements, each as signAgreement does."""

    of = SignAgreement


class DeclareIncomes(Bulk):
    """Takes many declarations, each as declareIncome does."""

    of = DeclareIncome
