"""What a tenant's schema shows of its communities."""

import graphene

from linli_api.communities import mutations
from linli_api.communities.types import Community, CommunityProfile, Fact
from linli_api.connections import Connection, Filter
from linli_api.fields import ById
from linli_api.inputs import IdOf


class Query:
    community = ById(Community, description="One community.")
    communities = Connection(
        Community,
        filters={
            "profile": Filter(
                "profile", CommunityProfile(description="Of communities of this profile.")
            ),
            "search": Filter("name__icontains", graphene.String(description="A part of the name.")),
            "division_code": Filter(
                "division_code__startswith",
                graphene.String(description="The first digits of the division code, or all."),
            ),
        },
        description="The communities of this street office.",
    )
    facts = Connection(
        Fact,
        filters={
            "community_id": Filter("community_id", IdOf("Community")),
            "key": Filter("key", graphene.String(description="The whole key.")),
        },
        description="What accounts state about the street office and its communities.",
    )


MUTATIONS = [
    mutations.AddCommunity,
    mutations.UpdateCommunity,
    mutations.OnboardCommunities,
    mutations.StateFact,
    mutations.AddCommunities,
    mutations.UpdateCommunities,
    mutations.StateFacts,
]
