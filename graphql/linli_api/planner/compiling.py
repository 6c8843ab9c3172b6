"""From a selection of fields to the SQL that builds its JSON.

An object becomes its JSON text (docs/planner.md, "How it runs"), a relation a correlated subquery. Rows
come from the selectors, as querysets compiled by Django around what is still open (`holes`). What a
kind of field becomes is its function in `fields`, entered with ``@plans(One)``.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from math import prod
from typing import Any

from django.db.models import CharField, Field, JSONField, QuerySet, TextField
from django.db.models.expressions import BaseExpression
from graphene.utils.str_converters import to_camel_case
from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
)
from graphql.execution.collect_fields import collect_sub_fields

from linli import sizes
from linli.errors import Refused
from linli_api.guard import check, rules_of
from linli_api.planner.forms import written
from linli_api.planner.holes import Outer, Probe, Unplanned
from linli_api.planner.sql import Sql, joined, sql, text
from linli_api.types import Object

# PostgreSQL passes at most 100 arguments to a function: two for each field, and the end.
MOST_FIELDS = 49
# Bytes of a number, a day, an id.
SHORT = 40
NOTHING = Sql("")

Compile = Callable[["Compiler", Any, "Selection"], Sql]
_BY_KIND: dict[type, Compile] = {}


def plans(kind: type) -> Callable[[Compile], Compile]:
    """Enters a function as what a kind of field becomes."""

    def enter(compile_: Compile) -> Compile:
        _BY_KIND[kind] = compile_
        return compile_

    return enter


class Sizes:
    """How many bytes an answer may come to: of each value the most, by the lists it stands in."""

    def __init__(self) -> None:
        self._within: tuple[FieldNode | int, ...] = ()
        self._most: Counter[tuple[FieldNode | int, ...]] = Counter()

    @contextmanager
    def inside(self, rows: FieldNode | int) -> Iterator[None]:
        """A list of so many rows, or the node of a connection."""
        before, self._within = self._within, (*self._within, rows)
        yield
        self._within = before

    def add(self, most: int) -> None:
        self._most[self._within] += most

    def most(self, size_of: Callable[[FieldNode], int]) -> int:
        """size_of: how many rows the page of a connection has. Of what is whole: it grows no more."""
        fixed, varying = self._parts
        return fixed + sum(
            most * prod(rows if isinstance(rows, int) else size_of(rows) for rows in within)
            for within, most in varying
        )

    @cached_property
    def _parts(self) -> tuple[int, list[tuple[tuple[FieldNode | int, ...], int]]]:
        """What has no page around it comes to the same each time."""
        fixed, varying = 0, []
        for within, most in self._most.items():
            if all(isinstance(rows, int) for rows in within):
                fixed += most * prod(within)  # type: ignore[arg-type]
            else:
                varying.append((within, most))
        return fixed, varying


def longest_of(field: Field) -> int:
    """Bytes that a column's value may have, roughly."""
    if isinstance(field, JSONField):
        return sizes.DOCUMENT
    if isinstance(field, TextField):
        return 4 * sizes.TEXT
    return 4 * field.max_length if isinstance(field, CharField) and field.max_length else SHORT


class Row:
    """A relation in FROM, and the columns of it that are read: only those are selected."""

    def __init__(self, alias: str, model: Any) -> None:
        self.alias, self.model = alias, model
        self._names: list[str] = []
        self._worked_out: dict[str, BaseExpression] = {}

    def column(self, name: str) -> Sql:
        """A column by its attribute's name (``community_id``)."""
        name = self.model._meta.pk.attname if name == "pk" else name
        if name not in self._names:
            self._names.append(name)
        return Sql(f'{self.alias}."{name}"')

    def worked_out(self, expression: Any) -> Sql:
        """A value of an expression over the row's columns."""
        name = f"_worked_out_{len(self._worked_out)}"
        self._worked_out[name] = expression
        return self.column(name)

    def field(self, name: str) -> Field:
        """The model's field of an attribute; Unplanned for a property."""
        for field in self.model._meta.concrete_fields:
            if name in (field.attname, "pk" if field.primary_key else None):
                return field
        raise Unplanned(f"{self.model.__name__}.{name} is no column")

    def outer(self, name: str) -> Outer:
        """The column, for a queryset of rows that belong to this one."""
        return Outer(self.column(name).text)

    def statement(self, rows: QuerySet) -> Sql:
        """The rows with the columns read; asked for last, when all that reads has been compiled."""
        if self._worked_out:
            rows = rows.annotate(**self._worked_out)
        return compiled(rows.values_list(*self.names))

    def source(self, rows: QuerySet) -> Sql:
        """The same for FROM, under the alias."""
        return sql(f"({{}}) AS {self.alias}({self.columns})", self.statement(rows))

    @property
    def names(self) -> list[str]:
        return self._names or [self.model._meta.pk.attname]

    @property
    def columns(self) -> str:
        return ", ".join(f'"{name}"' for name in self.names)


class Group(Row):
    """The same of a queryset of values, whose columns it names itself."""

    def __init__(self, alias: str, rows: QuerySet) -> None:
        super().__init__(alias, rows.model)
        self._fields = {n: e.output_field for n, e in rows.query.annotations.items()}

    def field(self, name: str) -> Field:
        return self._fields[name]


