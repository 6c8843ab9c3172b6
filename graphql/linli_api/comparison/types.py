"""Measures and the figures of tenants, as the API shows them."""

from decimal import Decimal

import graphene
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Permission
from linli.comparison import measures, selectors
from linli_api.fields import Bounded
from linli_api.guard import INHERITED
from linli_api.registry.types import Tenant, TenantKind
from linli_api.scalars import Date, DateTime, choices
from linli_api.types import Object

MeasureUnit = choices(
    measures.Unit,
    "MeasureUnit",
    COUNT="How many there are: people, partners, hours.",
    FEN="Money, in whole fen (分), a hundredth of a yuan each.",
    SHARE="A part of a whole, from 0 to 1; the text has it in per cent.",
)
MeasureDirection = choices(
    measures.Direction,
    "MeasureDirection",
    MORE="The higher the figure, the further ahead a unit ranks.",
    LESS="The lower the figure, the further ahead a unit ranks.",
)


class Measure(Object):
    """What tenants are compared on."""

    class Meta:
        permission = Permission.COMPARISON_READ

    key = graphene.String(required=True, description="What comparison takes.")
    title = graphene.String(required=True, description="What it is called.")
    definition = graphene.String(required=True, description="What exactly is counted.")
    unit = graphene.Field(MeasureUnit, required=True, description="Of its values.")
    direction = graphene.Field(MeasureDirection, required=True, description="What is better.")
    source = graphene.String(required=True, description="Where the figures come from.")
    kinds = graphene.List(
        graphene.NonNull(TenantKind), required=True, description="The tenants that have it."
    )

    @staticmethod
    def resolve_kinds(measure: measures.Measure, info: graphene.ResolveInfo) -> list[str]:
        return sorted(measure.kinds)


class ComparisonRow(Object):
    """One tenant's figure. Missing is shown as missing, never as zero."""

    class Meta:
        permission = INHERITED

    tenant = graphene.Field(Tenant, description="Whose figure it is.")
    value = graphene.Decimal(description="An exact decimal in the measure's unit; null: missing.")
    text = graphene.String(
        description="The same as people read it: fen in yuan as 1,234.50, a share as 12.5 %, a "
        "number as 1,234; null: missing."
    )
    missing = graphene.Boolean(
        required=True, description="True where the tenant has not reported what it takes."
    )
    as_of = Date(description="The day the figure is of; null if it never reported.")
    rolled_up_at = DateTime(description="When it was worked out.")
    rank = graphene.Int(description="1 is best; equal values share one; null where missing.")

    @staticmethod
    def resolve_value(row: selectors.Row, info: graphene.ResolveInfo) -> Decimal | None:
        return None if row.value is None else Decimal(format(row.value.normalize(), "f"))

    @staticmethod
    def resolve_text(row: selectors.Row, info: graphene.ResolveInfo) -> str | None:
        return None if row.value is None else measures.as_text(row.value, row.unit)

    @staticmethod
    def resolve_missing(row: selectors.Row, info: graphene.ResolveInfo) -> bool:
        return row.value is None


class Comparison(Object):
    """The tenants below one, compared on one measure."""

    class Meta:
        permission = Permission.COMPARISON_READ

    measure = graphene.Field(Measure, required=True, description="What is compared.")
    rows = Bounded(
        ComparisonRow,
        most=1_000,
        less=_("Compare the tenants of each district by themselves."),
        description="Best first; those that have not reported last.",
    )
