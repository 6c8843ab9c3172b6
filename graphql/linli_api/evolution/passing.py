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
    orphans = set(_leads(document)) - _led_to(left, _roots(document))
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
    """What nothing has to lead to: the operations' own types, what only its interface finds, and what
    only these circles lead to."""
    leads = _leads(document)
    roots = set(leads) - {to for ways in leads.values() for to in ways}
    return roots | (set(leads) - _led_to(document, roots))


def _led_to(document: DocumentNode, roots: set[str]) -> set[str]:
    leads, reached, ahead = _leads(document), set[str](), set(roots)
    while ahead:
        reached |= ahead
        ahead = {to for name in ahead for to in leads.get(name, ())} - reached
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
