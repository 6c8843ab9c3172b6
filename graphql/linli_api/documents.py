"""A document, read once: parsed, measured, validated. Read again, it is found.

What is kept depends on the text and the schema alone; who asks, and with which variables, comes
with each run.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any

from cachetools import LRUCache
from django.conf import settings
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
    Token,
    UniqueInputFieldNamesRule,
    ValuesOfCorrectTypeRule,
    VariableNode,
    parse,
    specified_rules,
    validate,
)

from linli_api import limits
from linli_api.errors import InvalidRequest
from linli_api.limits.cost import Cost, compile_cost
from linli_api.wording import UniqueInputFieldNames, ValuesOfCorrectType, syntax_fault, worded

# A longer text is read anew each time: few would fit.
LONGEST_KEPT = 16_000
# What a text takes as a tree, about, and a character of it; found by tracemalloc on texts of short names.
LEAST_BYTES, BYTES_A_CHARACTER = 8_000, 170

_OURS = {
    ValuesOfCorrectTypeRule: ValuesOfCorrectType,
    UniqueInputFieldNamesRule: UniqueInputFieldNames,
}
RULES = [_OURS.get(rule, rule) for rule in specified_rules]
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
    text: str
    node: DocumentNode
    # By operation name; what is planned of each is the planner's, and has a size.
    plans: dict[str | None, Any] = field(default_factory=dict)
    _costs: dict[str | None, Cost] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        planned = sum(one.size for one in [*self.plans.values()])
        return LEAST_BYTES + BYTES_A_CHARACTER * len(self.text) + planned

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
    def introspection(self) -> list[Node]:
        """Where it asks the schema about itself; of many places the first."""
        faults = validate(self.schema, self.node, [NoSchemaIntrospectionCustomRule])
        found = [node for fault in faults for node in fault.nodes or ()]
        return [one for one in found if isinstance(one, FieldNode) and one.name.value[:2] == "__"]

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The one to run; None where the name does not tell."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        return self.operations.get(name) if name is not None else None

    def cost(self, name: str | None) -> Cost | None:
        """What that operation costs; None where the name does not tell which."""
        if name not in self._costs:
            operation = self.operation(name)
            if operation is None:  # whatever is sent for a name is not kept
                return None
            self._costs[name] = compile_cost(self.schema, self.node, operation)
        return self._costs[name]


def read(schema: GraphQLSchema, query: str) -> Document:
    """Raises Rejected."""
    document = _kept.get(schema, query)
    if document is None:
        document = _read(schema, query)
        if len(query) <= LONGEST_KEPT:
            _kept.add(document)
    return document


def known(schema: GraphQLSchema, query: str) -> Document | None:
    """A document that was read before and is still kept."""
    return _kept.get(schema, query)


def grown(document: Document) -> None:
    """More was planned of it; where it is kept, it takes more room now."""
    _kept.weigh(document)


def _read(schema: GraphQLSchema, query: str) -> Document:
    try:
        limits.check_text(query)
        node = parse(query, max_lexical_tokens=limits.TOKENS, max_comments=limits.COMMENTS)
        limits.check(node)
    except GraphQLError as error:
        raise Rejected(syntax_fault(error)) from error
    except InvalidRequest as refused:
        raise rejected(refused) from refused
    errors = _faults(schema, node, RULES)
    if errors:
        raise Rejected(*errors)
    _without_tokens(node)
    return Document(schema, query, node)


def _without_tokens(document: DocumentNode) -> None:
    """Where a node stands is all that is told of it; its tokens, each with the next and the one
    before, take as much memory again and, being circles, go only when the collector comes."""
    if document.loc is None:
        return
    first = document.loc.start_token
    waiting: list[Node] = [document]
    while waiting:
        node = waiting.pop()
        waiting += _children(node)
        if node.loc is not None:
            node.loc.start_token = node.loc.end_token = first
    token: Token | None = first
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token = following


class _Documents(LRUCache[tuple[int, str], Document]):
    """By use, in as much memory as they may take."""

    def popitem(self) -> tuple[tuple[int, str], Document]:
        key, document = super().popitem()
        document.plans.clear()  # they know their document: a circle
        return key, document


class _Kept:
    """The documents read last."""

    def __init__(self) -> None:
        self._documents = _Documents(settings.LINLI_DOCUMENT_BYTES, lambda one: one.size)
        self._lock = Lock()

    def get(self, schema: GraphQLSchema, query: str) -> Document | None:
        with self._lock:
            return self._documents.get((id(schema), query))

    def add(self, document: Document) -> None:
        key = (id(document.schema), document.text)
        with self._lock, suppress(ValueError):  # it alone is more than fits
            self._documents[key] = document

    def weigh(self, document: Document) -> None:
        key = (id(document.schema), document.text)
        with self._lock:
            if self._documents.get(key) is document:
                try:
                    self._documents[key] = document
                except ValueError:
                    del self._documents[key]


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
        waiting += _children(one)


def _children(node: Node) -> Iterator[Node]:
    for key in node.keys:
        value = getattr(node, key, None)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, list | tuple):
            yield from (inner for inner in value if isinstance(inner, Node))


def uses_variables(node: FieldNode) -> bool:
    """Whether the arguments of a field depend on the request's variables."""
    return any(
        isinstance(below, VariableNode)
        for argument in node.arguments
        for below in nodes_below(argument, {})
    )
