"""What a tenant's schema shows of its operating model and its rules."""

from typing import Any

import graphene
from django.utils import timezone

from linli.accounts.policy import Actor, Permission
from linli.library.comparing import Difference, compare, contents
from linli.library.layers import Effective
from linli_api import ids
from linli_api.communities.types import Community
from linli_api.connections import Connection, Filter
from linli_api.fields import Bounded, ById, Field, by_id
from linli_api.inputs import IdOf, plain
from linli_api.library.types import PublishedVersion, VersionComparison
from linli_api.operating_model import draft_mutations, mutations, upgrade_mutations
from linli_api.operating_model.inputs import bounds_list, by_path, values_list
from linli_api.operating_model.types import (
    Adoption,
    AdoptionPreview,
    Draft,
    EffectiveRules,
    Layer,
    LayerKind,
    ModelVersion,
)
from linli_api.operating_model.upgrades import COMMUNITY, Clash, Upgrade, UpgradeState
from linli_api.scalars import Date
from tenants.operating_model import selectors

PUBLISHED, VERSION = IdOf("PublishedVersion"), IdOf("ModelVersion")
UPGRADE = IdOf("Upgrade", required=True, description="Which upgrade.")


class Query:
    model_version = ById(ModelVersion, description="One version of an operating model.")
    model_versions = Connection(
        ModelVersion,
        filters={"key": Filter("key", graphene.String(description="The model's."))},
        description="The versions that are here, own ones and frozen copies.",
    )
    draft = ById(Draft, description="One version that is still being written.")
    drafts = Connection(
        Draft,
        filters={"key": Filter("key", graphene.String(description="Of one model."))},
        description="The versions that are still being written here.",
    )
    compare_versions = Field(
        VersionComparison,
        cost=20,
        from_id=graphene.ID(
            description="Of a ModelVersion, a Draft or a PublishedVersion: what stood before; left "
            "out, what the other was written from."
        ),
        to_id=graphene.ID(
            required=True,
            description="Of a ModelVersion, a Draft or a PublishedVersion: what stands after.",
        ),
        permission=Permission.MODELS_READ,
        description="What differs between any two versions or drafts.",
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
    upgrade = ById(Upgrade, description="One upgrade, with what clashes.")
    upgrades = Connection(
        Upgrade,
        filters={"state": Filter("state", UpgradeState(description="What became of it."))},
        description="The ways from one version to another, open, applied and given up.",
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

    preview_roll_back = Field(
        AdoptionPreview,
        cost=50,
        upgrade_id=UPGRADE.argument(),
        effective_from=Date(required=True, description="The first day it would count."),
        give_up_later=graphene.Boolean(
            default_value=False,
            description="True: what was set on top since may go with it. Else CHANGED_SINCE.",
        ),
        community_id=COMMUNITY.argument(),
        permission=Permission.MODELS_READ,
        description="What rollBackUpgrade would do with the same input, for the street office or a "
        "community of it; nothing is written.",
    )

    @staticmethod
    def resolve_compare_versions(
        root: None, info: Any, to_id: str, from_id: str | None = None
    ) -> list[Difference]:
        after = _version(to_id, info.context.actor, "toId")
        if from_id is None and after.derived_from_id:  # seen only by who may see it
            source = after._meta.get_field("derived_from").related_model
            from_id = ids.encode(source.__name__, after.derived_from_id)
        before = _version(from_id, info.context.actor, "fromId") if from_id is not None else None
        return compare(contents(before), contents(after))

    @staticmethod
    def resolve_clashes(root: None, info: Any) -> list[selectors.Clash]:
        return selectors.clashes(actor=info.context.actor)

    @staticmethod
    def resolve_effective_rules(
        root: None, info: Any, on: Any = None, community_id: str | None = None
    ) -> Effective:
        community = (
            Community.key_of(community_id, field="communityId")
            if community_id is not None
            else None
        )
        return selectors.rules_to_read(
            actor=info.context.actor, on=on or timezone.localdate(), community_id=community
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

    @staticmethod
    def resolve_preview_roll_back(root: None, info: Any, **arguments: Any) -> selectors.Preview:
        fields = {
            **Query.preview_roll_back.args,
            "upgrade_id": UPGRADE,
            "community_id": COMMUNITY,
        }
        return selectors.preview_roll_back(actor=info.context.actor, **plain(fields, arguments))


def _version(value: str, actor: Actor, field: str) -> Any:
    """The version or draft with a global id. Refused: NOT_FOUND."""
    named = (ids.split(value) or ("",))[0]
    kinds = {type_._meta.name: type_ for type_ in (ModelVersion, Draft, PublishedVersion)}
    return by_id(kinds.get(named, ModelVersion), value, actor, field=field)


MUTATIONS = [
    mutations.WriteVersion,
    draft_mutations.OpenDraft,
    draft_mutations.SaveDraft,
    draft_mutations.EditDraft,
    draft_mutations.DiscardDraft,
    draft_mutations.FinishDraft,
    mutations.PublishVersion,
    mutations.ChangeVisibility,
    mutations.WithdrawVersion,
    mutations.AdoptVersion,
    mutations.SetLayer,
    mutations.IssuePolicy,
    *upgrade_mutations.MUTATIONS,
]
