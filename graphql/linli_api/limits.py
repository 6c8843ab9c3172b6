"""What a document may be at most; checked before it is validated, let alone run.

The walk counts fields as they would be run: a fragment counts wherever it is spread. Fragments are
measured once each, so fragments that spread fragments cost no more time than their text.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from linli_api.errors import InvalidRequest

BODY_BYTES = 1024 * 1024
TOKENS = 10_000
COMMENTS = 1_000
DEPTH = 15
FIELDS = 1_000
ROOT_FIELDS = 20
ALIASES = 50
DIRECTIVES = 100


@dataclass
class Size:
    depth: int = 0
    fields: int = 0
    root_fields: int = 0
    aliases: int = 0
    directives: int = 0


def check(document: DocumentNode) -> None:
    """Raises InvalidRequest DOCUMENT_TOO_DEEP or DOCUMENT_TOO_LARGE."""
    walk = _Walk(document)
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode):
            continue
        size = walk.measure(definition.selection_set)
        if size.depth > DEPTH:
            message = _("The document nests {depth} levels deep; {most} are allowed.")
            raise InvalidRequest(
                "DOCUMENT_TOO_DEEP", format_lazy(message, depth=size.depth, most=DEPTH)
            )
        for what, found, most in (
            (_("fields"), size.fields, FIELDS),
            (_("root fields"), size.root_fields, ROOT_FIELDS),
            (_("aliases"), size.aliases, ALIASES),
            (_("directives"), size.directives, DIRECTIVES),
        ):
            if found > most:
                message = _("The document has more than {most} {what}. Split it.")
                raise InvalidRequest(
                    "DOCUMENT_TOO_LARGE", format_lazy(message, most=most, what=what)
                )


class _Walk:
    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        # A fragment that is being measured counts nothing inside itself; validation refuses it.
        self.measured: dict[str, Size] = {}

    def measure(self, selections: SelectionSetNode | None) -> Size:
        total = Size()
        for selection in selections.selections if selections else ():
            one = self._one(selection)
            total.depth = max(total.depth, one.depth)
            total.fields += one.fields
            total.root_fields += one.root_fields
            total.aliases += one.aliases
            total.directives += one.directives + len(selection.directives)
        return total

    def _one(self, selection: SelectionNode) -> Size:
        if isinstance(selection, FieldNode):
            inside = self.measure(selection.selection_set)
            return Size(
                depth=inside.depth + 1,
                fields=inside.fields + 1,
                root_fields=1,
                aliases=inside.aliases + (selection.alias is not None),
                directives=inside.directives,
            )
        if isinstance(selection, FragmentSpreadNode):
            return self._fragment(selection.name.value)
        inline: Any = selection
        return self.measure(inline.selection_set)

    def _fragment(self, name: str) -> Size:
        if name not in self.measured:
            self.measured[name] = Size()
            if name in self.fragments:
                self.measured[name] = self.measure(self.fragments[name].selection_set)
        return self.measured[name]
