"""A released SDL without what had its notice and whose day has passed."""

from collections import defaultdict
from datetime import date
from typing import Any

from graphql import (
    REMOVE,
    DocumentNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    NamedTypeNode,
    Visitor,
    get_directive_values,
    visit,
)
from graphql.type import GraphQLDeprecatedDirective

from linli_api.evolution.notice import passed


def without_passed(document: DocumentNode, *, today: date) -> DocumentNode:
    """Without these parts, and without the types that only they led to. A type that is left with no
    part stays while something leads to it."""
    left = visit(document, _Passed(today))
    orphans = _led_to(document) - _led_to(left, roots=_roots(document))
    kept = [one for one in left.definitions if _name(one) not in orphans]
    return DocumentNode(definitions=tuple(kept))


class _Passed(Visitor):
    def __init__(self, today: date) -> None:
        super().__init__()
        self.today = today

    def _enter(
        self,
        node: FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode,
        *_: Any,
    ) -> Any:
        deprecated = get_directive_values(GraphQLDeprecatedDirective, node)
        return REMOVE if deprecated and passed(deprecated["reason"], today=self.today) else None

    enter_field_definition = enter_input_value_definition = enter_enum_value_definition = _enter


def _name(definition: Any) -> str:
    return definition.name.value


def _roots(document: DocumentNode) -> set[str]:
    """Types that no other leads to: the operations' own, and what only its interface finds."""
    leads = _leads(document)
    return set(leads) - {to for name, ways in leads.items() for to in ways - {name}}


def _led_to(document: DocumentNode, roots: set[str] | None = None) -> set[str]:
    """What is reached from the roots."""
    leads, reached = _leads(document), set[str]()
    ahead = _roots(document) if roots is None else set(roots)
    while ahead:
        reached |= ahead
        ahead = {to for name in ahead for to in leads[name]} - reached
    return reached


def _leads(document: DocumentNode) -> dict[str, set[str]]:
    """For each type those that its definition names."""
    leads: dict[str, set[str]] = defaultdict(set)
    for definition in document.definitions:
        names = leads[_name(definition)]

        class Names(Visitor):
            def enter_named_type(self, node: NamedTypeNode, *_: Any) -> None:
                names.add(node.name.value)  # noqa: B023 – visited before the next turn

        visit(definition, Names())
    return leads
