"""What a tenant's schema shows of its operating model and its rules."""

from typing import Any

import graphene
from django.utils import timezone

from linli.accounts.policy import Permission
from linli.library.layers import Effective
from linli_api.communities.types import Community
from linli_api.connections import Connection, Filter
from linli_api.fields import Bounded, ById, Field, by_id
from linli_api.inputs import IdOf, plain
from linli_api.operating_model import mutations
from linli_api.operating_model.inputs import bounds_list, by_path, values_list
from linli_api.operating_model.types import (
    Adoption,
    AdoptionPreview,
    Clash,
    EffectiveRules,
    Layer,
    LayerKind,
    ModelVersion,
)
from linli_api.scalars import Date
from tenants.operating_model import selectors

PUBLISHED, VERSION = IdOf("PublishedVersion"), IdOf("ModelVersion")


class Query:
    model_version = ById(ModelVersion, description="One version of an operating model.")
    model_versions = Connection(
        ModelVersion,
        filters={"key": Filter("key", graphene.String(description="The model's."))},
        description="The versions that are here, own ones and frozen copies.",
    )
    adoptions = Connection(
        Adoption, description="Which version the rules here start from, day by day."
    )
    layers = Connection(
        Layer,
        filters={
            "kind": Filter("kind", LayerKind(description="Of one kind of authority.")),
            "community_id": Filter("community_id", IdOf("Community")),
        },
        description="What was set on top of the model, by whom and from which day on.",
    )
    clashes = Bounded(
        Clash,
        most=100,
        cost=20,
        permission=Permission.MODELS_READ,
        description="Policies from above that wait until what they do not fit is changed.",
    )
    effective_rules = Field(
        EffectiveRules,
        cost=20,
        on=Date(description="The day; today unless told."),
        community_id=graphene.ID(description="A community, for its own rules."),
        permission=Permission.MODELS_READ,
        description="The rules in force on a day, here or in one community.",
    )
    preview_adoption = Field(
        AdoptionPreview,
        cost=50,
        published_id=PUBLISHED.argument(),
        version_id=VERSION.argument(),
        effective_from=Date(required=True, description="The first day it would count."),
        values=values_list(description="What the street office would set, all of it."),
        bounds=bounds_list(description="What it would narrow, all of it."),
        permission=Permission.MODELS_READ,
        description="What adoptVersion would do with the same input; nothing is written.",
    )

    @staticmethod
    def resolve_clashes(root: None, info: Any) -> list[selectors.Clash]:
        return selectors.clashes(actor=info.context.actor)

    @staticmethod
    def resolve_effective_rules(
        root: None, info: Any, on: Any = None, community_id: str | None = None
    ) -> Effective:
        community = (
            by_id(Community, community_id, info.context.actor, field="communityId")
            if community_id is not None
            else None
        )
        return selectors.effective_rules(
            on or timezone.localdate(), community.pk if community else None
        )

    @staticmethod
    def resolve_preview_adoption(root: None, info: Any, **arguments: Any) -> selectors.Preview:
        fields = {
            **Query.preview_adoption.args,
            "published_id": PUBLISHED,
            "version_id": VERSION,
        }
        given = by_path(plain(fields, arguments))
        return selectors.preview_adoption(actor=info.context.actor, **given)


MUTATIONS = [
    mutations.WriteVersion,
    mutations.PublishVersion,
    mutations.ChangeVisibility,
    mutations.WithdrawVersion,
    mutations.AdoptVersion,
    mutations.SetLayer,
    mutations.IssuePolicy,
]
