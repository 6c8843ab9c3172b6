"""The declarations of a period with what was made of them, as plain columns: two statements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Func, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from tenants.fund.allocation import Waterfall
from tenants.operating_model.models import RuleSnapshot
from tenants.partners.models import Declaration

BATCH = 2_000


class Declared(NamedTuple):
    """A declaration, its agreement's terms, and what was worked out then.

    base: what the income was declared of; owed_by: the types of the rules that owed something for
    it, as a JSON list in text; it tells whether income and sessions had to be declared.
    """

    pk: UUID
    starts_on: date
    ends_on: date
    income_fen: int
    sessions: int
    agreement_id: UUID
    mode: str
    rule_key: str
    agreed_rate: Decimal | None
    rent_free_months: int
    agreed_from: date
    partner_id: UUID
    community_id: UUID
    was_fen: int
    rules_id: UUID
    base: str
    owed_by: str


class _JsonPath(TextField):
    """What PostgreSQL wants a path to be."""

    def db_type(self, connection: Any) -> str:
        return "jsonpath"


_OWING = Value("$[*] ? (@.rent_free == false).type")
_COLUMNS = {
    "mode": F("agreement__mode"),
    "rule_key": F("agreement__rule_key"),
    "agreed_rate": F("agreement__agreed_rate"),
    "rent_free_months": F("agreement__rent_free_months"),
    "agreed_from": F("agreement__starts_on"),
    "partner_id": F("agreement__partner_id"),
    "community_id": F("agreement__partner__community_id"),
    "was_fen": F("contribution__amount_fen"),
    "rules_id": F("contribution__rules_id"),
    "base": KeyTextTransform("base", KeyTransform(0, "contribution__lines")),
    "owed_by": Cast(
        Func(
            F("contribution__lines"),
            Cast(_OWING, output_field=_JsonPath()),
            function="jsonb_path_query_array",
            output_field=TextField(),
        ),
        TextField(),
    ),
}


def declared_in(
    starts_on: date, ends_on: date, communities: Collection[UUID] | None
) -> Iterator[Declared]:
    """Every declaration with a day in [starts_on, ends_on), in a few reads of one statement."""
    rows = Declaration.objects.filter(starts_on__lt=ends_on, ends_on__gt=starts_on)
    if communities is not None:
        rows = rows.filter(Q(agreement__partner__community__in=communities))
    annotated = rows.annotate(**_COLUMNS).order_by("starts_on", "pk")
    columns = annotated.values_list(*Declared._fields)
    return map(Declared._make, columns.iterator(chunk_size=BATCH))


def waterfalls(rules_ids: Iterable[UUID]) -> dict[UUID, Waterfall]:
    """The waterfall of each of these snapshots."""
    fund = "content__document__fund"
    found = RuleSnapshot.objects.filter(pk__in=set(rules_ids)).values_list(
        "pk", f"{fund}__waterfall", f"{fund}__rest_to"
    )
    return {
        pk: Waterfall(tuple((one["key"], Decimal(one["share"])) for one in shares), rest_to)
        for pk, shares, rest_to in found
    }
