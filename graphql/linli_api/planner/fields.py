"""What each kind of field becomes. A kind that is not here makes its document the executor's."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import graphene
from django.db.models import JSONField
from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLNonNull,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from linli_api import cursors
from linli_api.connections import Asked, Connection
from linli_api.fields import ById, Column, GlobalId, Groups, InYuan, One, Total, Worked
from linli_api.pages import Slice
from linli_api.planner.compiling import (
    Compiler,
    Selection,
    compiled,
    declared_fields,
    longest_of,
    plans,
)
from linli_api.planner.forms import cursor, enum_form, form_of, global_id, money
from linli_api.planner.holes import Hole, Reading, Unplanned, type_of_field, type_of_value
from linli_api.planner.sql import Sql, param, sql


@plans(graphene.Field)
def plain(compiler: Compiler, declared: graphene.Field, at: Selection) -> Sql:
    """A column of the same name."""
    name, _declared = declared_fields(at.parent)[at.name]
    if declared.resolver is not None:
        raise Unplanned(f"{at.parent.name}.{name} has a resolver")
    if name == "id":
        return global_id(at.parent.name, at.above.column("pk"))
    return column(compiler, at, name)


@plans(Column)
def under_another_name(compiler: Compiler, declared: Column, at: Selection) -> Sql:
    value = column(compiler, at, declared.of, nullable=declared.blank_is_null)
    return value if not declared.blank_is_null else sql("nullif({}, '')", value)


@plans(Worked)
def worked(compiler: Compiler, declared: Worked, at: Selection) -> Sql:
    return at.above.worked_out(declared.of)


@plans(GlobalId)
def reference(compiler: Compiler, declared: GlobalId, at: Selection) -> Sql:
    if isinstance(at.field.type, GraphQLNonNull) and at.above.field(declared.by).null:
        raise Unplanned(f"{declared.by} may be null where the type says never")
    return global_id(declared.of, at.above.column(declared.by))


@plans(InYuan)
def in_yuan(compiler: Compiler, declared: InYuan, at: Selection) -> Sql:
    fen = compiler.field(at.parent, declared.fen, at.nodes, at.row)
    return money(fen)


@plans(One)
def one(compiler: Compiler, declared: One, at: Selection) -> Sql:
    type_ = _target(at)
    if isinstance(at.field.type, GraphQLNonNull):
        raise Unplanned("a relation that is never null")
    target = type_.graphene_type
    row = compiler.row(target._meta.model)
    made = compiler.object(type_, at.nodes, row)
    rows = target.rows_for(compiler.actor).order_by()
    rows = rows.filter(**{declared.back: at.above.outer(declared.by)})
    return sql("(SELECT {} FROM {} LIMIT 1)", made, row.source(rows))


@plans(Total)
def total(compiler: Compiler, declared: Total, at: Selection) -> Sql:
    rows = declared.summed(actor=compiler.actor).order_by()
    rows = rows.filter(**{declared.by: at.above.outer("pk")})
    summed = compiled(rows.annotate(_amount=declared.amount).values_list("_amount"))
    return sql("coalesce((SELECT sum(amount)::bigint FROM ({}) AS s(amount)), 0)", summed)


@plans(Groups)
def groups(compiler: Compiler, declared: Groups, at: Selection) -> Sql:
    """NULL where there are too many: then the executor says so."""
    node = at.nodes[0]

    def hole(name: str, sample: Any) -> Hole:
        return Hole(lambda run: run.asked(node)[name], type_of_value(sample))

    holes = {name: hole(name, value) for name, value in compiler.run.asked(node).items()}
    rows = declared.groups(actor=compiler.actor, **holes)
    row = compiler.group(rows)
    with compiler.sizes.inside(declared.most):
        listed = compiler.listed(compiler.object(_target(at), at.nodes, row))
    whole = sql(f"CASE WHEN count(*) <= {declared.most} THEN {{}} END", listed)
    return sql("(SELECT {} FROM {})", whole, row.source(rows))


@plans(ById)
def by_id(compiler: Compiler, declared: ById, at: Selection) -> Sql:
    """NULL where there is none: then the executor says what is wrong."""
    type_ = _target(at)
    node, target = at.nodes[0], type_.graphene_type
    if target._meta.model is None:
        raise Unplanned(f"{target._meta.name} is no row")
    row = compiler.row(target._meta.model)
    made = compiler.object(type_, at.nodes, row)
    key = Hole(lambda run: run.asked(node), type_of_value(compiler.run.asked(node)))
    rows = target.rows_for(compiler.actor).order_by().filter(pk=key)
    return sql("(SELECT {} FROM {} LIMIT 1)", made, row.source(rows))


@plans(Connection)
def connection(compiler: Compiler, declared: Connection, at: Selection) -> Sql:
    type_ = _target(at)
    page = _Page(compiler, declared, at)
    with compiler.sizes.inside(page.node):
        made = compiler.pairs(type_, at.nodes, page.field)
    return page.around(made)


class _Page:
    """One use of a connection: aggregates over a subquery that holds the page's rows.

    Rows are numbered where their order must survive or one more is looked at than asked for.
    """

    def __init__(self, compiler: Compiler, declared: Connection, at: Selection) -> None:
        self.compiler, self.type, self.node = compiler, _target(at), at.nodes[0]
        asked: Asked = compiler.run.asked(self.node)
        self.of = declared.of()
        self.row = compiler.row(self.of._meta.model)
        self.rows = declared.rows_of(compiler.actor, self._open(asked.narrowing))
        if declared.by is not None:
            self.rows = self.rows.filter(**{declared.by: at.above.outer("pk")})
        self.cut = replace(
            asked.cut,
            after=self._beyond("after", asked.cut),
            before=self._beyond("before", asked.cut),
        )
        scope = self.cut.scope
        self.key = Reading(lambda run: cursors.key_of(scope, run.actor.tenant_id))
        self.aggregates = False
        info = self._asked_of_page_info(at.nodes)
        self.further = ("hasPreviousPage" if self.cut.backward else "hasNextPage") in info
        self.numbered = (
            self.cut.backward or self.further or "startCursor" in info or "endCursor" in info
        )

    def field(self, name: str, nodes: list[FieldNode]) -> Sql:
        """A field of the connection's type."""
        field = self.type.fields[name]
        self.compiler.permit(field)
        inner = get_named_type(field.type)
        if name == "nodes":
            return self._each(self.compiler.object(inner, nodes, self.row))
        if name == "edges":
            return self._each(self.compiler.pairs(inner, nodes, self._edge))
        if name == "pageInfo":
            return self.compiler.pairs(inner, nodes, self._info)
        if name == "totalCount":
            every = compiled(self.rows.order_by().values("pk"))
            return sql("(SELECT count(*) FROM ({}) AS c)", every)
        raise Unplanned(f"{self.type.name}.{name}")

    def around(self, made: Sql) -> Sql:
        """What was made of the rows, over the rows; nothing may have been made of them."""
        if not self.aggregates:
            return sql("(SELECT {})", made)
        rows = self.row.statement(self.cut.bounded(self.rows).order_by(*self.cut.order))
        page = sql("{} LIMIT {}", rows, self._size(1 if self.further else 0))
        columns = self.row.columns
        if self.numbered:
            page = sql("SELECT q.*, row_number() OVER () FROM ({}) AS q", page)
            columns += ', "_n"'
        return sql(f"(SELECT {{}} FROM ({{}}) AS {self.row.alias}({columns}))", made, page)

    def _edge(self, name: str, nodes: list[FieldNode]) -> Sql:
        edge: Any = get_named_type(self.type.fields["edges"].type)
        self.compiler.permit(edge.fields[name])
        if name == "cursor":
            return self._cursor()
        return self.compiler.object(get_named_type(edge.fields[name].type), nodes, self.row)

    def _info(self, name: str, nodes: list[FieldNode]) -> Sql:
        backward = self.cut.backward
        if name in ("startCursor", "endCursor"):
            self.aggregates = True
            order = " DESC" if (name == "endCursor") != backward else ""
            ordered = Sql(f" ORDER BY {self._number}{order}")
            return sql("(array_agg({}{}){})[1]", self._cursor(), ordered, self._within())
        if (name == "hasPreviousPage") == backward:
            self.aggregates = True
            return sql("(count(*) > {})", self._size())
        # A cursor stands on a row of the list, so there was one on its other side.
        return Sql("true" if (self.cut.before if backward else self.cut.after) else "false")

    def _each(self, made: Sql) -> Sql:
        """The rows of the page as a list, in the order of the connection."""
        self.aggregates = True
        order = f" ORDER BY {self._number}{' DESC' * self.cut.backward}" if self.numbered else ""
        return self.compiler.listed(made, order, self._within())

    def _within(self) -> Sql:
        """Leaves out the one row more."""
        if not self.further:
            return Sql("")
        return sql(f" FILTER (WHERE {self._number} <= {{}})", self._size())

    @property
    def _number(self) -> str:
        return f'{self.row.alias}."_n"'

    def _size(self, more: int = 0) -> Sql:
        node = self.node
        return param(Reading(lambda run: run.asked(node).cut.size + more), "bigint")

    def _cursor(self) -> Sql:
        columns = [
            self.row.column(self.row.field(name.removeprefix("-")).attname)
            for name in self.cut.columns
        ]
        return cursor(param(self.key, "bytea"), columns)

    def _beyond(self, side: str, cut: Slice) -> list[Hole] | None:
        """A hole for each value of the cursor on that side, if there is one."""
        if getattr(cut, side) is None:
            return None
        node = self.node

        def value(index: int) -> Hole:
            field = self.row.field(cut.columns[index].removeprefix("-"))
            return Hole(lambda run: getattr(run.asked(node).cut, side)[index], type_of_field(field))

        return [value(index) for index in range(len(cut.columns))]

    def _open(self, narrowing: Mapping[str, Any]) -> dict[str, Any]:
        """The filters with holes for their values."""
        node = self.node
        columns = self.of._meta.model._meta.concrete_fields
        documents = {column.name for column in columns if isinstance(column, JSONField)}

        def value(lookup: str, sample: Any) -> Any:
            if lookup.endswith("__isnull"):
                return sample  # part of the text: a `Filter.read` gives one or the other, not both
            many = isinstance(sample, list)
            type_ = type_of_value(sample[0] if many and sample else sample)
            if lookup.split("__")[0] in documents:
                type_ = "jsonb"
            return Hole(lambda run: run.asked(node).narrowing[lookup], type_, many=many)

        return {lookup: value(lookup, sample) for lookup, sample in narrowing.items()}

    def _asked_of_page_info(self, nodes: list[FieldNode]) -> set[str]:
        inner: Any = get_named_type(self.type.fields["pageInfo"].type)
        return {
            node.name.value
            for under in self.compiler.selected(self.type, nodes).values()
            if under[0].name.value == "pageInfo"
            for found in self.compiler.selected(inner, under).values()
            for node in found
        }


def column(compiler: Compiler, at: Selection, name: str, *, nullable: bool = False) -> Sql:
    """A column in the form of the field's type."""
    model_field = at.above.field(name)
    type_: Any = at.field.type
    required = isinstance(type_, GraphQLNonNull)
    if required and (model_field.null or nullable):
        raise Unplanned(f"{name} may be null where the type says never")
    leaf: Any = get_nullable_type(type_)
    if not is_leaf_type(leaf):
        raise Unplanned(f"{at.parent.name}.{at.name} holds several values")
    value = at.above.column(name)
    compiler.sizes.add(longest_of(model_field))
    if isinstance(leaf, GraphQLEnumType):
        return enum_form(leaf)(value)
    return form_of(leaf.name, model_field)(value)


def _target(at: Selection) -> Any:
    return get_named_type(at.field.type)
