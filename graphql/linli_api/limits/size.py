"""What a request may hold at most; checked before its document is validated, let alone run.

The walk counts fields and directives as they would be run: a fragment counts wherever it is spread.
Fragments are measured once each, so fragments that spread fragments cost no more time than their text. Repeated
fields and fragments are limited because validation compares each with each.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import Any

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from linli_api.errors import InvalidRequest
from linli_api.members import field_at, members

BODY_BYTES = 1024 * 1024
TOKENS = 10_000
COMMENTS = 1_000
NESTING = 100
DEPTH = 15
FIELDS = 1_000
ROOT_FIELDS = 20
ALIASES = 50
DIRECTIVES = 100
FRAGMENTS = 100
OPERATIONS = 50
REPEATS = 10
DIGITS = 1_000
VALUES = 10_000
VALUE_DEPTH = 50


@dataclass
class Size:
    depth: int = 0
    fields: int = 0
    root_fields: int = 0
    aliases: int = 0
    directives: int = 0
    fragments: int = 0
    repeats: int = 0


_LONG_NUMBER = re.compile(rf"[0-9]{{{DIGITS + 1}}}")
# A text or a comment, passed over, or a bracket. A text without its end goes as far as it may, so that
# nothing is looked through twice.
_BRACKET = re.compile(
    r"""
    \"{3} (?: [^"\\]++ | \\"{3} | \\ | "(?!"") )*+ (?: "{3} | \Z )
    | " (?: [^"\\\n\r]++ | \\. )*+ "?
    | \# [^\n\r]*+
    | (?P<opens> [{(\[] )
    | (?P<closes> [})\]] )
    """,
    re.VERBOSE,
)

_NAME_OR_BRACKET = re.compile(_BRACKET.pattern + r"| (?P<name> [_A-Za-z]\w*+ )", re.VERBOSE)


def check_text(query: str) -> None:
    """Before it is parsed: raises InvalidRequest DOCUMENT_TOO_LARGE for a number that Python takes too
    long to read, DOCUMENT_TOO_DEEP for brackets deeper than the parser's recursion goes."""
    if _LONG_NUMBER.search(query):
        message = _("The document holds more than {most} digits in a row.")
        raise InvalidRequest("DOCUMENT_TOO_LARGE", format_lazy(message, most=DIGITS))
    depth = 0
    for found in _BRACKET.finditer(query):
        depth += (found["opens"] is not None) - (found["closes"] is not None)
        if depth > NESTING:
            message = _("The document nests more than {most} brackets deep. Nest it less.")
            told = format_lazy(message, most=NESTING)
            field = field_at(_argument_at(query[: found.start()]), None)
            raise InvalidRequest("DOCUMENT_TOO_DEEP", told, field=field)


def _argument_at(before: str) -> list[str]:
    """The names on the way to where a text breaks off, from the argument on; as far as they have names."""
    names: list[str | None] = []
    name = None
    for found in _NAME_OR_BRACKET.finditer(before):
        if found["opens"]:
            names.append(name if found["opens"] != "(" else "(")
        elif found["closes"] and names:
            names.pop()
        name = found["name"]
    argument = names[::-1][: names[::-1].index("(")][::-1] if "(" in names else []
    return [*takewhile(bool, argument)]  # type: ignore[list-item]


def check(document: DocumentNode) -> None:
    """Raises InvalidRequest DOCUMENT_TOO_DEEP or DOCUMENT_TOO_LARGE."""
    walk = _Walk(document)
    _at_most(FRAGMENTS, len(walk.fragments), _("fragments"))
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    _at_most(OPERATIONS, len(operations), _("operations"))
    for operation in operations:
        size = walk.operation(operation)
        _check(size)
        _at_most(ROOT_FIELDS, size.root_fields, _("root fields"))
    for name in walk.fragments:  # one that is spread nowhere is validated all the same
        _check(walk.fragment(name))


def check_variables(variables: Mapping[str, Any]) -> None:
    """Raises InvalidRequest VARIABLES_TOO_LARGE or INPUT_TOO_DEEP."""
    count, level, depth = 0, [variables], 0
    while level:
        count, depth = count + len(level), depth + 1
        if count > VALUES:
            message = _(
                "The variables hold more than {most} values. Send a long list in several requests; of"
                " one document leave out what is not needed."
            )
            told, path = format_lazy(message, most=VALUES), _fullest(variables)
            raise InvalidRequest("VARIABLES_TOO_LARGE", told, field=field_at(path, variables))
        if depth > VALUE_DEPTH:
            message = _("The variables nest more than {most} levels deep. Nest this less.")
            told, path = format_lazy(message, most=VALUE_DEPTH), _deepest(variables)
            raise InvalidRequest("INPUT_TOO_DEEP", told, field=field_at(path, variables))
        level = [inner for one in level for inner in _inside(one)]


