"""Relay connections: ``partners = Connection(Partner)``, ``Connection(Agreement, by="partner_id")``.

Pages are cut by keyset: a row is after a cursor when its ordering columns, then its key, are. No
OFFSET; rows are counted only when ``totalCount`` is selected. A connection inside rows is loaded
for all of them with one statement (see `batches`).
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum as PyEnum
from functools import cache
from typing import Any
from uuid import UUID

import graphene
from django.db.models import Count, F, Model, QuerySet, Window
from django.db.models.functions import RowNumber
from graphene.types.unmountedtype import UnmountedType
from graphene.types.utils import get_type

from linli.accounts.policy import Actor
from linli.rules import camel_case
from linli_api.batches import batch_of, together
from linli_api.fields import Field
from linli_api.guard import INHERITED
from linli_api.inputs import IdOf, plain
from linli_api.pages import Page, Slice
from linli_api.types import Object, Selector


@dataclass(frozen=True)
class Filter:
    """An argument that narrows a list: ``Filter("starts_on__gte", graphene.Date())``.

    read: makes several lookups, or none, of one value, in place of ``lookup``; it may refuse.
    """

    lookup: str
    type: UnmountedType | IdOf
    read: Callable[[Any], Mapping[str, Any]] | None = None

    def narrowing(self, value: Any) -> Mapping[str, Any]:
        return self.read(value) if self.read else {self.lookup: value}


class Connection(Field):
    """A list of rows, at a root or (``by`` = the column that holds the parent's key) inside a row.

    ``filters`` are further arguments; ``selector`` replaces the type's own.
    """

    def __init__(
        self,
        type_: Any,
        *,
        by: str | None = None,
        filters: Mapping[str, Filter] | None = None,
        selector: Selector | None = None,
        **options: Any,
    ) -> None:
        self.filters = dict(filters or {})
        self.by, self.selector = by, selector
        self.of = lambda: get_type(type_)
        arguments = {
            "first": graphene.Int(
                description="How many, from the start; 20 unless told, at most 100."
            ),
            "after": graphene.String(description="Only what comes after this cursor."),
            "last": graphene.Int(description="How many, from the end."),
            "before": graphene.String(description="Only what comes before this cursor."),
            "order_by": graphene.Argument(
                lambda: order_of(self.of()), description="In which order; the first unless told."
            ),
            **{
                name: f.type.argument() if isinstance(f.type, IdOf) else f.type
                for name, f in self.filters.items()
            },
        }
        super().__init__(
            lambda: connection_of(self.of()), args=arguments, resolver=self._resolve, **options
        )
        ids = {name: f.type for name, f in self.filters.items() if isinstance(f.type, IdOf)}
        self.inputs = {**self.args, **ids}

    def asked(self, arguments: Mapping[str, Any], tenant_id: UUID | None) -> "Asked":
        """What the arguments come to there; refuses what makes no page or is no id."""
        values = plain(self.inputs, arguments)
        narrowing: dict[str, Any] = {}
        for name, narrowed in self.filters.items():
            if values.get(name) is not None:
                narrowing.update(narrowed.narrowing(values[name]))
        return Asked(Slice.asked(self.of(), values, tenant_id), narrowing)

    def rows_of(self, actor: Actor, narrowing: Mapping[str, Any]) -> QuerySet:
        """The rows of the list, of all parents together."""
        rows = self.selector(actor=actor) if self.selector else self.of().rows_for(actor)
        for lookup, value in narrowing.items():
            rows = rows.filter(**{lookup: value})
        return rows

    def _resolve(self, root: Any, info: Any, **arguments: Any) -> Page:
        actor, by = info.context.actor, self.by
        tenant_id = actor.tenant_id if actor else None
        asked = self.asked(arguments, tenant_id)
        cut = asked.cut
        if by is None:
            rows = self.rows_of(actor, asked.narrowing)
            return cut.page(together(cut.apply(rows)), rows.count, tenant_id)
        batch, key = batch_of(root), (id(self), repr(sorted(arguments.items())))
        # Once for all parents: a selector may itself ask the database what the actor reaches.
        inside = batch.load(key, lambda _parents: _Inside(self.rows_of(actor, asked.narrowing), by))
        pages = batch.load((*key, "pages"), lambda parents: inside.pages(parents, cut))
        return cut.page(
            pages.get(root.pk, []),
            lambda: batch.load((*key, "count"), inside.counts).get(root.pk, 0),
            tenant_id,
        )


@dataclass(frozen=True)
class Asked:
    """What the arguments of a connection come to. narrowing: values by lookup."""

    cut: Slice
    narrowing: Mapping[str, Any]


@dataclass(frozen=True)
class _Inside:
    """The rows that belong to each of many parents, by the column that holds the parent's key."""

    rows: QuerySet
    by: str

    def pages(self, parents: list[Model], cut: Slice) -> dict[Any, list[Model]]:
        """One row more than asked for of each parent, in the order of the slice."""
        rank = Window(RowNumber(), partition_by=[F(self.by)], order_by=cut.order)
        found = cut.bounded(self._of(parents)).annotate(_rank=rank)
        pages: dict[Any, list[Model]] = defaultdict(list)
        for row in together(found.filter(_rank__lte=cut.size + 1).order_by("_rank")):
            pages[getattr(row, self.by)].append(row)
        return pages

    def counts(self, parents: list[Model]) -> dict[Any, int]:
        counted = self._of(parents).order_by().values(self.by).annotate(_count=Count("pk"))
        return {row[self.by]: row["_count"] for row in counted}

    def _of(self, parents: list[Model]) -> QuerySet:
        return self.rows.filter(**{f"{self.by}__in": [parent.pk for parent in parents]})


class PageInfo(Object):
    """Where a page stands in its list."""

    class Meta:
        permission = INHERITED

    has_next_page = graphene.Boolean(required=True, description="Whether rows come after it.")
    has_previous_page = graphene.Boolean(required=True, description="Whether rows come before it.")
    start_cursor = graphene.String(description="Of its first row; null for an empty page.")
    end_cursor = graphene.String(description="Of its last row; null for an empty page.")


@cache
def order_of(type_: type[Object]) -> type[graphene.Enum]:
    """The enum of the orderings that the type declares."""
    name = f"{type_._meta.name}Order"
    orderings = type_._meta.orderings
    members = PyEnum(name, [(ordering, ordering) for ordering in orderings])  # type: ignore[misc]

    def describe(member: PyEnum | None) -> str:
        if member is None:
            return f"Orders a list of {type_._meta.name} can be asked for."
        return f"By {', then '.join(map(_ordered, orderings[member.value]))}."

    return graphene.Enum.from_enum(members, description=describe)


def _ordered(column: str) -> str:
    """-starts_on → `startsOn`, the latest first."""
    name = column.removeprefix("-")
    if name == "id":  # an id begins with the time it was given at
        return f"when they were made, the {'newest' if column != name else 'oldest'} first"
    if name in ("position", "number"):
        how = f"the {'lowest' if column == name else 'highest'} first"
    elif name.endswith(("_on", "_at", "_from")):
        how = f"the {'earliest' if column == name else 'latest'} first"
    else:
        how = "compared character by character" + ", backwards" * (column != name)
    return f"`{camel_case(name)}`, {how}"


@cache
def connection_of(type_: type[Object]) -> type[Object]:
    """The connection and edge types of a type, under its permission."""
    name, permission = type_._meta.name, type_._meta.permission

    def part(suffix: str, description: str, **fields: Any) -> type[Object]:
        meta = type("Meta", (), {"permission": permission, "description": description})
        return type(f"{name}{suffix}", (Object,), {"Meta": meta, **fields})

    node = graphene.NonNull(type_)
    edge = part(
        "Edge",
        f"One {name} in a list.",
        node=Field(node, cost=0, description="The row."),
        cursor=graphene.String(required=True, description="Where it stands, for after and before."),
    )
    return part(
        "Connection",
        f"A page of a list of {name}.",
        edges=graphene.List(
            graphene.NonNull(edge), required=True, description="The rows with their cursors."
        ),
        nodes=graphene.List(node, required=True, description="The rows without their cursors."),
        page_info=graphene.Field(PageInfo, required=True, description="Where this page stands."),
        total_count=Field(
            graphene.Int,
            cost=1,
            required=True,
            description="Of the whole list; counted when asked.",
        ),
    )
