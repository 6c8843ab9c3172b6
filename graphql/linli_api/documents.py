"""A document, read once: parsed, measured, validated. Read again, it is found.

What is kept depends on the text and the schema alone; who asks, and with which variables, comes
with each run.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any

from django.utils.translation import gettext as _
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    ValuesOfCorrectTypeRule,
    VariableNode,
    parse,
    specified_rules,
    validate,
)

from linli_api import limits
from linli_api.errors import InvalidRequest
from linli_api.limits.cost import Cost, compile_cost
from linli_api.wording import ValuesOfCorrectType, syntax_fault, worded

KEPT = 500
# A longer text is read anew each time, so that what is kept stays small.
LONGEST_KEPT = 16_000

RULES = [
    ValuesOfCorrectType if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules
]
MOST_FAULTS = 20


class Rejected(Exception):
    """The document does not parse, breaks a limit or does not fit the schema."""

    def __init__(self, *errors: GraphQLError) -> None:
        super().__init__(*errors)
        self.errors = errors


def rejected(refused: InvalidRequest) -> Rejected:
    return Rejected(GraphQLError(str(refused.message), original_error=refused))


@dataclass(frozen=True, eq=False)
class Document:
    """One that fits its schema."""

    schema: GraphQLSchema
    node: DocumentNode
    # By operation name; what is planned of each is the planner's.
    plans: dict[str | None, Any] = field(default_factory=dict)
    _costs: dict[str | None, Cost | None] = field(default_factory=dict)

    @cached_property
    def fragments(self) -> dict[str, FragmentDefinitionNode]:
        return {
            definition.name.value: definition
            for definition in self.node.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }

    @cached_property
    def operations(self) -> dict[str | None, OperationDefinitionNode]:
        return {
            definition.name.value if definition.name else None: definition
            for definition in self.node.definitions
            if isinstance(definition, OperationDefinitionNode)
        }

    @cached_property
    def introspection(self) -> list[GraphQLError]:
        """What is wrong with it for who may not introspect."""
        return _faults(self.schema, self.node, [NoSchemaIntrospectionCustomRule])

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The one to run; None where the name does not tell."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        return self.operations.get(name) if name is not None else None

    def cost(self, name: str | None) -> Cost | None:
        """What that operation costs; None where the name does not tell which."""
        if name not in self._costs:
            operation = self.operation(name)
            self._costs[name] = (
                compile_cost(self.schema, self.node, operation) if operation else None
            )
        return self._costs[name]


def read(schema: GraphQLSchema, query: str) -> Document:
    """Raises Rejected."""
    document = _kept.get(schema, query)
    if document is None:
        document = _read(schema, query)
        if len(query) <= LONGEST_KEPT:
            _kept.add(document, query)
    return document


def known(schema: GraphQLSchema, query: str) -> Document | None:
    """A document that was read before and is still kept."""
    return _kept.get(schema, query)


def _read(schema: GraphQLSchema, query: str) -> Document:
    try:
        limits.check_text(query)
        node = parse(query, max_lexical_tokens=limits.TOKENS, max_comments=limits.COMMENTS)
        limits.check(node)
    except GraphQLError as error:
        raise Rejected(syntax_fault(error)) from error
    except InvalidRequest as refused:
        raise rejected(refused) from refused
    except RecursionError as error:
        too_deep = InvalidRequest("DOCUMENT_TOO_DEEP", _("The document nests too deep."))
        raise rejected(too_deep) from error
    errors = _faults(schema, node, RULES)
    if errors:
        raise Rejected(*errors)
    return Document(schema, node)


class _Kept:
    """The documents read last."""

    def __init__(self) -> None:
        self._documents: OrderedDict[tuple[int, str], Document] = OrderedDict()
        self._lock = Lock()

    def get(self, schema: GraphQLSchema, query: str) -> Document | None:
        key = (id(schema), query)
        with self._lock:
            found = self._documents.get(key)
            if found is not None:
                self._documents.move_to_end(key)
            return found

    def add(self, document: Document, query: str) -> None:
        with self._lock:
            self._documents[id(document.schema), query] = document
            if len(self._documents) > KEPT:
                self._documents.popitem(last=False)


_kept = _Kept()


def _faults(schema: GraphQLSchema, node: DocumentNode, rules: Any) -> list[GraphQLError]:
    return [worded(error) for error in validate(schema, node, rules, max_errors=MOST_FAULTS)]


def is_query(operation: OperationDefinitionNode) -> bool:
    return operation.operation is OperationType.QUERY


def nodes_below(node: Node, fragments: dict[str, FragmentDefinitionNode]) -> Iterator[Node]:
    """Every node of an operation, each fragment's once."""
    seen: set[str] = set()
    waiting: list[Node] = [node]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, FragmentSpreadNode) and one.name.value not in seen:
            seen.add(one.name.value)
            waiting.append(fragments[one.name.value])
        for key in one.keys:
            value = getattr(one, key, None)
            if isinstance(value, Node):
                waiting.append(value)
            elif isinstance(value, list | tuple):
                waiting += [inner for inner in value if isinstance(inner, Node)]


def uses_variables(node: FieldNode) -> bool:
    """Whether the arguments of a field depend on the request's variables."""
    return any(
        isinstance(below, VariableNode)
        for argument in node.arguments
        for below in nodes_below(argument, {})
    )
