"""Keyset pages of a queryset: `Slice` is what was asked for, `Page` what is answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import F, Model, OrderBy, Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli_api import cursors
from linli_api.types import Object

DEFAULT, LONGEST = 20, 100


@dataclass(frozen=True)
class Slice:
    """Which part of a list was asked for, and in which order.

    columns: the ordering with the key at its end, "-" for descending.
    """

    scope: str
    columns: tuple[str, ...]
    size: int
    backward: bool
    after: Sequence[Any] | None
    before: Sequence[Any] | None

    @classmethod
    def asked(
        cls, type_: type[Object], arguments: Mapping[str, Any], tenant_id: UUID | None
    ) -> "Slice":
        """Reads first, after, last, before, order_by; refuses what makes no page there."""
        first, last = arguments.get("first"), arguments.get("last")
        if first is not None and last is not None:
            raise Refused("PAGE_INVALID", _("Ask for either first or last."), field="last")
        backward = last is not None
        size = next((asked for asked in (first, last) if asked is not None), DEFAULT)
        field = "last" if backward else "first"
        if size < 0:
            message = _("No page has fewer than 0 rows. Give a number from 0 on.")
            raise Refused("PAGE_INVALID", message, field=field)
        if size > LONGEST:
            message = format_lazy(_("A page holds 0 to {most} rows."), most=LONGEST)
            raise Refused("LIST_TOO_LONG", message, field=field)
        orderings = type_._meta.orderings
        name = arguments.get("order_by") or next(iter(orderings))
        scope = f"{type_._meta.name}:{name}"
        return cls(
            scope=scope,
            columns=_with_key(type_, orderings[name]),
            size=size,
            backward=backward,
            **{
                side: cursors.decode(scope, tenant_id, arguments[side], field=side)
                if arguments.get(side) is not None
                else None
                for side in ("after", "before")
            },
        )

    @property
    def order(self) -> list[OrderBy]:
        return [
            OrderBy(F(column.removeprefix("-")), descending=column.startswith("-") != self.backward)
            for column in self.columns
        ]

    def bounded(self, rows: QuerySet) -> QuerySet:
        for values, backward in ((self.after, False), (self.before, True)):
            if values is not None:
                rows = rows.filter(_beyond(self.columns, values, backward))
        return rows

    def apply(self, rows: QuerySet) -> QuerySet:
        """One row more than asked for, which tells whether there are more."""
        return self.bounded(rows).order_by(*self.order)[: self.size + 1]

    def page(self, rows: list[Any], count: Callable[[], int], tenant_id: UUID | None) -> "Page":
        more = len(rows) > self.size
        rows = rows[: self.size]
        return Page(
            nodes=rows[::-1] if self.backward else rows,
            cut=self,
            tenant_id=tenant_id,
            # A cursor stands on a row of the list, so there was one on its other side.
            has_next_page=self.before is not None if self.backward else more,
            has_previous_page=more if self.backward else self.after is not None,
            count=count,
        )

    def cursor(self, row: Model, tenant_id: UUID | None) -> str:
        values = [getattr(row, column.removeprefix("-")) for column in self.columns]
        return cursors.encode(self.scope, tenant_id, values)


@dataclass(frozen=True)
class Edge:
    node: Model
    cursor: str


@dataclass(frozen=True)
class Page:
    """Answers a connection's fields, and the fields of its PageInfo, by their names."""

    nodes: list[Any]
    cut: Slice
    tenant_id: UUID | None
    has_next_page: bool
    has_previous_page: bool
    count: Callable[[], int] = field(repr=False)

    @property
    def edges(self) -> list[Edge]:
        return [Edge(node, self._cursor(node)) for node in self.nodes]

    @property
    def page_info(self) -> "Page":
        return self

    @property
    def start_cursor(self) -> str | None:
        return self._cursor(self.nodes[0]) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        return self._cursor(self.nodes[-1]) if self.nodes else None

    @property
    def total_count(self) -> int:
        return self.count()

    def _cursor(self, row: Model) -> str:
        return self.cut.cursor(row, self.tenant_id)


def _with_key(type_: type[Object], columns: tuple[str, ...]) -> tuple[str, ...]:
    key = type_._meta.model._meta.pk.attname
    if any(column.removeprefix("-") == key for column in columns):
        return columns
    return (*columns, "-" + key if columns[-1].startswith("-") else key)


def _beyond(columns: Sequence[str], values: Sequence[Any], backward: bool) -> Q:
    """Rows strictly beyond the values; the leading column bounds alone, so that an index serves."""
    beyond, equal = Q(), Q()
    for column, value in zip(columns, values, strict=True):
        name = column.removeprefix("-")
        side = "lt" if column.startswith("-") != backward else "gt"
        if not equal:
            leading = Q(**{f"{name}__{side}e": value})
        beyond |= equal & Q(**{f"{name}__{side}": value})
        equal &= Q(**{name: value})
    return leading & beyond
