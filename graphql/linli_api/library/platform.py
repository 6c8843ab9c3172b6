"""What the platform's schema shows of the library."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import graphene
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Permission
from linli.comparison.measures import the_measure
from linli.errors import Refused
from linli.library import search, selectors
from linli.library.comparing import Difference, compare, contents
from linli.library.document import SCHEMA_ID, json_schema
from linli_api.communities.types import CommunityProfile
from linli_api.connections import Connection, Filter
from linli_api.fields import ById, Field, by_id
from linli_api.guard import PUBLIC
from linli_api.inputs import IdOf
from linli_api.library.types import OperatingModelSchema, PublishedVersion, VersionComparison

_BEYOND = Decimal(10) ** 18  # of the column's digits before the point


class OutcomeRangeInput(graphene.InputObjectType):
    """A measure, and between which values its outcome lies; both ends included."""

    measure = graphene.String(required=True, description="The measure's key: self_reliance_rate.")
    at_least = graphene.Decimal(description="In the measure's unit.")
    at_most = graphene.Decimal(description="In the measure's unit.")


def _with_outcome(outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refused: MEASURE_UNKNOWN, OUTCOME_INVALID."""
    the_measure(outcome["measure"], field="outcome.measure")
    for name, field in (("at_least", "atLeast"), ("at_most", "atMost")):
        value = outcome.get(name)
        if value is not None and (not value.is_finite() or abs(value) >= _BEYOND):
            message = _("This is no number that an outcome can have. Write it with digits: 12.5.")
            raise Refused("OUTCOME_INVALID", message, field=f"outcome.{field}")
    return selectors.with_outcome(outcome)


class Query:
    published_version = ById(PublishedVersion, description="One version in the library.")
    published_versions = Connection(
        PublishedVersion,
        filters={
            "profile": Filter(
                "profiles__contains", CommunityProfile(description="Of versions that suit it.")
            ),
            "key": Filter("key", graphene.String(description="The model's.")),
            "search": Filter(
                "searched",
                graphene.String(
                    description="A part of title, notes or case text, as it is written there; "
                    "capitals and widths count alike. At most 100 characters."
                ),
                read=search.narrowing,
            ),
            "under_id": Filter(
                "under__contains",
                IdOf("Tenant", description="Of an author who is this unit, or lies below it."),
                read=lambda key: {"under__contains": (key,)},
            ),
            "division_code": Filter(
                "place__startswith",
                graphene.String(
                    description="Of an author in this place of the national list, by its code."
                ),
            ),
            "outcome": Filter(
                "pk__in",
                OutcomeRangeInput(description="Of versions with such a measured outcome."),
                read=_with_outcome,
            ),
            "include_withdrawn": Filter(
                "withdrawn_at__isnull",
                graphene.Boolean(
                    default_value=False, description="True: those that were withdrawn as well."
                ),
                read=lambda all_: {} if all_ else {"withdrawn_at__isnull": True},
            ),
        },
        description="What you may see of the library.",
    )
    compare_versions = Field(
        VersionComparison,
        cost=20,
        from_id=graphene.ID(required=True, description="Of a PublishedVersion: what stood before."),
        to_id=graphene.ID(required=True, description="Of a PublishedVersion: what stands after."),
        permission=Permission.LIBRARY_READ,
        description="What differs between two versions in the library.",
    )
    operating_model_schema = Field(
        OperatingModelSchema, permission=PUBLIC, description="How a model's document is written."
    )

    @staticmethod
    def resolve_compare_versions(
        root: None, info: Any, from_id: str, to_id: str
    ) -> list[Difference]:
        actor = info.context.actor
        before = by_id(PublishedVersion, from_id, actor, field="fromId")
        after = by_id(PublishedVersion, to_id, actor, field="toId")
        return compare(contents(before), contents(after))

    @staticmethod
    def resolve_operating_model_schema(root: None, info: Any) -> dict[str, Any]:
        return {
            "url": settings.LINLI_PLATFORM_URL.rstrip("/") + SCHEMA_ID,
            "schema": json_schema(),
        }
