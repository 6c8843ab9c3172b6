"""From the document a client would page through to the one its export asks, and its columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    parse,
    print_ast,
)
from graphql.execution.collect_fields import collect_fields, collect_sub_fields
from graphql.execution.values import get_variable_values

from linli.accounts.policy import Permission
from linli.errors import Refused
from linli_api.documents import Document, read
from linli_api.guard import rules_of
from linli_api.limits.cost import page_size, rates
from linli_api.pages import LONGEST

PAGING = ("first", "after", "last", "before")
BESIDE = ("pageInfo", "totalCount")
# That a page may hold; about a hundred bytes each, and several times that in PostgreSQL.
PAGE_VALUES = 60_000
# What an export adds to the document, in a form whose parts are grafted onto it.
ADDED = """query ($exportFirst: Int!, $exportAfter: String, $exportCount: Boolean!) {
  connection(first: $exportFirst, after: $exportAfter) {
    pageInfo { hasNextPage endCursor }
    totalCount @include(if: $exportCount)
  }
}"""
ONE_ROW = {"exportFirst": 1, "exportAfter": None, "exportCount": True}


@dataclass(frozen=True)
class Paged:
    """query: asks one page of ``field``. columns: the paths of the values of a row, as in
    ("community", "name"); a list is one value."""

    query: str
    field: str
    columns: list[tuple[str, ...]]

    def longest_page(self, schema: GraphQLSchema, variables: Mapping[str, Any]) -> int:
        """The most rows that a page may have: it costs no more than any request, and holds no more
        than PAGE_VALUES. Raises Refused COST_TOO_HIGH where one row is too much already."""
        document = read(schema, self.query)
        cost, operation = document.cost(None), document.operation(None)
        assert cost is not None
        assert operation is not None
        limit = settings.LINLI_POINTS_A_REQUEST
        values = held(schema, document, operation, variables)

        def fits(size: int) -> bool:
            given = {**variables, "exportFirst": size, "exportCount": True}
            return cost.price(given) <= limit and values * size <= PAGE_VALUES

        if not fits(1):
            message = _(
                "One row of this export is too much: a page may cost {limit} points and hold {most}"
                " values. Ask for shorter lists inside a row, or for less of them."
            )
            said = format_lazy(message, limit=limit, most=PAGE_VALUES)
            raise Refused("COST_TOO_HIGH", said, field="document")
        return max(size for size in range(1, LONGEST + 1) if fits(size))

    def permissions(
        self, schema: GraphQLSchema, variables: Mapping[str, Any]
    ) -> frozenset[Permission]:
        """What its rows are read with: whatever is checked on the way to a field that is asked for,
        or decides which rows there are."""
        document = read(schema, self.query)
        operation = document.operation(None)
        assert operation is not None
        given = _known(schema, operation, variables)
        found: set[Any] = set()

        def below(parent: Any, fields: Mapping[str, list[FieldNode]]) -> None:
            for nodes in fields.values():
                if (name := nodes[0].name.value) == "__typename":
                    continue
                field = parent.fields[name]
                found.update(rules_of(field))
                inner: Any = get_named_type(field.type)
                if isinstance(inner, GraphQLObjectType):
                    found.update(getattr(inner.graphene_type._meta, "reads", ()))  # type: ignore[attr-defined]
                    below(
                        inner, collect_sub_fields(schema, document.fragments, given, inner, nodes)
                    )

        root: Any = schema.query_type
        below(root, _root_fields(schema, document, operation, given))
        return frozenset(rule for rule in found if isinstance(rule, Permission))


def held(
    schema: GraphQLSchema,
    document: Document,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> int:
    """How many values a page of one row holds at most, those of the lists inside counted as often
    as they are asked for: what it takes of memory, where columns cost no points."""
    known = _known(schema, operation, variables)

    def below(parent: Any, fields: Mapping[str, list[FieldNode]], page: int) -> int:
        total = 0
        for nodes in fields.values():
            name = nodes[0].name.value
            if name == "__typename":
                total += 1
                continue
            rate = rates(parent)[name]
            rows = page if rate.of_page else rate.rows
            inside = 1
            if isinstance(rate.type, GraphQLObjectType):
                inner = collect_sub_fields(schema, document.fragments, known, rate.type, nodes)
                size = page_size(nodes[0], known) if rate.pages else 1
                inside = below(rate.type, inner, size)
            total += rows * inside
        return total

    return below(schema.query_type, _root_fields(schema, document, operation, known), 1)


def _known(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> dict[str, Any]:
    """The variables' values for a page of one row."""
    given = get_variable_values(schema, operation.variable_definitions, {**variables, **ONE_ROW})
    return given if isinstance(given, dict) else ONE_ROW


