"""What a request costs, worked out from its document before anything of it runs.

Each field declares its cost where it is declared, or has that of its kind:

| a column, a part of an object | 0 |
| a `Document`, which holds whole JSON values | 1 |
| a row of another type, a value worked out (`Computed`, `Total`), ``totalCount`` | 1 |
| a connection | 1, and what stands in it times the rows it is asked for |
| its ``nodes``, its ``edges`` | 1 for every ROWS_A_POINT rows it is asked for, begun ones too |
| another list | what stands in it times the ``rows`` it declares, or LIST_ROWS |
| a mutation | MUTATION, or its Meta's ``cost``; with ``per``, times the items of that input, and the
  lists it answers with count as many rows |

A document is compiled once (`compile_cost`); pricing it takes a look at the variables that its page
sizes and its @skip and @include name, and none at all where it names none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from graphene.utils.str_converters import to_camel_case
from graphql import (
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    value_from_ast_untyped,
)

from linli_api.connections import Connection
from linli_api.errors import InvalidRequest
from linli_api.fields import Computed, Field, Total
from linli_api.pages import DEFAULT, LONGEST

MUTATION = 10
LIST_ROWS = 10
ROWS_A_POINT = 10
# What is asked of the schema itself; what stands in it is bounded by validation.
INTROSPECTION = {"__schema": 1_000, "__type": 50, "__typename": 0}
# No request is free, and one that is refused costs what reading it did.
LEAST = 1
REFUSED = 10

# The scalar that holds whole JSON values.
DOCUMENT = "Document"

Variables = Mapping[str, Any]


# ── Numbers that a request may change ────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class PageSize:
    """``first`` or ``last``: numbers, or the names of variables that hold them."""

    given: tuple[int | str, ...]

    def of(self, variables: Variables) -> int:
        found = (variables.get(one) if isinstance(one, str) else one for one in self.given)
        sizes = [int(one) for one in found if one is not None and _is_whole(one)]
        return min(max(0, *sizes), LONGEST) if sizes else DEFAULT


@dataclass(frozen=True)
class ItemCount:
    """How many items a list of a mutation's input holds: the list is a variable's, or a member of
    one. Where none is given, that is all there are, priced as any list."""

    variable: str
    member: str | None = None

    def of(self, variables: Variables) -> int:
        given = variables.get(self.variable)
        if self.member is not None:
            given = given.get(self.member) if isinstance(given, dict) else None
        return LIST_ROWS if given is None else _length(given)


def _length(given: Any) -> int:
    return max(1, len(given)) if isinstance(given, list | tuple) else 1


Number = int | PageSize | ItemCount


def _value(number: Number, variables: Variables) -> int:
    return number if isinstance(number, int) else number.of(variables)


def _is_whole(value: Any) -> bool:
    """GraphQL takes 100.0 for an Int."""
    if isinstance(value, float):
        return value.is_integer()
    return type(value) is int


# ── A compiled document ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class Part:
    """A field; without a name a fragment or an operation.

    own × times is its own cost, and a point for every ROWS_A_POINT of the rows that it lists; rows
    multiplies what stands inside. It counts where each of the variables in ``when`` has the value
    beside it.
    """

    name: str = ""
    own: int = 0
    times: Number = 1
    lists: Number = 0
    rows: Number = 1
    when: tuple[tuple[str, bool], ...] = ()
    inside: tuple["Part", ...] = ()

    @cached_property
    def fixed(self) -> int | None:
        """The price, where no variable changes it."""
        numbers = (self.times, self.lists, self.rows)
        settled = all(isinstance(one, int) for one in numbers)
        if self.when or not settled or any(part.fixed is None for part in self.inside):
            return None
        return self.price({}, {}, fixed=False)

    def alone(self, variables: Variables) -> int:
        """Without what stands inside."""
        tens = -(-_value(self.lists, variables) // ROWS_A_POINT)
        return self.own * _value(self.times, variables) + tens

    def counts(self, variables: Variables) -> bool:
        return all(bool(variables.get(name)) is wanted for name, wanted in self.when)

    def price(self, variables: Variables, known: dict[int, int], *, fixed: bool = True) -> int:
        """known: the prices of this request so far, so that a fragment is worked out once."""
        if fixed and self.fixed is not None:
            return self.fixed
        if id(self) not in known:
            known[id(self)] = (
                self.alone(variables)
                + _value(self.rows, variables)
                * sum(part.price(variables, known) for part in self.inside)
                if self.counts(variables)
                else 0
            )
        return known[id(self)]

    def fields(self, variables: Variables, path: str, factor: int) -> Iterator[tuple[int, str]]:
        """Own points and path of every field, as often as it is asked for."""
        if self.counts(variables):
            path = ".".join(filter(None, (path, self.name)))
            yield factor * self.alone(variables), path
            for part in self.inside:
                yield from part.fields(variables, path, factor * _value(self.rows, variables))


@dataclass(frozen=True)
class Cost:
    """The cost of one operation of a document."""

    whole: Part
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def price(self, variables: Variables) -> int:
        fixed = self.whole.fixed
        if fixed is None:
            fixed = self.whole.price({**self.defaults, **variables}, {})
        return max(LEAST, fixed)

    def too_high(self, variables: Variables, limit: int) -> InvalidRequest:
        """The refusal of a request above the limit; it names the costliest field."""
        points, path = max(self.whole.fields({**self.defaults, **variables}, "", 1))
        cost = self.price(variables)
        message = _(
            "The request would cost {cost} points; {limit} are allowed. {points} of them are for"
            " {path}: ask for shorter lists, or in several requests."
        )
        said = format_lazy(message, cost=cost, limit=limit, points=points, path=path)
        return InvalidRequest("COST_TOO_HIGH", said, field=path, cost=cost, limit=limit)


def compile_cost(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> Cost:
    """For a document that is valid and within its limits of size."""
    root = schema.get_root_type(operation.operation)
    if root is None:  # a subscription, which execution refuses
        return Cost(Part())
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    defaults = {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions
        if definition.default_value is not None
    }
    compiler = _Compiler(schema, fragments)
    return Cost(Part(inside=compiler.selections(operation.selection_set, root, 1)), defaults)


class _Compiler:
    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]):
        self.schema, self.fragments = schema, fragments
        self.compiled: dict[tuple[str, Number], Part] = {}

    def selections(
        self, selections: SelectionSetNode | None, parent: Any, page: Number
    ) -> tuple[Part, ...]:
        """page: the rows of the connection that these stand in."""
        chosen = selections.selections if selections else ()
        found = (self._selection(one, parent, page) for one in chosen)
        return tuple(part for part in found if part is not None and part.fixed != 0)

    def _selection(self, node: SelectionNode, parent: Any, page: Number) -> Part | None:
        when = _conditions(node)
        if when is None:
            return None
        if isinstance(node, FieldNode):
            return self._field(node, parent, page, when)
        if isinstance(node, FragmentSpreadNode):
            shared = self._fragment(node.name.value, page)
            return Part(when=when, inside=(shared,)) if when else shared
        inline: Any = node
        on = inline.type_condition
        inside_type = self.schema.type_map[on.name.value] if on else parent
        return Part(when=when, inside=self.selections(inline.selection_set, inside_type, page))

    def _fragment(self, name: str, page: Number) -> Part:
        if (name, page) not in self.compiled:
            fragment = self.fragments[name]
            on = self.schema.type_map[fragment.type_condition.name.value]
            inside = self.selections(fragment.selection_set, on, page)
            self.compiled[name, page] = Part(inside=inside)
        return self.compiled[name, page]

    def _field(
        self, node: FieldNode, parent: Any, page: Number, when: tuple[tuple[str, bool], ...]
    ) -> Part:
        name = node.name.value
        if name in INTROSPECTION:
            return Part(name, INTROSPECTION[name], when=when)
        rate = rates(parent)[name]
        rows: Number = page if rate.of_page else rate.rows
        times = _item_count(node, rate.per) if rate.per else 1
        inner_page = _page_size(node) if rate.pages else times
        inside = self.selections(node.selection_set, rate.type, inner_page)
        lists: Number = page if rate.of_connection else 0
        return Part(name, rate.own, times, lists, rows, when, inside)


def _conditions(node: SelectionNode) -> tuple[tuple[str, bool], ...] | None:
    """Under which values of which variables it counts; None where it never does."""
    when = []
    for directive in node.directives:
        wanted = {"skip": False, "include": True}.get(directive.name.value)
        if wanted is None:
            continue
        given = directive.arguments[0].value
        if isinstance(given, VariableNode):
            when.append((given.name.value, wanted))
        elif isinstance(given, BooleanValueNode) and given.value is not wanted:
            return None
    return tuple(when)


def _page_size(node: FieldNode) -> Number:
    given = tuple(
        one
        for argument in node.arguments
        if argument.name.value in ("first", "last") and (one := _number(argument.value)) is not None
    )
    size = PageSize(given)
    return size if any(isinstance(one, str) for one in given) else size.of({})


def page_size(node: FieldNode, variables: Variables) -> int:
    """The rows that a connection is asked for."""
    return _value(_page_size(node), variables)


def _number(node: ValueNode) -> int | str | None:
    if isinstance(node, VariableNode):
        return node.name.value
    return int(node.value) if isinstance(node, IntValueNode) else None


def _item_count(node: FieldNode, name: str) -> Number:
    for argument in node.arguments:
        if isinstance(argument.value, VariableNode):
            return ItemCount(argument.value.name.value, name)
        literal: Any = argument.value
        for one in literal.fields:
            if one.name.value == name and isinstance(one.value, VariableNode):
                return ItemCount(one.value.name.value)
            if one.name.value == name:
                return _length(getattr(one.value, "values", None))
    return LIST_ROWS


# ── The cost map ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Rate:
    """What a field is declared to cost.

    pages: it is a connection, so ``first`` and ``last`` say how often its rows count. of_page: it
    lists a connection's rows (of_connection), or what came of a mutation's items. per: the input
    whose items a mutation counts.
    """

    type: GraphQLNamedType
    own: int
    rows: int = 1
    pages: bool = False
    of_page: bool = False
    of_connection: bool = False
    per: str | None = None


@cache
def rates(parent: Any) -> dict[str, Rate]:
    """The rates of a type's fields, by their names in the API."""
    declared = parent.graphene_type._meta.fields
    names = {one.name or to_camel_case(name): one for name, one in declared.items()}
    paged = parent.name.endswith("Connection") and "pageInfo" in parent.fields
    in_page = paged or getattr(parent.graphene_type, "per", None) is not None
    return {
        name: _rate(one.type, names.get(name), in_page, paged)
        for name, one in parent.fields.items()
    }


def _rate(type_: Any, declared: Any, in_page: bool, paged: bool) -> Rate:
    target = get_named_type(type_)
    made_of: Any = getattr(target, "graphene_type", None)
    if hasattr(made_of, "as_field"):  # a mutation's payload
        per = made_of.per and to_camel_case(made_of.per)
        return Rate(target, made_of.cost, per=per)
    listed = is_list_type(get_nullable_type(type_)) and isinstance(target, GraphQLObjectType)
    own, rows = getattr(declared, "cost", None), getattr(declared, "rows", None)
    if own is None:
        is_row = getattr(getattr(made_of, "_meta", None), "model", None) is not None
        fetched = (
            target.name == DOCUMENT
            or isinstance(declared, Computed | Total)
            or (not is_leaf_type(target) and (isinstance(declared, Field) or is_row))
        )
        own = int(fetched and not (listed and in_page))
    if rows is None:
        rows = LIST_ROWS if listed else 1
    pages, of_page = isinstance(declared, Connection), listed and in_page
    return Rate(target, own, rows, pages, of_page, of_connection=of_page and paged)