def _deepest(variables: Mapping[str, Any]) -> list[str | int]:
    """The first place that is too deep, or the list where lists within lists begin."""
    path = next(path for one in members(variables) if len(path := one.path) >= VALUE_DEPTH)
    while isinstance(path[-1], int):
        path.pop()
    return path


def _fullest(variables: Mapping[str, Any]) -> list[str | int]:
    """The innermost place that holds more than half of what may be sent."""
    seen = list(islice(members(variables), VALUES))
    held = Counter[int]()
    for one in reversed(seen):
        held[id(one)] += 1
        held[id(one.holder)] += held[id(one)]
    return next(one.path for one in reversed(seen) if held[id(one)] * 2 > len(seen))


def is_too_large(answer: str) -> bool:
    """Whether the text is longer than an answer may be, in UTF-8."""
    most = settings.LINLI_ANSWER_BYTES
    return len(answer) * 4 > most and len(answer.encode()) > most


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check(size: Size) -> None:
    if size.depth > DEPTH:
        message = _("The document nests {depth} levels deep; {most} are allowed.")
        raise InvalidRequest(
            "DOCUMENT_TOO_DEEP", format_lazy(message, depth=size.depth, most=DEPTH)
        )
    _at_most(FIELDS, size.fields, _("fields"))
    _at_most(ALIASES, size.aliases, _("aliases"))
    _at_most(DIRECTIVES, size.directives, _("directives"))
    _at_most(FRAGMENTS, size.fragments, _("fragments"))
    _at_most(REPEATS, size.repeats, _("repetitions of one field"))


def _at_most(most: int, found: int, what: Any) -> None:
    if found > most:
        message = _("The document has more than {most} {what}. Split it.")
        raise InvalidRequest("DOCUMENT_TOO_LARGE", format_lazy(message, most=most, what=what))


class _Walk:
    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        # A fragment that is being measured counts nothing inside itself; validation refuses it.
        self.measured: dict[str, Size] = {}

    def operation(self, node: OperationDefinitionNode) -> Size:
        size = self.measure(node.selection_set)
        variables = sum(len(one.directives) for one in node.variable_definitions)
        return replace(size, directives=size.directives + len(node.directives) + variables)

    def measure(self, selections: SelectionSetNode | None) -> Size:
        total = Size()
        if selections is None:
            return total
        for selection in selections.selections:
            one = self._one(selection)
            total.depth = max(total.depth, one.depth)
            total.fields += one.fields
            total.root_fields += one.root_fields
            total.aliases += one.aliases
            total.directives += one.directives + len(selection.directives)
            total.fragments += one.fragments
            total.repeats = max(total.repeats, one.repeats)
        names = Counter(_names(selections))
        total.repeats = max(total.repeats, *names.values()) if names else total.repeats
        return total

    def fragment(self, name: str) -> Size:
        if name not in self.measured:
            self.measured[name] = Size()
            if name in self.fragments:
                node = self.fragments[name]
                size = self.measure(node.selection_set)
                directives = size.directives + len(node.directives)
                self.measured[name] = replace(size, directives=directives)
        return self.measured[name]

    def _one(self, selection: SelectionNode) -> Size:
        if isinstance(selection, FieldNode):
            inside = self.measure(selection.selection_set)
            return replace(
                inside,
                depth=inside.depth + 1,
                fields=inside.fields + 1,
                root_fields=1,
                aliases=inside.aliases + (selection.alias is not None),
            )
        if isinstance(selection, FragmentSpreadNode):
            inside = self.fragment(selection.name.value)
        else:
            inline: Any = selection
            inside = self.measure(inline.selection_set)
        return replace(inside, fragments=inside.fragments + 1)


def _names(selections: SelectionSetNode) -> Iterator[str]:
    """Under which names fields answer side by side; those of inline fragments stand there too."""
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            yield (selection.alias or selection.name).value
        elif isinstance(selection, InlineFragmentNode):
            yield from _names(selection.selection_set)
