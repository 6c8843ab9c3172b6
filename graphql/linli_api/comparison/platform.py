"""What the platform's schema shows supervisors: measures, and tenants compared on them."""

from datetime import date
from typing import Any

import graphene

from linli.comparison import measures as measured
from linli.comparison import selectors
from linli_api import ids
from linli_api.batches import together
from linli_api.comparison import mutations
from linli_api.comparison.types import Comparison, Measure
from linli_api.fields import Bounded, Field
from linli_api.scalars import Date


class Query:
    measures = Bounded(
        Measure,
        most=200,
        required=False,
        cost=1,
        description="What tenants can be compared on.",
    )
    comparison = Field(
        Comparison,
        measure=graphene.Argument(graphene.String, required=True, description="A measure's key."),
        under_id=graphene.Argument(
            graphene.ID, required=True, description="Global id of the Tenant above those compared."
        ),
        as_of=Date(description="The latest figures up to this day; the latest there are."),
        description="The tenants below one that you supervise, compared on one measure.",
    )

    @staticmethod
    def resolve_measures(root: None, info: Any) -> tuple[measured.Measure, ...]:
        return measured.measures()

    @staticmethod
    def resolve_comparison(
        root: None, info: Any, measure: str, under_id: str, as_of: date | None = None
    ) -> dict[str, Any]:
        under = ids.decode("Tenant", under_id, field="underId")
        rows = selectors.compare(
            actor=info.context.actor, measure=measure, under_id=under, as_of=as_of
        )
        together(row.tenant for row in rows)
        return {"measure": measured.the_measure(measure), "rows": rows}


MUTATIONS = [mutations.RefreshComparison]
