"""What a tenant's schema shows of who decides about its rules."""

from typing import Any

from django.utils import timezone

from linli.accounts.policy import Permission
from linli.library.governing import Rule
from linli_api.connections import Connection, Filter
from linli_api.fields import ById, Field
from linli_api.governing import mutations
from linli_api.governing.types import (
    AdoptionRule,
    AdoptionRuleInForce,
    ChangeRequest,
    Offer,
)
from linli_api.scalars import Date
from tenants.operating_model import selectors


class Query:
    adoption_rules = Connection(
        AdoptionRule, description="What was laid down here and above about how units adopt."
    )
    adoption_rule_in_force = Field(
        AdoptionRuleInForce,
        cost=5,
        required=True,
        on=Date(description="The day; today unless told."),
        permission=Permission.MODELS_READ,
        description="Who approves what this unit adopts, and what it may upgrade to.",
    )
    offer = ById(Offer, description="One offer.")
    offers = Connection(
        Offer, description="What is offered to this unit, or by it to those below; withdrawn too."
    )
    change_request = ById(ChangeRequest, description="One change that waits, or was decided.")
    change_requests = Connection(
        ChangeRequest,
        filters={
            "state": Filter("state", ChangeRequest.state.type.of_type(description="So far.")),
        },
        description="What was asked for here, and how it was decided.",
    )

    @staticmethod
    def resolve_adoption_rule_in_force(root: None, info: Any, on: Any = None) -> Rule:
        return selectors.rule_here(actor=info.context.actor, on=on or timezone.localdate())


MUTATIONS = [
    mutations.SetAdoptionRule,
    mutations.OfferVersion,
    mutations.WithdrawOffer,
    mutations.RequestAdoption,
    mutations.RequestUpgrade,
    mutations.RequestRollBack,
    mutations.ApproveChange,
    mutations.ReturnChange,
    mutations.WithdrawRequest,
]