def _root_fields(
    schema: GraphQLSchema,
    document: Document,
    operation: OperationDefinitionNode,
    known: dict[str, Any],
) -> Mapping[str, list[FieldNode]]:
    root: Any = schema.query_type
    return collect_fields(schema, document.fragments, known, root, operation.selection_set)


def paged(schema: GraphQLSchema, query: str, variables: Mapping[str, Any]) -> Paged:
    """Refuses what is no query of exactly one connection with its nodes. ``query`` is one that
    parses; whether it fits the schema is found out when the first page is asked for."""
    document = parse(query)
    operation, field = _the_one_field(document)
    _check_names(operation)
    assert schema.query_type is not None
    declared = schema.query_type.fields.get(field.name.value)
    connection = get_named_type(declared.type) if declared else None
    inside = getattr(connection, "fields", {})
    if not {"nodes", "pageInfo"} <= set(inside):
        raise _refused()
    if any(argument.name.value in PAGING for argument in field.arguments):
        raise Refused(
            "EXPORT_DOCUMENT_INVALID",
            _("An export has no pages: leave first, after, last and before out."),
            field="document",
        )
    nodes = _nodes(field)
    if field.directives or nodes.directives:
        raise Refused(
            "EXPORT_DOCUMENT_INVALID",
            _(
                "Leave @skip and @include off the list and its nodes: without them there is no export."
            ),
            field="document",
        )
    columns = _Columns(schema, document, operation, variables)
    return Paged(
        query=_grafted(document, operation, field, nodes),
        field=field.alias.value if field.alias else field.name.value,
        columns=list(columns.of(get_named_type(inside["nodes"].type), nodes)),
    )


def _the_one_field(document: DocumentNode) -> tuple[OperationDefinitionNode, FieldNode]:
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) == 1 and operations[0].operation is OperationType.QUERY:
        fields = operations[0].selection_set.selections
        if len(fields) == 1 and isinstance(fields[0], FieldNode):
            return operations[0], fields[0]
    raise _refused()


def _check_names(operation: OperationDefinitionNode) -> None:
    for definition in operation.variable_definitions:
        if (name := definition.variable.name.value) in ONE_ROW:
            message = _("An export has a variable ${name} itself. Call yours something else.")
            raise Refused(
                "EXPORT_DOCUMENT_INVALID", format_lazy(message, name=name), field="document"
            )


def _nodes(field: FieldNode) -> FieldNode:
    nodes = None
    for one in field.selection_set.selections if field.selection_set else ():
        if isinstance(one, FieldNode) and one.name.value == "nodes" and nodes is None:
            nodes = FieldNode(
                name=one.name,
                alias=None,
                arguments=one.arguments,
                directives=one.directives,
                selection_set=one.selection_set,
            )
        elif not isinstance(one, FieldNode) or one.name.value not in BESIDE:
            raise _refused()
    if nodes is None or nodes.selection_set is None:
        raise _refused()
    return nodes


def _grafted(
    document: DocumentNode, operation: OperationDefinitionNode, field: FieldNode, nodes: FieldNode
) -> str:
    added: Any = parse(ADDED).definitions[0]
    [connection] = added.selection_set.selections
    operation.variable_definitions = (
        *operation.variable_definitions,
        *added.variable_definitions,
    )
    field.arguments = (*field.arguments, *connection.arguments)
    field.selection_set = SelectionSetNode(selections=(nodes, *connection.selection_set.selections))
    return print_ast(document)


class _Columns:
    """Reads them off the document, so that a file of no rows has its heading."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self.schema = schema
        self.fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        values = get_variable_values(schema, operation.variable_definitions, dict(variables))
        # Where they do not fit, the first page says so.
        self.variables = values if isinstance(values, dict) else {}

    def of(self, type_: Any, nodes: FieldNode) -> Iterator[tuple[str, ...]]:
        selections: Any = nodes.selection_set
        fields = collect_fields(self.schema, self.fragments, self.variables, type_, selections)
        yield from self._leaves(type_, fields, ())

    def _leaves(
        self, type_: GraphQLObjectType, fields: Mapping[str, list[FieldNode]], path: tuple[str, ...]
    ) -> Iterator[tuple[str, ...]]:
        for key, nodes in fields.items():
            declared = type_.fields.get(nodes[0].name.value)
            inner = get_nullable_type(declared.type) if declared else None
            if isinstance(inner, GraphQLObjectType):
                below = collect_sub_fields(
                    self.schema, self.fragments, self.variables, inner, nodes
                )
                yield from self._leaves(inner, below, (*path, key))
            else:
                yield (*path, key)


def _refused() -> Refused:
    return Refused(
        "EXPORT_DOCUMENT_INVALID",
        _("An export takes a query of one list with its nodes: { partners { nodes { name } } }."),
        field="document",
    )
