"""Descent of versions, who runs them, and those on one model side by side, as the API shows them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import graphene
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Permission
from linli.comparison import measures
from linli.library import models
from linli.library.bounds import MOST_PLACES
from linli.library.lineage import Runner, changes_of
from linli.library.models import ChangeRecord
from linli_api.batches import batch_of
from linli_api.comparison.types import Measure
from linli_api.fields import Bounded, One
from linli_api.guard import INHERITED
from linli_api.library.types import PublishedVersion
from linli_api.operating_model.inputs import PATH
from linli_api.registry.types import TenantKind
from linli_api.scalars import Date, Document
from linli_api.types import Object, extends
from tenants.operating_model import peers

LESS = _("Ask with `underId` for those below one district or city.")


@extends(PublishedVersion)
class PublishedVersionDescent:
    derived_from = One(
        lambda: PublishedVersion,
        by="derived_from_id",
        description="The version it was made from; null for a first one, and where that is not in "
        "this library or not yours to see.",
    )


class ChangedPlace(Object):
    """A place that a unit set differently from the version it runs."""

    class Meta:
        permission = INHERITED

    path = graphene.String(required=True, description=PATH)
    told = graphene.Boolean(
        required=True,
        description="False: the values are too large to be told here, or hold a text.",
    )
    model = Document(description="What the version has; null: nothing, or not told.")
    here = Document(description="What the unit has; null: it took it away, or not told.")

    @staticmethod
    def resolve_told(place: dict[str, Any], info: Any) -> bool:
        return "here" in place


class ModelRunner(Object):
    """A unit that runs a version. Whoever reads the library sees its name."""

    class Meta:
        permission = INHERITED

    tenant_name = graphene.String(required=True, description="As people call it: 车站街道.")
    tenant_kind = graphene.Field(TenantKind, required=True, description="What it is.")
    since = Date(required=True, description="From which day on without a break.")
    change_count = graphene.Int(required=True, description="How many places it set differently.")
    communities = graphene.Int(
        required=True, description="How many of its communities have a layer of their own."
    )
    changes = Bounded(
        ChangedPlace,
        most=MOST_PLACES,
        cost=1,
        description="What it set differently, by path; of very many and large ones the first.",
    )

    @staticmethod
    def resolve_tenant_name(runner: Runner, info: Any) -> str:
        return runner.tenant.name

    @staticmethod
    def resolve_tenant_kind(runner: Runner, info: Any) -> str:
        return runner.tenant.kind

    @staticmethod
    def resolve_change_count(runner: Runner, info: Any) -> int:
        change = _change(runner)
        return change.count if change else 0

    @staticmethod
    def resolve_communities(runner: Runner, info: Any) -> int:
        change = _change(runner)
        return change.communities if change else 0

    @staticmethod
    def resolve_changes(runner: Runner, info: Any) -> list[dict[str, Any]]:
        change = _change(runner)
        return change.places if change else []


def _change(runner: Runner) -> ChangeRecord | None:
    """Loaded once for all runners of the answer."""
    changes = batch_of(runner).load("changes", changes_of)  # type: ignore[arg-type]
    return changes.get(runner.pk)


@dataclass(frozen=True)
class Descendant:
    version: models.PublishedVersion
    runners: list[Runner]


class LineageVersion(Object):
    """A version of one descent, with who runs it."""

    class Meta:
        permission = INHERITED

    version = graphene.Field(PublishedVersion, required=True, description="The version.")
    runner_count = graphene.Int(required=True, description="How many units run it.")
    runners = Bounded(
        ModelRunner, most=1_000, less=LESS, description="The units that run it, the longest first."
    )

    @staticmethod
    def resolve_runner_count(node: Descendant, info: Any) -> int:
        return len(node.runners)


class Lineage(Object):
    """All versions of one descent that you may see, as of a day."""

    class Meta:
        permission = Permission.LIBRARY_READ

    on = Date(required=True, description="As of which day.")
    versions = Bounded(
        LineageVersion,
        most=500,
        less=_("Ask for the library's versions of one author."),
        description="The oldest first; the edges are each version's `derivedFrom`.",
    )


class PeerFigure(Object):
    """One measure of one unit. Missing is shown as missing, never as zero."""

    class Meta:
        permission = INHERITED

    measure = graphene.Field(Measure, required=True, description="What was measured.")
    value = graphene.Decimal(description="An exact decimal in the measure's unit; null: missing.")
    text = graphene.String(description="The same as people read it; null: missing.")
    missing = graphene.Boolean(
        required=True, description="True where the unit has not reported what it takes."
    )
    as_of = Date(description="The day the figure is of; null if it never reported.")

    @staticmethod
    def resolve_value(figure: peers.PeerFigure, info: Any) -> Decimal | None:
        return _exact(figure.value)

    @staticmethod
    def resolve_text(figure: peers.PeerFigure, info: Any) -> str | None:
        return _text(figure.value, figure.measure)

    @staticmethod
    def resolve_missing(figure: peers.PeerFigure, info: Any) -> bool:
        return figure.value is None


class PeerMedian(Object):
    """The middle of all units on a version that reported."""

    class Meta:
        permission = INHERITED

    measure = graphene.Field(Measure, required=True, description="What was measured.")
    value = graphene.Decimal(
        description="An exact decimal in the measure's unit; null where fewer than three reported, "
        "or it would tell one unit's figure."
    )
    text = graphene.String(description="The same as people read it.")
    reported = graphene.Int(required=True, description="How many units have a figure.")

    @staticmethod
    def resolve_value(one: peers.PeerMedian, info: Any) -> Decimal | None:
        return _exact(one.value)

    @staticmethod
    def resolve_text(one: peers.PeerMedian, info: Any) -> str | None:
        return _text(one.value, one.measure)


class PeerVersion(Object):
    """One version of the model, with the middle of those that run it."""

    class Meta:
        permission = INHERITED

    version = graphene.Field(PublishedVersion, required=True, description="The version.")
    units = graphene.Int(required=True, description="How many units run it.")
    medians = Bounded(
        PeerMedian, most=peers.MOST_MEASURES, description="Of each measure asked for."
    )


class Peer(Object):
    """A unit on the model whose figures you may read."""

    class Meta:
        permission = INHERITED

    tenant_name = graphene.String(required=True, description="As people call it: 车站街道.")
    version = graphene.Field(PublishedVersion, required=True, description="What it runs.")
    since = Date(required=True, description="From which day on without a break.")
    changes = graphene.Int(required=True, description="How many places it set differently.")
    communities = graphene.Int(
        required=True, description="How many of its communities have a layer of their own."
    )
    figures = Bounded(
        PeerFigure, most=peers.MOST_MEASURES, description="Of each measure asked for."
    )

    @staticmethod
    def resolve_tenant_name(one: peers.Peer, info: Any) -> str:
        return one.runner.tenant.name

    @staticmethod
    def resolve_since(one: peers.Peer, info: Any) -> date:
        return one.runner.since


class Peers(Object):
    """Those on any version of one model, side by side."""

    class Meta:
        permission = Permission.COMPARISON_READ

    on = Date(required=True, description="As of which day; figures are the latest up to it.")
    versions = Bounded(
        PeerVersion, most=1_000, description="The model's versions that you may see, by number."
    )
    units = Bounded(
        Peer, most=1_000, less=LESS, description="Those whose figures you may read, by version."
    )


def _exact(value: Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(format(value.normalize(), "f"))


def _text(value: Decimal | None, measure: measures.Measure) -> str | None:
    return None if value is None else measures.as_text(value, measure.unit)
