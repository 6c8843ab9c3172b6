"""What is wrong with the values of an operation's variables, each at its place."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableDefinitionNode,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_input_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)
from graphql.pyutils import suggestion_list
from graphql.utilities import coerce_input_value, type_from_ast

from linli_api.members import Path, field_at
from linli_api.wording.misfit import misfit, named
from linli_api.wording.types import expected

# Each is compared with all that may have been meant.
MOST_FAULTS = 20


class _Enough(Exception):
    """So many are told, and no more is looked at."""


def variable_faults(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> list[GraphQLError]:
    """The first faults of the values; none where graphql-core would take them."""
    return list(islice(_faults(schema, operation, given), MOST_FAULTS))


def _faults(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> Iterator[GraphQLError]:
    for definition in operation.variable_definitions:
        name, type_ = definition.variable.name.value, type_from_ast(schema, definition.type)
        if not is_input_type(type_):
            continue
        value = given.get(name)
        if value is None and is_non_null_type(type_):
            if name in given or definition.default_value is None:
                message = _("${name} is missing: give {expected}.")
                yield _at(definition, name, message, name=name, expected=expected(type_))
        elif name in given:
            yield from _of_value(definition, type_, value)


def _of_value(definition: VariableDefinitionNode, type_: Any, value: Any) -> Iterator[GraphQLError]:
    found: dict[tuple[str | int, ...], Any] = {}
    left = iter(range(MOST_FAULTS - 1))

    def note(path: list[str | int], wrong: Any, _error: GraphQLError) -> None:
        found.setdefault(tuple(path), wrong)
        if next(left, None) is None:
            raise _Enough

    with suppress(_Enough):
        coerce_input_value(value, type_, note)
    name = definition.variable.name.value
    for path, wrong in found.items():
        place = "$" + ".".join(named(part) for part in (name, *path))

        def field(*below: str, path: Path = (name, *path)) -> str | None:
            return field_at((*path, *below), {name: value})

        yield from _wrong(definition, place, field, _type_at(type_, path, wrong), wrong)


def _wrong(
    definition: VariableDefinitionNode,
    place: str,
    field: Callable[..., str | None],
    type_: Any,
    value: Any,
) -> Iterator[GraphQLError]:
    inner = get_nullable_type(type_)
    if value is None:
        message = _("{place} may not be null: give {expected}.")
        yield _at(definition, field(), message, place=place, expected=expected(type_))
        return
    if is_input_object_type(inner) and isinstance(value, dict):
        for name, declared in inner.fields.items():
            if name not in value and is_required_input_field(declared):
                message = _("{place}.{name} is missing: give {expected}.")
                told = {"place": place, "name": name, "expected": expected(declared.type)}
                yield _at(definition, field(name), message, **told)
        for name in value:
            if name not in inner.fields:
                message = _("{place} has a field {name} that {type} does not have.")
                near = suggestion_list(named(name), list(inner.fields))
                told = {"place": place, "name": named(name), "type": inner.name}
                yield _at(definition, field(name), message, near, **told)
        return
    near = []
    if is_enum_type(inner) and isinstance(value, str):
        near = suggestion_list(named(value), list(inner.values))
    message = _("{place} is not {expected}.")
    yield _at(definition, field(), message, near, place=place, expected=expected(type_))


def _type_at(type_: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The type of what stands there; a value that stands for a list of one has that of its items."""
    for part in path:
        inner = get_nullable_type(type_)
        if isinstance(part, str):
            while is_list_type(inner):
                inner = get_nullable_type(inner.of_type)
            type_ = inner.fields[part].type
        else:
            type_ = inner.of_type
    while is_list_type(get_nullable_type(type_)) and not isinstance(value, list | None):
        type_ = get_nullable_type(type_).of_type
    return type_


def _at(
    definition: VariableDefinitionNode,
    field: str | None,
    message: Any,
    near: Any = (),
    **told: Any,
) -> GraphQLError:
    error = GraphQLError("", definition)
    return misfit(error, format_lazy(message, **told), field=field, suggested=near)
