"""What does not fit the schema, by the sentence in which graphql-core says so.

Its rules have no codes, so their sentences are the key; the version is pinned, and a test breaks
every rule to see that each is known. Those sentences hold names, but where a literal is of the
wrong type, the literal: `ValuesOfCorrectType` words that by the type.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from graphql import (
    ArgumentNode,
    ASTValidationRule,
    FloatValueNode,
    GraphQLError,
    ListValueNode,
    NameNode,
    Node,
    ObjectFieldNode,
    ObjectValueNode,
    UniqueInputFieldNamesRule,
    ValueNode,
    ValuesOfCorrectTypeRule,
    get_named_type,
    value_from_ast_untyped,
)

from linli_api.members import field_at
from linli_api.wording.misfit import misfit, named
from linli_api.wording.types import TOO_LARGE, expected

_GENERAL = _("The request does not fit the schema at the place that is named.")

# «x» stands for a quoted name that the sentence takes as {x}; … for anything that it does not.
_SAID: list[tuple[str, Any]] = [
    ("Cannot query field «field» on type «type».", _("{type} has no field {field}.")),
    ("Unknown argument «name» on field «field».", _("{field} takes no argument {name}.")),
    ("Unknown argument «name» on directive «field».", _("{field} takes no argument {name}.")),
    ("Unknown type «name».", _("There is no type {name}.")),
    ("Unknown fragment «name».", _("The document defines no fragment {name}.")),
    ("Unknown directive «name».", _("There is no directive {name}.")),
    ("Directive «name» may not be used on …", _("The directive {name} has no place here.")),
    ("The directive «name» can only…", _("The directive {name} stands here twice.")),
    (
        "Field «field» argument «name» of type «type» is required, …",
        _("{field} needs its argument {name}, of type {type}."),
    ),
    (
        "Directive «field» argument «name» of type «type» is required, …",
        _("{field} needs its argument {name}, of type {type}."),
    ),
    (
        "Field «field» of type «type» must have a selection of subfields.",
        _("Say which fields of {field} you want: {type} is an object."),
    ),
    (
        "Field «field» must not have a selection since type «type» …",
        _("{field} has no fields to choose from: {type} is a plain value."),
    ),
    ("Variable «name» is not defined…", _("The operation declares no variable {name}.")),
    ("Variable «name» is never used…", _("The variable {name} is used nowhere. Leave it out.")),
    ("Variable «name» cannot be non-input type «type».", _("{name} cannot be of type {type}.")),
    (
        "Variable «name» of type «type» used in position expecting type «other».",
        _("{name} is of type {type}, and {other} is expected where it is used."),
    ),
    ("Fragment «name» is never used.", _("The fragment {name} is used nowhere. Leave it out.")),
    ("Fragment… cannot condition on non composite type «type».", _("{type} has no fields.")),
    (
        "Fragment… cannot be spread here as objects of type «type» can never be of type «other».",
        _("Nothing here is both {type} and {other}. Leave the fragment out."),
    ),
    ("Cannot spread fragment «name» within itself…", _("The fragment {name} contains itself.")),
    (
        "Fields «name» conflict because …",
        _("Two fields answer as {name}. Give one of them another alias."),
    ),
    (
        "This anonymous operation must be the only defined operation.",
        _("Of several operations each needs a name."),
    ),
    ("There can be only one … named «name».", _("{name} stands here twice.")),
    ("The … definition is not executable.", _("A request holds operations and fragments only.")),
    ("Maximum introspection depth exceeded", _("What is asked of the schema nests too deep.")),
    ("Too many validation errors, …", _("There are more faults than are told. Mend these first.")),
    ("Must provide operation name …", _("Name the operation that is to run: operationName.")),
    ("Unknown operation named …", _("The document has no operation of that operationName.")),
    (
        "Schema is not configured to execute …",
        _("Queries and mutations are run, and nothing else. Events come by webhook, or are read."),
    ),
    ("Must provide an operation.", _("The document holds no operation.")),
    (
        "Argument «name» of …type «type» … the variable «other» which was not provided …",
        _("{other} is missing, and {name} needs it, of type {type}."),
    ),
    ("Argument «name» of …type «type» …", _("The argument {name} is missing: give {type}.")),
]


def _pattern(said: str) -> re.Pattern[str]:
    parts = re.split(r"(«\w+»|…)", said)
    return re.compile("".join(_piece(part) for part in parts), re.DOTALL)


def _piece(part: str) -> str:
    if part == "…":
        return ".*?"
    return f"'(?P<{part[1:-1]}>[^']*)'" if part.startswith("«") else re.escape(part)


_KNOWN = [(_pattern(said), sentence) for said, sentence in _SAID]
_QUOTED = re.compile(r"'([^']*)'")
_NEAR = re.compile(r"'([_A-Za-z]\w*)'", re.ASCII)


def worded(error: GraphQLError) -> GraphQLError:
    """The error in our words; one that is not graphql-core's own has its words."""
    if not isinstance(error.original_error, GraphQLError | None):
        return error
    said, _sign, suggestions = error.message.partition(" Did you mean ")
    for pattern, sentence in _KNOWN:
        if found := pattern.fullmatch(said):
            names = {key: named(name) for key, name in found.groupdict().items()}
            near = _NEAR.findall(suggestions)
            return misfit(error, format_lazy(sentence, **names), suggested=near)
    return misfit(error, _GENERAL)


