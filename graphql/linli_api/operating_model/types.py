"""Operating models and the rules that follow from them, as the API shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import graphene

from linli.accounts.policy import Permission
from linli.library import labels, paths
from linli.library.bounds import MOST_PLACES, Origin
from linli.library.changes import Change
from linli.library.layers import Effective
from linli.library.limits import Limits
from linli_api import ids
from linli_api.communities.types import Community
from linli_api.connections import Connection
from linli_api.fields import Bounded, Computed, One
from linli_api.guard import INHERITED
from linli_api.inputs import VERSION
from linli_api.library.types import RuleBound, VersionVisibility, bounds_of
from linli_api.mutation import Error, told
from linli_api.operating_model.inputs import IN_WORDS, LABEL, PATH
from linli_api.scalars import Date, DateTime, Document, choices
from linli_api.types import Object, extends
from tenants.operating_model import models, selectors

LayerKind = choices(
    models.Layer.Kind,
    "LayerKind",
    CITY="The policy of a city (市), binding for all units below it.",
    DISTRICT="The policy of a district (区), binding for its street offices, within the city's.",
    STREET="What a street office (街道办事处) sets for itself, within what stands above.",
    COMMUNITY="What is set for one community (社区) alone: one community, one policy (一社一策).",
)

_ORIGIN = "Who sets rules: a model's author or a layer."
_ORIGINS = {
    "MODEL": "The author of the operating model (运营模式), in the version that was adopted.",
    "CITY": "Set from above by the city (市), in a policy (政策).",
    "DISTRICT": "Set from above by the district (区), in a policy (政策).",
    "STREET": "Set by the street office (街道办事处), for all of its communities.",
    "COMMUNITY": "Set for one community (社区) alone (一社一策).",
}
RuleOriginKind = graphene.Enum(
    "RuleOriginKind",
    [("MODEL", "model"), *((kind.name, kind.value) for kind in models.Layer.Kind)],
    description=lambda member: _ORIGINS[member.name] if member else _ORIGIN,
)


class RuleValue(Object):
    """What somebody set at a place of the document."""

    class Meta:
        permission = INHERITED

    path = graphene.String(required=True, description=PATH)
    value = Document(description="A JSON value; null takes an item of a list away.")


def values_of(by_path: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"path": path, "value": value} for path, value in by_path.items()]


class Publication(Object):
    """How a version stands in the library."""

    class Meta:
        permission = INHERITED

    published_id = graphene.ID(
        description="Global id of the PublishedVersion; null where it is no longer shown here."
    )
    version = graphene.Int(
        description="Counts its changes, for changeVisibility as expectedVersion; null for a copy."
    )
    visibility = graphene.Field(
        VersionVisibility, description="Who sees it; null where it is no longer shown here."
    )
    withdrawn_at = DateTime(
        description="When its author took it back: what runs goes on, nobody adopts it anew."
    )
    withdrawal_reason = graphene.String(description="Why.")

    @staticmethod
    def resolve_published_id(told: dict[str, Any], info: Any) -> str | None:
        key = told["published_id"]
        return None if key is None else ids.encode("PublishedVersion", key)

    @staticmethod
    def resolve_withdrawal_reason(told: dict[str, Any], info: Any) -> str | None:
        return told["withdrawal_reason"] or None


class ModelVersion(Object):
    """One immutable version of an operating model: written here, or a frozen copy."""

    class Meta:
        permission = Permission.MODELS_READ
        model = models.ModelVersion
        selector = selectors.versions
        orderings = {"NEWEST": ("-id",), "OLDEST": ("id",), "KEY": ("key", "number")}

    key = graphene.String(required=True, description="Names the model, the same in all versions.")
    number = graphene.Int(required=True, description="Counts the versions of one author's model.")
    title = graphene.String(required=True, description="What people call it.")
    notes = graphene.String(required=True, description="What is new in it.")
    digest = graphene.String(required=True, description="SHA-256 of document and bounds.")
    document = Document(
        required=True, description="The document, without what stands at its default."
    )
    bounds = Bounded(RuleBound, most=MOST_PLACES, description="What its author bounds.")
    author_name = graphene.String(required=True, description="Who wrote it, by the name of then.")
    derived_from = One(
        lambda: ModelVersion,
        by="derived_from_id",
        description="What it was written from; null for a first one, and for a copy.",
    )
    created_at = DateTime(required=True, description="When it was written or copied here.")
    publication = Computed(
        Publication,
        load=selectors.publication_by_version,
        description="How it stands in the library, or that of which this is a copy; null: it does not.",
    )

    @staticmethod
    def resolve_bounds(version: models.ModelVersion, info: Any) -> list[dict[str, Any]]:
        return bounds_of(version.bounds)


class Draft(Object):
    """A version that is still being written, as those who may write see it; it may be incomplete or
    wrong."""

    class Meta:
        permission = Permission.MODELS_READ
        model = models.Draft
        reads = frozenset({Permission.MODELS_AUTHOR})
        selector = selectors.drafts
        orderings = {"NEWEST": ("-id",), "OLDEST": ("id",)}

    version = graphene.Int(required=True, description=VERSION)
    key = graphene.String(required=True, description="Of the model whose next version it will be.")
    title = graphene.String(required=True, description="What people call it.")
    notes = graphene.String(required=True, description="What will be new; may be empty.")
    document = Document(required=True, description="As far as it is written.")
    bounds = Bounded(RuleBound, most=MOST_PLACES, description="What its author bounds.")
    derived_from = One(
        ModelVersion,
        by="derived_from_id",
        description="What it is written from; null where it began from nothing.",
    )
    changed_at = Computed(
        DateTime, load=selectors.change_instants, description="When somebody last changed it."
    )
    changed_by = Computed(
        graphene.String,
        load=selectors.changers,
        description="Who that was: a person, or else a program, by name.",
    )
    problems = Bounded(
        Error,
        most=1_000,
        cost=5,
        description="Why it could not be a version as it stands, each at its place in the document; "
        "empty if it could.",
    )

    @staticmethod
    def resolve_bounds(draft: models.Draft, info: Any) -> list[dict[str, Any]]:
        return bounds_of(draft.bounds)

    @staticmethod
    def resolve_problems(draft: models.Draft, info: Any) -> list[Error]:
        problems = selectors.problems_of(draft, actor=info.context.actor)
        return [error for problem in problems for error in told(problem)]


class Adoption(Object):
    """From a day on, the rules here start from a version."""

    class Meta:
        permission = Permission.MODELS_READ
        model = models.Adoption
        selector = selectors.adoptions
        orderings = {"EFFECTIVE": ("effective_from", "decided_at"), "NEWEST": ("-id",)}

    number = Computed(
        graphene.Int,
        load=selectors.number_by_adoption,
        required=True,
        description="Counts what was adopted here, from 1 on, as it was decided; give the highest "
        "to adoptVersion as expectedVersion.",
    )
    version = One(ModelVersion, by="version_id", description="What was adopted.")
    effective_from = Date(required=True, description="The first day it counts.")
    decided_at = DateTime(required=True, description="When this was decided.")


class Layer(Object):
    """What one authority set on top of the model, from a day on; all of it."""

    class Meta:
        permission = Permission.MODELS_READ
        model = models.Layer
        selector = selectors.layers
        orderings = {"EFFECTIVE": ("effective_from", "decided_at"), "NEWEST": ("-id",)}

    version = Computed(
        graphene.Int,
        load=selectors.version_by_layer,
        required=True,
        description="Counts what this authority set in this place, from 1 on, as it was decided; "
        "give the highest to expectedVersion.",
    )
    kind = graphene.Field(LayerKind, required=True, description="Which authority.")
    set_by = graphene.String(required=True, description="Its name.")
    community = One(Community, by="community_id", description="Where it is one community's.")
    values = Bounded(RuleValue, most=MOST_PLACES, description="What it sets.")
    bounds = Bounded(RuleBound, most=MOST_PLACES, description="What it narrows for those below.")
    effective_from = Date(required=True, description="The first day it counts.")
    state = graphene.Field(
        choices(
            models.Layer.State,
            "LayerState",
            IN_FORCE="It counts from its first day on.",
            CLASHING="It came from above, does not fit what is set below it, and waits until a person mends that.",
        ),
        required=True,
        description="A policy from above that does not fit what is set below waits as CLASHING.",
    )
    reason = graphene.String(required=True, description="Why; empty where nobody said.")
    decided_at = DateTime(required=True, description="When this was decided.")

    @staticmethod
    def resolve_values(layer: models.Layer, info: Any) -> list[dict[str, Any]]:
        return values_of(layer.values)

    @staticmethod
    def resolve_bounds(layer: models.Layer, info: Any) -> list[dict[str, Any]]:
        return bounds_of(layer.bounds)


class RuleSnapshot(Object):
    """Rules in force, frozen when something was worked out from them; equal rules share one."""

    class Meta:
        permission = Permission.MODELS_READ
        model = models.RuleSnapshot
        selector = selectors.snapshots

    digest = graphene.String(required=True, description="SHA-256 of the content.")
    version = One(ModelVersion, by="version_id", description="The version they started from.")
    content = Document(
        required=True,
        description="document: the values; base: the model's author; origins: who set what, by path.",
    )
    frozen_at = DateTime(required=True, description="When they were first worked with.")


class RuleOrigin(Object):
    """Who set something, and since when it counts."""

    class Meta:
        permission = INHERITED

    kind = graphene.Field(RuleOriginKind, required=True, description="The model or a layer.")
    name = graphene.String(required=True, description="Who it is, as people know it.")
    since = Date(description="The first day it counts.")

    @staticmethod
    def resolve_kind(origin: Origin, info: Any) -> str:
        return str(origin.kind)


class RuleLimits(Object):
    """All bounds at one place, taken together; each with who set it."""

    class Meta:
        permission = INHERITED

    locked = graphene.Boolean(required=True, description="True: it cannot be changed here.")
    locked_by = graphene.Field(RuleOrigin, description="Who locked it.")
    minimum = Document(description="The least it may be.")
    minimum_by = graphene.Field(RuleOrigin, description="Who laid down the minimum.")
    maximum = Document(description="The most it may be.")
    maximum_by = graphene.Field(RuleOrigin, description="Who laid down the maximum.")
    one_of = graphene.List(Document, description="The values it may have. At most 200.")
    one_of_by = graphene.Field(RuleOrigin, description="Who laid down the set.")

    @staticmethod
    def resolve_locked(limits: Limits, info: Any) -> bool:
        return limits.locked_by is not None


class EffectiveValue(Object):
    """What is in force at a place, where it came from and what bounds it."""

    class Meta:
        permission = INHERITED

    path = graphene.String(required=True, description=PATH)
    value = Document(description="A JSON value; null where there is none or it was taken away.")
    origin = graphene.Field(RuleOrigin, required=True, description="Who set it.")
    bound = graphene.Field(RuleLimits, description="What bounds it; null where it is free.")


class WithoutEffect(Object):
    """What a policy sets or bounds at a place that the rules here do not have."""

    class Meta:
        permission = INHERITED

    path = graphene.String(required=True, description=PATH)
    set_by = graphene.Field(RuleOrigin, required=True, description="Whose policy it is.")


def without_effect() -> Bounded:
    return Bounded(
        WithoutEffect,
        most=4 * MOST_PLACES,
        description="What policies of the city and the district say of places that the rules here do not "
        "have, such as an item of another model.",
    )


def _without_effect(rules: Effective | None) -> list[dict[str, Any]]:
    return [{"path": path, "set_by": by} for path, by in rules.without_effect] if rules else []


class EffectiveRules(Object):
    """The rules in force on a day: the model under all its layers."""

    class Meta:
        permission = INHERITED

    digest = graphene.String(
        required=True, description="SHA-256 of values and origins; a snapshot of them has the same."
    )
    version = graphene.Field(ModelVersion, description="The version they start from.")
    document = Document(required=True, description="Every value, defaults included.")
    value = graphene.Field(
        EffectiveValue,
        required=True,
        path=graphene.String(required=True, description=PATH),
        description="What is in force at one place. UNKNOWN_PATH where there is no such place.",
    )
    values = Bounded(
        EffectiveValue,
        most=len(models.Layer.Kind) * MOST_PLACES,
        description="What layers have set on top of the model, each by who set it.",
    )
    without_effect = without_effect()

    @staticmethod
    def resolve_without_effect(rules: Effective, info: Any) -> list[dict[str, Any]]:
        return _without_effect(rules)

    @staticmethod
    def resolve_version(rules: Effective, info: Any) -> models.ModelVersion | None:
        return ModelVersion.rows_for(info.context.actor).filter(pk=rules.base.ref).first()

    @staticmethod
    def resolve_document(rules: Effective, info: Any) -> dict[str, Any]:
        return rules.raw

    @staticmethod
    def resolve_value(rules: Effective, info: Any, path: str) -> dict[str, Any]:
        return _in_force(rules, path, rules.origin(path))

    @staticmethod
    def resolve_values(rules: Effective, info: Any) -> list[dict[str, Any]]:
        document = rules.raw
        return [
            _in_force(rules, path, origin)
            if paths.exists(document, path)
            else {"path": path, "origin": origin}
            for path, origin in rules.origins.items()
        ]


def _in_force(rules: Effective, path: str, origin: Origin) -> dict[str, Any]:
    return {
        "path": path,
        "value": rules.value(path),
        "origin": origin,
        "bound": rules.bound(path),
    }


@dataclass(frozen=True)
class Shown:
    """A change, with the documents that say what its items are called."""

    change: Change
    documents: Sequence[Mapping[str, Any]]


class RuleChange(Object):
    """One place that would change."""

    class Meta:
        permission = INHERITED

    path = graphene.String(required=True, description=PATH)
    label = graphene.String(required=True, description=LABEL)
    before = Document(description="What stands there; null where it would be added.")
    after = Document(description="What would stand there; null where it would be taken away.")
    before_text = graphene.String(required=True, description=f"`before` {IN_WORDS}.")
    after_text = graphene.String(required=True, description=f"`after` {IN_WORDS}.")

    @staticmethod
    def resolve_path(shown: Shown, info: Any) -> str:
        return shown.change.path

    @staticmethod
    def resolve_label(shown: Shown, info: Any) -> str:
        return labels.label(shown.change.path, *shown.documents)

    @staticmethod
    def resolve_before(shown: Shown, info: Any) -> Any:
        return shown.change.before

    @staticmethod
    def resolve_after(shown: Shown, info: Any) -> Any:
        return shown.change.after

    @staticmethod
    def resolve_before_text(shown: Shown, info: Any) -> str:
        # As it stood: an item may be called otherwise from then on.
        return labels.value_label(shown.change.path, shown.change.before, *shown.documents[::-1])

    @staticmethod
    def resolve_after_text(shown: Shown, info: Any) -> str:
        return labels.value_label(shown.change.path, shown.change.after, *shown.documents)


class AdoptionPreview(Object):
    """What an adoption, or a roll back to what was before it, would do. Where there are problems it would be
    refused with them."""

    class Meta:
        permission = INHERITED

    changes = Bounded(
        RuleChange,
        most=5_000,
        description="Against what is in force on that day; where nothing is, against the version "
        "as its author wrote it.",
    )
    problems = Bounded(Error, most=1_000, description="Why it cannot stand; empty if it can.")
    without_effect = without_effect()

    @staticmethod
    def resolve_without_effect(preview: selectors.Preview, info: Any) -> list[dict[str, Any]]:
        return _without_effect(preview.after)

    @staticmethod
    def resolve_changes(preview: selectors.Preview, info: Any) -> list[Shown]:
        documents = preview.documents
        return [Shown(change, documents) for change in preview.changes]

    @staticmethod
    def resolve_problems(preview: selectors.Preview, info: Any) -> list[Error]:
        return [error for problem in preview.problems for error in told(problem)]


@extends(Community)
class CommunityRules:
    layers = Connection(
        Layer, by="community_id", description="What this community set on top of the model."
    )
