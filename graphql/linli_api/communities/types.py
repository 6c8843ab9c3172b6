"""Communities and what is published about them, as the API shows them."""

import graphene

from linli.accounts.policy import Permission
from linli_api.connections import Connection, Filter
from linli_api.fields import Column, One
from linli_api.inputs import VERSION
from linli_api.scalars import Date, Document, Fen, choices
from linli_api.types import Object
from tenants.communities import models, selectors
from tenants.communities.facts import facts

CommunityProfile = choices(
    models.Community.Profile,
    "CommunityProfile",
    AGEING="Many of its residents are old (老龄化): a canteen, a clinic, day care are what it takes.",
    YOUNG="Many families with children (年轻): a nursery, after-school care, classes.",
    OLD_ESTATE="Old housing (老旧小区), much to repair, and seldom a property firm.",
    NEW_ESTATE="Housing built lately (新建小区), whose residents do not know each other yet.",
)


class Community(Object):
    """A community (社区) or village of the street office. Figures are null where not known."""

    class Meta:
        permission = Permission.COMMUNITIES_READ
        model = models.Community
        selector = selectors.communities
        orderings = {
            "NAME": ("name",),
            "OLDEST": ("id",),
            "NEWEST": ("-id",),
        }

    name = graphene.String(required=True, description="As people call it: 城南社区.")
    division_code = graphene.String(
        description="Its 12 digits in the national list; null if it is newer than the list."
    )
    profile = Column(
        CommunityProfile, of="profile", blank_is_null=True, description="Which models suit it."
    )
    residents = graphene.Int(description="How many people live there.")
    buildings = graphene.Int(description="How many buildings it has.")
    operating_cost_fen = Fen(description="What running it costs a year, in fen.")
    opened_on = Date(required=True, description="The day it came on board.")
    sample_cost = graphene.Boolean(
        required=True, description="True where the operating cost is made up as a sample."
    )
    version = graphene.Int(required=True, description=VERSION)
    facts = Connection(
        lambda: Fact,
        by="community_id",
        filters={"key": Filter("key", graphene.String(description="The whole key."))},
        description="What accounts state about it.",
    )


class Fact(Object):
    """What an account states about a community, or about the street office as a whole."""

    class Meta:
        permission = Permission.COMMUNITIES_READ
        model = models.Fact
        selector = facts
        orderings = {"KEY": ("key",), "OLDEST": ("id",), "NEWEST": ("-id",)}

    community = One(
        Community, by="community_id", description="Null for the street office as a whole."
    )
    key = graphene.String(
        required=True, description="A path in the account's words: markets.this_year."
    )
    value = Document(description="The value, any JSON.")
    source = graphene.String(required=True, description="Which account states it.")
    sample = graphene.Boolean(
        required=True, description="True for made-up sample data, false for what was published."
    )
    version = graphene.Int(required=True, description=VERSION)