class _InArguments(ASTValidationRule):
    """A rule that knows where in an argument a literal stands."""

    _argument: ArgumentNode | None = None

    def enter_argument(self, node: ArgumentNode, *_args: Any) -> None:
        self._argument = node

    def leave_argument(self, *_args: Any) -> None:
        self._argument = None

    def field_of(self, node: Node) -> str | None:
        if self._argument is None:
            return None
        name, value = self._argument.name.value, self._argument.value
        path = next(_ways_to(node, value), None)
        return field_at((name, *path), {name: _as_json(value)}) if path is not None else name


def _ways_to(node: Node, value: ValueNode) -> Iterator[tuple[str | int, ...]]:
    if value is node:
        yield ()
    inner: Iterable[tuple[str | int, ValueNode, tuple[Node, ...]]] = ()
    if isinstance(value, ObjectValueNode):
        inner = [(one.name.value, one.value, (one, one.name)) for one in value.fields]
    elif isinstance(value, ListValueNode):
        inner = [(position, one, ()) for position, one in enumerate(value.values)]
    for step, below, names in inner:
        ways = [()] if node in names else _ways_to(node, below)
        yield from ((step, *way) for way in ways)


def _as_json(value: ValueNode) -> Any:
    return value_from_ast_untyped(value, {})


class ValuesOfCorrectType(_InArguments, ValuesOfCorrectTypeRule):
    """graphql-core's rule, which says what is expected and not what was found."""

    _node: ValueNode | None = None

    def is_valid_value_node(self, node: ValueNode) -> None:
        self._node = node
        super().is_valid_value_node(node)

    def report_error(self, error: GraphQLError) -> None:
        if not error.nodes:  # a scalar of ours refused it, and does not know where it stands
            error = GraphQLError(error.message, self._node)
        type_: Any = self.context.get_input_type()
        node = error.nodes[0] if error.nodes else None
        _said, _sign, suggestions = error.message.partition(" Did you mean ")
        if isinstance(node, ObjectFieldNode):
            message = format_lazy(_("There is no field {name} here."), name=named(node.name.value))
        elif isinstance(node, ObjectValueNode) and " of required type " in error.message:
            name, required = _QUOTED.findall(error.message)[:2]
            message = format_lazy(_("{name} is missing: give {type}."), name=name, type=required)
        elif isinstance(node, FloatValueNode) and str(get_named_type(type_)) == "Document":
            message = TOO_LARGE
        else:
            message = format_lazy(_("This is not {expected}."), expected=expected(type_))
        field = self.field_of(node) if node else None
        near = _NEAR.findall(suggestions)
        super().report_error(misfit(error, message, field=field, suggested=near))


class UniqueInputFieldNames(_InArguments, UniqueInputFieldNamesRule):
    """graphql-core's rule, which does not say in which object."""

    def report_error(self, error: GraphQLError) -> None:
        node = error.nodes[-1] if error.nodes else None
        if isinstance(node, NameNode):
            message = format_lazy(_("{name} stands here twice. Keep one."), name=named(node.value))
            error = misfit(error, message, field=self.field_of(node))
        super().report_error(error)
