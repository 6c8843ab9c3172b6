"""What districts and cities lay down and offer, and what waits for approval."""

from typing import Any

import graphene

from linli.accounts.policy import Actor, Permission
from linli_api.governing.types import (
    AdoptionRule,
    Approver,
    ChangeRequest,
    Offer,
    Upgrades,
)
from linli_api.inputs import IdOf
from linli_api.mutation import Mutation
from linli_api.operating_model.inputs import by_path
from linli_api.operating_model.mutations import EFFECTIVE_FROM, AdoptVersion, check_layer_seen
from linli_api.operating_model.upgrade_mutations import ApplyUpgrade, RollBackUpgrade
from linli_api.scalars import Date
from tenants.operating_model import governing, requests


class SetAdoptionRule(Mutation):
    """Lays down how every unit below this city or district adopts and upgrades, from a day on."""

    class Meta:
        permission = Permission.MODELS_ISSUE_POLICY

    class Input:
        approver = Approver(required=True, description="Who approves.")
        upgrades = Upgrades(required=True, description="To which versions they may upgrade.")
        effective_from = Date(required=True, description=EFFECTIVE_FROM)
        expected_version = graphene.Int(
            required=True,
            description="The version of the last rule of this unit's that was seen, 0 where there "
            "is none: VERSION_CONFLICT, and nothing changed, if there is a later one by now.",
        )
        reason = graphene.String(required=True, default_value="", description="Why.")

    rule = graphene.Field(AdoptionRule, description="The rule.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"rule": governing.set_adoption_rule(actor=actor, **values)}


class OfferVersion(Mutation):
    """Offers a version of the library to street offices below, some of them first if you like."""

    class Meta:
        permission = Permission.MODELS_ISSUE_POLICY

    class Input:
        published_id = IdOf("PublishedVersion", required=True, description="Which version.")
        unit_ids = IdOf(
            "Tenant",
            many=True,
            description="Global ids of the street offices; left out: all, those to come too.",
        )
        effective_from = Date(
            required=True, description="The first day it may be taken up, today or later."
        )
        binding_by = Date(
            description="The day by which it has to be applied; left out: it may be declined."
        )
        note = graphene.String(required=True, default_value="", description="What you say to it.")

    offer = graphene.Field(Offer, description="The offer.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"offer": governing.offer_version(actor=actor, **values)}


class WithdrawOffer(Mutation):
    """Withdraws an offer from today on; who has taken it up keeps what it runs."""

    class Meta:
        permission = Permission.MODELS_ISSUE_POLICY

    class Input:
        offer_id = IdOf("Offer", required=True)
        reason = graphene.String(required=True, description="Why.")

    offer = graphene.Field(Offer, description="The offer.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"offer": governing.withdraw_offer(actor=actor, **values)}


class RequestAdoption(Mutation):
    """Asks for what adoptVersion would do with the same input; it counts once it is approved."""

    class Meta:
        permission = Permission.MODELS_ADOPT

    Input = AdoptVersion.Input

    request = graphene.Field(ChangeRequest, description="What waits for approval.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        check_layer_seen(values)
        return {"request": requests.request_adoption(actor=actor, **by_path(values))}


class RequestUpgrade(Mutation):
    """Asks for what applyUpgrade would do with the same input; it counts once it is approved."""

    class Meta:
        permission = Permission.MODELS_ADOPT
        cost = 50

    Input = ApplyUpgrade.Input

    request = graphene.Field(ChangeRequest, description="What waits for approval.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"request": requests.request_upgrade(actor=actor, **values)}


class RequestRollBack(Mutation):
    """Asks for what rollBackUpgrade would do with the same input; it counts once it is approved."""

    class Meta:
        permission = Permission.MODELS_ADOPT

    Input = RollBackUpgrade.Input

    request = graphene.Field(ChangeRequest, description="What waits for approval.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"request": requests.request_roll_back(actor=actor, **values)}


class ApproveChange(Mutation):
    """Approves what was asked for, and does it; never by who asked."""

    class Meta:
        permission = Permission.MODELS_APPROVE

    class Input:
        request_id = IdOf("ChangeRequest", required=True)
        reason = graphene.String(required=True, default_value="", description="Why.")

    request = graphene.Field(ChangeRequest, description="The request, with what came of it.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"request": requests.approve_change(actor=actor, **values)}


class ReturnChange(Mutation):
    """Declines what was asked for, and says why; never by who asked."""

    class Meta:
        permission = Permission.MODELS_APPROVE

    class Input:
        request_id = IdOf("ChangeRequest", required=True)
        reason = graphene.String(required=True, description="Why.")

    request = graphene.Field(ChangeRequest, description="The request.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"request": requests.return_change(actor=actor, **values)}


class WithdrawRequest(Mutation):
    """Takes back what this unit asked for, while it waits."""

    class Meta:
        permission = Permission.MODELS_ADOPT

    class Input:
        request_id = IdOf("ChangeRequest", required=True)
        reason = graphene.String(required=True, default_value="", description="Why.")

    request = graphene.Field(ChangeRequest, description="The request.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"request": requests.withdraw_request(actor=actor, **values)}
