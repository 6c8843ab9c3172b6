"""From the arguments of a field or mutation to the plain values that actions take.

Enum members become their values, global ids become keys (`IdOf`), and text that PostgreSQL cannot
hold is refused with the path of the field it stands in.
"""

from collections.abc import Callable, Mapping
from enum import Enum as PyEnum
from functools import cache
from typing import Any
from uuid import UUID

import graphene
from django.utils.translation import gettext as _
from graphene.utils.str_converters import to_camel_case

from linli.errors import Refused
from linli.sizes import DOCUMENT, size_of
from linli_api import ids
from linli_api.scalars import Document

DEEPEST = 50
_in_the_api = cache(to_camel_case)

# How optimistic concurrency reads at each type and mutation that has it.
VERSION = "Counts the changes, from 1 on; give it to expectedVersion."
EXPECTED_VERSION = (
    "The version it was read at: VERSION_CONFLICT, and nothing changed, if it is another by now."
)


class IdOf(graphene.InputField):
    """An input that holds the global id of a type, or a list of them.

    The action is given the key: a UUID, or what ``parse`` makes of it.
    """

    def __init__(
        self,
        type_name: str,
        *,
        many: bool = False,
        parse: Callable[[str], Any] = UUID,
        **options: Any,
    ) -> None:
        options.setdefault("description", f"Global id of a {type_name}.")
        super().__init__(
            graphene.List(graphene.NonNull(graphene.ID)) if many else graphene.ID, **options
        )
        self.type_name, self.many, self.parse = type_name, many, parse

    def argument(self) -> graphene.Argument:
        """The same as an argument of a field; graphene takes no input field there."""
        return graphene.Argument(self.type, description=self.description)

    def keys(self, value: Any, path: str) -> Any:
        if not self.many:
            return ids.decode(self.type_name, value, field=path, parse=self.parse)
        return [
            ids.decode(self.type_name, one, field=f"{path}.{index}", parse=self.parse)
            for index, one in enumerate(value)
        ]


class WholeDocument(graphene.InputField):
    """A whole operating model, as JSON or as a text that holds JSON.

    What reads it says what is wrong with it, each fault at its path, and how large it may be
    (`linli.library.document`): it is given on as it came.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(Document, **options)

    def argument(self) -> graphene.Argument:
        """The same as an argument of a field; graphene takes no input field there."""
        return graphene.Argument(self.type, description=self.description)


class Changed(graphene.InputField):
    """An input of an update: left out, what it names stays as it is. clears: null empties it; else
    null is refused, for what it names is never empty."""

    def __init__(self, type_: Any, *, description: str, clears: bool = False) -> None:
        told = "null clears it" if clears else "null is refused"
        super().__init__(type_, description=f"{description} Left out, it stays; {told}.")
        self.clears = clears


def plain(fields: Mapping[str, Any], values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values, by Python name, ready for an action. ``fields`` are what graphene mounted.

    No text and no JSON value is larger than the largest that is kept anywhere; how much each place
    takes is its model's to say (`linli.sizes`).
    """
    _check_nulls(fields, values, prefix)
    result = {}
    for name, value in values.items():
        path = prefix + _in_the_api(name)
        field = fields[name]
        if isinstance(field, IdOf) and value is not None:
            result[name] = field.keys(value, path)
        elif isinstance(field, WholeDocument):
            result[name] = value
        else:
            type_ = field.type
            result[name] = _plain(type_, value, path)
            _check_size(type_, value, path)
    return result


def _check_nulls(fields: Mapping[str, Any], values: Mapping[str, Any], prefix: str) -> None:
    def refused(name: str, value: Any) -> bool:
        return value is None and isinstance(fields[name], Changed) and not fields[name].clears

    emptied = [name for name, value in values.items() if refused(name, value)]
    if emptied:
        message = _("This cannot be empty. Leave it out to keep it as it is.")
        faults = [
            Refused(f"{name.upper()}_INVALID", message, field=prefix + _in_the_api(name))
            for name in emptied
        ]
        raise Refused("FIELDS_INVALID", message, causes=faults)


def _plain(type_: Any, value: Any, path: str) -> Any:
    if path.count(".") > DEEPEST:
        message = _("This value nests more than {most} levels deep. Nest it less.").format(
            most=DEEPEST
        )
        raise Refused("INPUT_TOO_DEEP", message, field=path.partition(".")[0])
    if isinstance(type_, graphene.NonNull):
        type_ = type_.of_type
    if value is None:
        return None
    if isinstance(value, PyEnum):
        return value.value
    if isinstance(value, str):
        return _storable(value, path)
    if isinstance(value, list):
        of_type = getattr(type_, "of_type", None)  # the items of a Document have no type
        return [_plain(of_type, one, f"{path}.{index}") for index, one in enumerate(value)]
    if _is_input_object(type_):
        return plain(type_._meta.fields, value, f"{path}.")
    if isinstance(value, dict):
        return {
            _storable(name, path): _plain(None, one, f"{path}.{name}")
            for name, one in value.items()
        }
    return value


def _check_size(type_: Any, value: Any, path: str) -> None:
    """Of a JSON value that is kept as one."""
    while isinstance(type_, graphene.NonNull | graphene.List):
        type_ = type_.of_type
    if type_ is Document and size_of(value) > DOCUMENT:
        message = _("This value has more than {most} bytes. Shorten it.").format(most=DOCUMENT)
        raise Refused("INPUT_TOO_LARGE", message, field=path)


def _is_input_object(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, graphene.InputObjectType)


def _storable(text: str, path: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        broken = True
    else:
        broken = "\0" in text
    if broken:
        message = _("The text holds a NUL or half a character. Type it anew.")
        raise Refused("TEXT_INVALID", message, field=path)
    if len(text) > DOCUMENT:
        message = _("This text has more than {most} characters. Shorten it.").format(most=DOCUMENT)
        raise Refused("INPUT_TOO_LARGE", message, field=path)
    return text
