"""Two SDLs of one schema: what came, what went, and what of it breaks a client.

graphql-core finds breaking and dangerous changes. What had its notice, and whose day has passed, is
taken out of the old SDL before they are looked for: what still breaks then is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from graphql import (
    REMOVE,
    DocumentNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    GraphQLSchema,
    InputValueDefinitionNode,
    NamedTypeNode,
    Node,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    Visitor,
    build_ast_schema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
    is_introspection_type,
    is_specified_scalar_type,
    parse,
    visit,
)

from linli_api.evolution.notice import NoNotice, read

ROOTS = ("Query", "Mutation")


@dataclass(frozen=True)
class Element:
    """Something with a name. coordinate: ``Partner``, ``Partner.name``, ``Query.partners(first:)``;
    within: that of what it is part of, empty for a type."""

    coordinate: str
    within: str
    type: str
    description: str
    deprecation: str


@dataclass(frozen=True)
class Changes:
    """refused: sentences of graphql-core about what breaks clients without notice."""

    added: list[Element]
    deprecated: list[Element]
    removed: list[Element]
    dangerous: list[str]
    refused: list[str]


def compare(before: str, after: str, *, today: date) -> Changes:
    old, new = _schema(before), _schema(after)
    had, has = ({e.coordinate: e for e in elements(schema)} for schema in (old, new))
    known = build_ast_schema(_without_what_may_go(parse(before), today))
    return Changes(
        added=[
            e for e in has.values() if e.coordinate not in had and e.within not in has.keys() - had
        ],
        deprecated=[
            e
            for e in has.values()
            if e.deprecation
            and (e.coordinate not in had or had[e.coordinate].deprecation != e.deprecation)
        ],
        removed=[
            e for e in had.values() if e.coordinate not in has and e.within not in had.keys() - has
        ],
        dangerous=[change.description for change in find_dangerous_changes(old, new)],
        refused=[change.description for change in find_breaking_changes(known, new)],
    )


@lru_cache(maxsize=4)
def _schema(sdl: str) -> GraphQLSchema:
    """Two sides, before and after: each is compared more than once in a run, and built in seconds."""
    return build_schema(sdl)


def elements(schema: GraphQLSchema) -> Iterator[Element]:
    """Everything a client can name, types in the order of their names."""
    for name, type_ in sorted(schema.type_map.items()):
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        yield Element(name, "", "", type_.description or "", "")
        parts: dict[str, Any] = {**getattr(type_, "fields", {}), **getattr(type_, "values", {})}
        for part_name, part in parts.items():
            coordinate = f"{name}.{part_name}"
            yield _element(coordinate, name, part)
            for argument_name, argument in getattr(part, "args", {}).items():
                yield _element(f"{coordinate}({argument_name}:)", coordinate, argument)


def _element(coordinate: str, within: str, part: Any) -> Element:
    type_ = str(getattr(part, "type", ""))
    return Element(coordinate, within, type_, part.description or "", part.deprecation_reason or "")


def without_notice(schema: GraphQLSchema) -> list[str]:
    """What is deprecated in words that give no proper notice, and why."""
    found = []
    for element in elements(schema):
        if element.deprecation:
            try:
                read(element.deprecation)
            except NoNotice as error:
                found.append(f"{element.coordinate}: {error}")
    return found


def _without_what_may_go(document: DocumentNode, today: date) -> DocumentNode:
    """The SDL without the parts whose day has passed, nor the types that only these led to."""
    led_to = _referenced(document)
    document = visit(document, _Passed(today))
    while True:
        left = _referenced(document)
        kept = tuple(
            definition
            for definition in document.definitions
            if not _is_orphan(definition, led_to - left)
        )
        if len(kept) == len(document.definitions):
            return document
        document = DocumentNode(definitions=kept)


def _is_orphan(definition: Node, orphans: set[str]) -> bool:
    if not isinstance(definition, TypeDefinitionNode) or definition.name.value in ROOTS:
        return False
    empty = isinstance(definition, ObjectTypeDefinitionNode) and not definition.fields
    return empty or definition.name.value in orphans


def _referenced(document: DocumentNode) -> set[str]:
    found: set[str] = set()

    class Names(Visitor):
        def enter_named_type(self, node: NamedTypeNode, *_: Any) -> None:
            found.add(node.name.value)

    visit(document, Names())
    return found


class _Passed(Visitor):
    """Takes out what is deprecated with a date of removal that has passed."""

    def __init__(self, today: date) -> None:
        super().__init__()
        self.today = today

    def _enter(
        self,
        node: FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode,
        *_: Any,
    ) -> Any:
        for directive in node.directives:
            if directive.name.value == "deprecated" and directive.arguments:
                value: Any = directive.arguments[0].value
                try:
                    passed = read(value.value).removed_after < self.today
                except NoNotice:
                    passed = False
                if passed:
                    return REMOVE
        return None

    enter_field_definition = enter_input_value_definition = enter_enum_value_definition = _enter
