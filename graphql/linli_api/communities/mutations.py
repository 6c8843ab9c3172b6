"""Bringing communities on board, and what is known of them."""

from typing import Any

import graphene

from linli.accounts.policy import Actor, Permission
from linli_api.batches import together
from linli_api.bulk import Bulk
from linli_api.communities.types import Community, CommunityProfile, Fact
from linli_api.fields import Bounded
from linli_api.inputs import EXPECTED_VERSION, Changed, IdOf
from linli_api.mutation import Mutation
from linli_api.scalars import Date, Document, Fen
from onboarding.communities import onboard_communities
from tenants.communities import actions
from tenants.communities.facts import state_fact


class AddCommunity(Mutation):
    """Brings one community on board."""

    class Meta:
        permission = Permission.COMMUNITIES_ONBOARD

    class Input:
        name = graphene.String(required=True, description="As people call it.")
        opened_on = Date(required=True, description="The day it comes on board.")
        division_code = graphene.String(description="Its 12 digits in the national list.")
        profile = CommunityProfile(description="Which models suit it.")
        residents = graphene.Int(description="How many people live there.")
        buildings = graphene.Int(description="How many buildings it has.")
        operating_cost_fen = Fen(description="What running it costs a year, in fen.")
        sample_cost = graphene.Boolean(
            required=True, default_value=False, description="True for a made-up operating cost."
        )

    community = graphene.Field(Community, description="The new community.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"community": actions.add_community(actor=actor, **_blank(values))}


class UpdateCommunity(Mutation):
    """Corrects what is known of a community. What is left out stays; null clears what need not
    be known, and is refused elsewhere."""

    class Meta:
        permission = Permission.COMMUNITIES_ONBOARD

    class Input:
        community_id = IdOf("Community", required=True, description="Which community.")
        name = Changed(graphene.String, description="As people call it.")
        division_code = Changed(
            graphene.String, clears=True, description="Its 12 digits in the national list."
        )
        profile = Changed(CommunityProfile, clears=True, description="Which models suit it.")
        residents = Changed(graphene.Int, clears=True, description="How many people live there.")
        buildings = Changed(graphene.Int, clears=True, description="How many buildings it has.")
        operating_cost_fen = Changed(
            Fen, clears=True, description="What running it costs a year, in fen."
        )
        sample_cost = Changed(graphene.Boolean, description="True for a made-up operating cost.")
        expected_version = graphene.Int(description=EXPECTED_VERSION)
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    community = graphene.Field(Community, description="The community as it is now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"community": actions.update_community(actor=actor, **_blank(values))}


class OnboardCommunities(Mutation):
    """Brings communities on board by the national list, all or none; again, it changes nothing."""

    class Meta:
        permission = Permission.COMMUNITIES_ONBOARD
        per = "codes"

    class Input:
        codes = graphene.List(
            graphene.NonNull(graphene.String),
            description="12-digit codes; left out for every community of the street.",
        )
        opened_on = Date(required=True, description="The day they come on board.")

    added = Bounded(
        Community, most=1_000, required=False, cost=1, description="What came on board."
    )
    already = Bounded(
        Community,
        most=1_000,
        required=False,
        cost=1,
        description="What was on board before, left as it was.",
    )

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        values.setdefault("codes", None)
        done = onboard_communities(actor=actor, **values)
        return {"added": together(done.added), "already": together(done.already)}


class StateFact(Mutation):
    """States what an account says, or corrects it; the same again changes nothing."""

    class Meta:
        permission = Permission.COMMUNITIES_ONBOARD

    class Input:
        community_id = IdOf("Community", description="Left out for the street office as a whole.")
        key = graphene.String(
            required=True, description="A path in the account's words: markets.this_year."
        )
        value = Document(
            required=True,
            description="The value: any JSON but an empty text, list or object, which states nothing.",
        )
        source = graphene.String(required=True, description="Which account states it.")
        sample = graphene.Boolean(
            required=True, default_value=False, description="True for made-up sample data."
        )
        expected_version = graphene.Int(description=f"{EXPECTED_VERSION} 0: it is not stated yet.")

    fact = graphene.Field(Fact, description="The fact as it stands.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        values.setdefault("community_id", None)
        return {"fact": state_fact(actor=actor, **values)}


class AddCommunities(Bulk):
    """Brings many communities on board, each as addCommunity does."""

    of = AddCommunity


class UpdateCommunities(Bulk):
    """Corrects what is known of many communities, each as updateCommunity does."""

    of = UpdateCommunity


class StateFacts(Bulk):
    """States many facts, each as stateFact does."""

    of = StateFact


def _blank(values: dict[str, Any]) -> dict[str, Any]:
    """The profile that is not known is blank in the model, null in the API."""
    return values | {"profile": values["profile"] or ""} if "profile" in values else values
