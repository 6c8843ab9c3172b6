"""Opaque global ids: base64 of ``Partner:<key>``. They name no schema.

An id of another type, of another tenant or of nothing at all gets one and the same answer.
"""

from binascii import Error, a2b_base64
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.text import camel_case_to_spaces
from django.utils.translation import gettext as _

from linli.errors import NotFound
from linli.ids import encode

__all__ = ["decode", "encode", "noun", "split"]

LONGEST = 200


def split(value: str) -> tuple[str, str] | None:
    """Type name and key of an id; None for what this module never wrote."""
    try:
        read = a2b_base64(value[:LONGEST], strict_mode=True).decode()
    except (Error, ValueError):
        return None
    type_name, colon, key = read.partition(":")
    ours = colon and "\0" not in key and encode(type_name, key) == value
    return (type_name, key) if ours else None


def decode(
    type_name: str, value: str, *, field: str = "id", parse: Callable[[str], Any] = UUID
) -> Any:
    """The key inside an id of the type; NotFound for any other value."""
    parts = split(value)
    if parts is not None and parts[0] == type_name:
        try:
            return parse(parts[1])
        except (ValueError, ValidationError):
            pass
    raise NotFound(noun(type_name), field=field)


def noun(type_name: str) -> str:
    """What a person calls the type: "model version"; the domain's catalogue translates it."""
    return _(camel_case_to_spaces(type_name))
