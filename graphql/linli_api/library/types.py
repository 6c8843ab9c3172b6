"""The library of operating models, as the API shows it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import graphene

from linli.accounts.policy import Permission
from linli.comparison import measures
from linli.library import models, selectors
from linli.library.bounds import MOST_PLACES
from linli.library.comparing import Difference, Kind, as_text
from linli_api.communities.types import CommunityProfile
from linli_api.comparison.types import MeasureUnit
from linli_api.fields import Bounded, Computed, One
from linli_api.guard import INHERITED
from linli_api.operating_model.inputs import PATH
from linli_api.registry.types import Tenant
from linli_api.scalars import Date, DateTime, Document
from linli_api.types import Object

MOST_DIFFERENCES = 5_000


class MeasuredOutcome(Object):
    """What the platform had measured of an author when it published."""

    class Meta:
        permission = INHERITED

    measure = graphene.String(required=True, description="The measure's key: self_reliance.")
    value = graphene.Decimal(description="An exact decimal in the measure's unit; null: missing.")
    text = graphene.String(
        description="The same as people read it: fen in yuan as 1,234.50, a share as 12.5 %, a "
        "number as 1,234; null: missing, or no longer measured."
    )
    unit = graphene.Field(
        MeasureUnit, description="Of the value; null for a measure that is there no more."
    )
    as_of = Date(required=True, description="The day the figure is of.")

    @staticmethod
    def resolve_value(outcome: dict[str, Any], info: graphene.ResolveInfo) -> Decimal | None:
        value = outcome["value"]
        return None if value is None else Decimal(format(Decimal(value).normalize(), "f"))

    @staticmethod
    def resolve_text(outcome: dict[str, Any], info: graphene.ResolveInfo) -> str | None:
        value, unit = outcome["value"], measures.unit_of(outcome["measure"])
        return None if value is None or unit is None else measures.as_text(Decimal(value), unit)

    @staticmethod
    def resolve_unit(outcome: dict[str, Any], info: graphene.ResolveInfo) -> measures.Unit | None:
        return measures.unit_of(outcome["measure"])

    @staticmethod
    def resolve_as_of(outcome: dict[str, Any], info: graphene.ResolveInfo) -> date:
        return date.fromisoformat(outcome["as_of"])


class RuleBound(Object):
    """How far layers below may move a place: locked, or a range, or a set of values."""

    class Meta:
        permission = INHERITED

    path = graphene.String(required=True, description=PATH)
    locked = graphene.Boolean(required=True, description="True: nobody below may change it.")
    minimum = Document(description="A whole number, or a decimal as text.")
    maximum = Document(description="A whole number, or a decimal as text.")
    one_of = graphene.List(Document, description="The values it may have. At most 200.")


def bounds_of(by_path: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"path": path, "locked": False, **bound} for path, bound in by_path.items()]


class PublishedVersion(Object):
    """A version of an operating model that any tenant may adopt. It never changes."""

    class Meta:
        permission = Permission.LIBRARY_READ
        model = models.PublishedVersion
        selector = selectors.published_versions
        orderings = {"NEWEST": ("-id",), "OLDEST": ("id",), "TITLE": ("title",)}

    author = One(
        Tenant, by="author_id", description="Who published it; null if you have no role there."
    )
    author_name = Computed(
        graphene.String,
        load=selectors.author_name_by_version,
        description="Who published it, by name.",
    )
    key = graphene.String(required=True, description="The model's, the same in every version.")
    number = graphene.Int(required=True, description="Of the version, from 1 on.")
    title = graphene.String(required=True, description="What the author calls it.")
    document = Document(required=True, description="The model, by operatingModelSchema.")
    bounds = Bounded(
        RuleBound,
        most=MOST_PLACES,
        description="What an adopter's own values must lie within.",
    )
    digest = graphene.String(required=True, description="SHA-256 over document and bounds.")
    notes = graphene.String(required=True, description="What is new; may be empty.")
    profiles = graphene.List(
        graphene.NonNull(CommunityProfile), required=True, description="The communities it suits."
    )
    case_text = graphene.String(required=True, description="How it went there; may be empty.")
    evidence = Bounded(
        MeasuredOutcome,
        most=200,
        description="What was measured at the author's when it was published.",
    )
    published_at = DateTime(required=True, description="When.")

    @staticmethod
    def resolve_bounds(
        version: models.PublishedVersion, info: graphene.ResolveInfo
    ) -> list[dict[str, Any]]:
        return bounds_of(version.bounds)

    @staticmethod
    def resolve_evidence(
        version: models.PublishedVersion, info: graphene.ResolveInfo
    ) -> list[dict[str, Any]]:
        return [{"measure": key, **version.evidence[key]} for key in sorted(version.evidence)]


_DIFFERENCES = {
    "CHANGED": "Another value stands there.",
    "ADDED": "An item of a list that was not there.",
    "REMOVED": "An item of a list that is there no more.",
    "REORDERED": "The items of a list stand in another order; the values are their keys.",
    "BOUND": "What stands there is the same; it is bounded otherwise. The values are the bounds.",
}
VersionDifferenceKind = graphene.Enum(
    "VersionDifferenceKind",
    [(kind.name, kind.value) for kind in Kind],
    description=lambda member: (
        _DIFFERENCES[member.name] if member else "What has happened to a place."
    ),
)


class VersionDifference(Object):
    """One place that two versions or drafts do not have alike."""

    class Meta:
        permission = INHERITED

    kind = graphene.Field(VersionDifferenceKind, required=True, description="What has happened.")
    path = graphene.String(required=True, description=PATH)
    label = graphene.String(
        required=True, description="The place as people call it, in the language of the request."
    )
    before = Document(description="A JSON value; null where there is none.")
    after = Document(description="A JSON value; null where there is none.")
    text = graphene.String(
        required=True,
        description="The whole in words: a rate as 3 %, fen in yuan, items by their titles.",
    )

    @staticmethod
    def resolve_kind(difference: Difference, info: graphene.ResolveInfo) -> str:
        return difference.kind.value


class VersionComparison(Object):
    """What differs between two versions or drafts, in the order of the document."""

    class Meta:
        permission = INHERITED

    differences = Bounded(
        VersionDifference, most=MOST_DIFFERENCES, description="Place by place; empty if nothing is."
    )
    text = graphene.String(required=True, description="The same as text, a line for each.")

    @staticmethod
    def resolve_differences(
        found: list[Difference], info: graphene.ResolveInfo
    ) -> list[Difference]:
        return found

    @staticmethod
    def resolve_text(found: list[Difference], info: graphene.ResolveInfo) -> str:
        return as_text(found)


class OperatingModelSchema(Object):
    """The JSON Schema (2020-12) of an operating model's document."""

    class Meta:
        permission = INHERITED

    url = graphene.String(required=True, description="Where editors and programs fetch it.")
    schema = Document(required=True, description="The schema itself.")
