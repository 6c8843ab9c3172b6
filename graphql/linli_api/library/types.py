"""The library of operating models, as the API shows it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import graphene
from django.conf import settings

from linli.accounts.policy import Permission
from linli.comparison import measures
from linli.library import models, selectors
from linli.library.bounds import MOST_PLACES
from linli.library.comparing import Difference, Kind, as_text
from linli.library.pictures import MOST_PICTURES, pictures_by_version
from linli_api.batches import batch_of
from linli_api.communities.types import CommunityProfile
from linli_api.comparison.types import MeasureUnit
from linli_api.fields import Bounded, Column, Computed, One
from linli_api.guard import INHERITED
from linli_api.operating_model.inputs import PATH
from linli_api.registry.types import Tenant
from linli_api.scalars import Date, DateTime, Document, choices
from linli_api.types import Object

MOST_DIFFERENCES = 5_000


class MeasuredOutcome(Object):
    """What the platform had measured of an author when it published."""

    class Meta:
        permission = INHERITED

    measure = graphene.String(required=True, description="The measure's key: self_reliance.")
    value = graphene.Decimal(
        description="The figure of the last day, which for measures of the year counts from "
        "1 January: an exact decimal in the measure's unit. Null: missing, as a measure of the year "
        "is where the period is not of one calendar year."
    )
    text = graphene.String(
        description="The same as people read it: fen in yuan as 1,234.50, a share as 12.5 %, a "
        "number as 1,234; null: missing, or no longer measured."
    )
    unit = graphene.Field(
        MeasureUnit, description="Of the value; null for a measure that is there no more."
    )
    as_of = Date(
        required=True,
        description="The day the figure is of; of a missing one, the last day of the period.",
    )
    start_value = graphene.Decimal(
        description="The figure of the last day before the period, which for measures of the year "
        "counts from 1 January of that day's year; null: not measured in the month before."
    )
    start_text = graphene.String(description="The same as people read it.")
    start_measured_on = Date(description="The day that figure is of.")

    @staticmethod
    def resolve_value(outcome: dict[str, Any], info: graphene.ResolveInfo) -> Decimal | None:
        return _exact(outcome["value"])

    @staticmethod
    def resolve_text(outcome: dict[str, Any], info: graphene.ResolveInfo) -> str | None:
        return _text(outcome, "value")

    @staticmethod
    def resolve_unit(outcome: dict[str, Any], info: graphene.ResolveInfo) -> measures.Unit | None:
        return _unit(outcome)

    @staticmethod
    def resolve_as_of(outcome: dict[str, Any], info: graphene.ResolveInfo) -> date:
        return date.fromisoformat(outcome["as_of"])

    @staticmethod
    def resolve_start_value(outcome: dict[str, Any], info: graphene.ResolveInfo) -> Decimal | None:
        return _exact(outcome.get("start_value"))

    @staticmethod
    def resolve_start_text(outcome: dict[str, Any], info: graphene.ResolveInfo) -> str | None:
        return _text(outcome, "start_value")

    @staticmethod
    def resolve_start_measured_on(
        outcome: dict[str, Any], info: graphene.ResolveInfo
    ) -> date | None:
        day = outcome.get("start_as_of")
        return date.fromisoformat(day) if day else None


def _exact(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(format(Decimal(value).normalize(), "f"))


def _unit(outcome: Mapping[str, Any]) -> measures.Unit | None:
    """The unit it was published in."""
    kept = outcome.get("unit")
    return measures.Unit(kept) if kept else measures.unit_of(outcome["measure"])


def _text(outcome: Mapping[str, Any], name: str) -> str | None:
    value, unit = outcome.get(name), _unit(outcome)
    return None if value is None or unit is None else measures.as_text(Decimal(value), unit)


class ProfileCount(Object):
    """How many communities of one kind."""

    class Meta:
        permission = INHERITED

    profile = graphene.Field(CommunityProfile, description="The kind; null: not stated.")
    communities = graphene.Int(required=True, description="How many of them.")


class RanIn(Object):
    """Where a model ran, in numbers that are nobody's: of fewer than three communities none is told."""

    class Meta:
        permission = INHERITED

    days = graphene.Int(
        required=True, description="On how many days of the period the author ran the model."
    )
    communities = graphene.Int(
        description="How many communities ran it; null: fewer than three; 0: none."
    )
    profiles = Bounded(ProfileCount, most=5, description="How many of each kind.")
    residents = graphene.Int(
        description="Residents of these communities together; null: known of fewer than three."
    )
    residents_of = graphene.Int(
        required=True, description="Of how many communities the number of residents is known."
    )

    @staticmethod
    def resolve_profiles(ran: dict[str, Any], info: graphene.ResolveInfo) -> list[dict[str, Any]]:
        return [
            {"profile": profile or None, "communities": count}
            for profile, count in ran["profiles"].items()
        ]


class Picture(Object):
    """A picture of a published case."""

    class Meta:
        permission = INHERITED

    url = graphene.String(
        required=True, description="Where whoever may see the version fetches it."
    )
    alt = graphene.String(required=True, description="What it shows, for those who do not see it.")
    caption = graphene.String(required=True, description="What stands under it; may be empty.")
    content_type = graphene.String(
        required=True, description="image/jpeg, image/png or image/webp."
    )
    width = graphene.Int(required=True, description="In pixels.")
    height = graphene.Int(required=True, description="In pixels.")
    size = graphene.Int(required=True, description="In bytes.")
    digest = graphene.String(required=True, description="SHA-256 of its content.")

    @staticmethod
    def resolve_url(picture: models.Picture, info: graphene.ResolveInfo) -> str:
        return f"{settings.LINLI_PLATFORM_URL.rstrip('/')}/pictures/{picture.pk}"


VersionVisibility = choices(
    models.PublishedVersion.Visibility,
    "VersionVisibility",
    PRIVATE="Its author only: for anybody else it does not exist.",
    DISTRICT="The author's district (区) and all units in it.",
    CITY="The author's city (市) and all units in it.",
    ALL="Everybody who may read the library (模式库), in every unit.",
)


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
    """A version of an operating model that whoever sees it may adopt, until it is withdrawn. What is in
    it never changes."""

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
    has_evidence = graphene.Boolean(
        required=True, description="False: it was published without measured outcomes."
    )
    evidence_starts_on = Date(description="The first day of the period that was measured.")
    evidence_ends_on = Date(description="The first day after it.")
    ran_in = graphene.Field(
        RanIn, description="Where it ran in that period; null without evidence."
    )
    pictures = Bounded(Picture, most=MOST_PICTURES, description="Pictures of the case.")
    published_at = DateTime(required=True, description="When.")
    visibility = graphene.Field(VersionVisibility, required=True, description="Who sees it.")
    withdrawn_at = DateTime(description="When its author took it back; null: it may be adopted.")
    withdrawal_reason = Column(
        graphene.String, of="withdrawal_reason", blank_is_null=True, description="Why."
    )

    @staticmethod
    def resolve_pictures(
        version: models.PublishedVersion, info: graphene.ResolveInfo
    ) -> list[models.Picture]:
        def load(rows: list[Any]) -> dict[UUID, list[models.Picture]]:
            return pictures_by_version(rows, info.context.actor)

        return batch_of(version).load("pictures", load)[version.pk]

    @staticmethod
    def resolve_has_evidence(version: models.PublishedVersion, info: graphene.ResolveInfo) -> bool:
        return bool(version.evidence)

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