class Selection:
    """One use of a field: where it stands, and its nodes in the document."""

    def __init__(
        self, parent: GraphQLObjectType, name: str, nodes: list[FieldNode], row: Row | None
    ) -> None:
        self.parent, self.name, self.nodes, self.row = parent, name, nodes, row
        self.field: GraphQLField = parent.fields[name]

    @property
    def above(self) -> Row:
        if self.row is None:
            raise Unplanned("a relation at a root")
        return self.row


class Compiler:
    """Compiles one operation for one view. run: the first run, for the shapes of its arguments."""

    def __init__(self, run: Any) -> None:
        self.run = run
        self.actor: Any = Probe(run.actor)
        self.sizes = Sizes()
        self._aliases = 0

    def row(self, model: Any) -> Row:
        self._aliases += 1
        return Row(f"row{self._aliases}", model)  # Django calls its own T1, T2 …

    def group(self, rows: QuerySet) -> Group:
        return Group(self.row(rows.model).alias, rows)

    def object(self, type_: Any, nodes: list[FieldNode], row: Row) -> Sql:
        """The JSON object of a row."""
        return self.pairs(type_, nodes, lambda field, under: self.field(type_, field, under, row))

    def pairs(
        self,
        type_: Any,
        nodes: list[FieldNode],
        value: Callable[[str, list[FieldNode]], Sql],
    ) -> Sql:
        """The JSON object of what is selected, by a function from field names to values."""
        found: list[Sql] = []
        for key, under in self.selected(type_, nodes).items():
            name = under[0].name.value
            if name == "__typename":
                one = text(f'"{type_.name}"')
            else:
                one = written(type_.fields[name].type, value(name, under))
            found.append(sql("{}, {}", text(f'{"," if found else "{"}"{key}":'), one))
            self.sizes.add(len(key) + SHORT)
        if len(found) > MOST_FIELDS:
            raise Unplanned("more fields than a function takes")
        return sql("concat({}, '}')", joined(found)) if found else Sql("'{}'")

    def listed(self, made: Sql, order: str = "", within: Sql = NOTHING) -> Sql:
        """What was made of each row, as a list."""
        return sql("concat('[', string_agg({}, ','{}){}, ']')", made, Sql(order), within)

    def selected(self, type_: Any, nodes: list[FieldNode]) -> dict[str, list[FieldNode]]:
        document = self.run.document
        return collect_sub_fields(
            document.schema, document.fragments, self.run.variables, type_, nodes
        )

    def field(
        self, parent: GraphQLObjectType, name: str, nodes: list[FieldNode], row: Row | None
    ) -> Sql:
        field = parent.fields[name]
        self.permit(field)
        attribute, declared = declared_fields(parent)[name]
        compile_ = _BY_KIND.get(type(declared))
        if compile_ is None or _resolves(parent.graphene_type, attribute):  # type: ignore[attr-defined]
            raise Unplanned(f"{parent.name}.{name}")
        return compile_(self, declared, Selection(parent, name, nodes, row))

    def permit(self, field: GraphQLField) -> None:
        """A field that the caller may not see is the executor's to refuse."""
        try:
            for rule in rules_of(field):
                check(self.run.actor, rule)
        except Refused as refused:
            raise Unplanned(str(refused)) from refused


class Measuring(Compiler):
    """Compiles to how many bytes of text there are, at least, in place of the text: nothing is put
    together for it, so it takes no memory."""

    def pairs(
        self,
        type_: Any,
        nodes: list[FieldNode],
        value: Callable[[str, list[FieldNode]], Sql],
    ) -> Sql:
        sizes = [Sql("0")]
        for under in self.selected(type_, nodes).values():
            name = under[0].name.value
            if name == "__typename":
                continue
            inner = get_named_type(type_.fields[name].type)
            if is_composite_type(inner):
                sizes.append(sql("coalesce({}, 0)", value(name, under)))
            elif inner.name in ("String", "Document"):
                sizes.append(sql("coalesce(octet_length(({})::text), 0)", value(name, under)))
        return joined(sizes, " + ")

    def listed(self, made: Sql, order: str = "", within: Sql = NOTHING) -> Sql:
        return sql("coalesce(sum({}){}, 0)", made, within)


def compiled(rows: QuerySet) -> Sql:
    """A queryset as Django writes it. Raises Unplanned where it can hold no rows."""
    statement, params = rows.query.sql_with_params()
    return Sql(statement, tuple(params))


@cache
def declared_fields(type_: GraphQLObjectType) -> dict[str, tuple[str, Any]]:
    """By its name in the API: the attribute and graphene's declaration of each field."""
    fields = type_.graphene_type._meta.fields  # type: ignore[attr-defined]
    return {field.name or to_camel_case(name): (name, field) for name, field in fields.items()}


def _resolves(type_: Any, attribute: str) -> bool:
    """Whether a type has a resolver of its own for a field; `Object` has the one for ids."""
    resolve = getattr(type_, f"resolve_{attribute}", None)
    return resolve is not None and resolve is not Object.resolve_id
