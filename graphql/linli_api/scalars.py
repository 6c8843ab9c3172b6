"""Scalars of the API, and enums from Django's choices."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

import graphene
from django.db.models import Choices
from graphql import (
    FloatValueNode,
    GraphQLError,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    print_ast,
    value_from_ast_untyped,
)

from linli.money import MAX_FEN


class Date(graphene.Date):
    """A day as ISO 8601: 2026-11-24, and in no other of its spellings."""

    _form = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

    @staticmethod
    def parse_value(value: Any) -> date:
        """Also of a default, which is a day already."""
        if isinstance(value, str) and not Date._form.fullmatch(value):
            raise GraphQLError(f'Date is a day, like "2026-11-24"; got {_shown(value)}.')
        return graphene.Date.parse_value(value)


class DateTime(graphene.DateTime):
    """An instant as ISO 8601, in UTC when read: 2026-11-24T05:35:00.25+00:00."""

    @staticmethod
    def serialize(value: Any) -> str:
        if not isinstance(value, datetime):
            raise ValueError(f"not an instant: {value!r}")
        return instant(value)

    @staticmethod
    def parse_value(value: Any) -> datetime:
        try:
            parsed = graphene.DateTime.parse_value(value)
            if parsed.tzinfo is not None:
                return parsed.astimezone(UTC)  # PostgreSQL takes no offset of 16 hours
        except OverflowError:  # before the year 1 in UTC, or after 9999
            pass
        raise GraphQLError(
            "DateTime is an instant with its offset, like "
            f'"2026-11-24T12:00:00+08:00"; got {_shown(value)}.'
        )


def instant(value: datetime) -> str:
    """As PostgreSQL writes a timestamptz in JSON: no zeros at the end of a fraction."""
    whole, _point, fraction = value.astimezone(UTC).isoformat().partition(".")
    if not fraction:
        return whole
    digits = fraction.removesuffix("+00:00").rstrip("0")
    return f"{whole}.{digits}+00:00"


class Fen(graphene.Scalar):
    """Money in whole fen (1/100 yuan): a JSON integer of at most 2^53 − 1 either way."""

    @staticmethod
    def serialize(value: Any) -> int:
        if type(value) is not int or abs(value) > MAX_FEN:
            raise ValueError(f"not an amount in fen: {value!r}")
        return value

    @staticmethod
    def parse_value(value: Any) -> int:
        if type(value) is not int or abs(value) > MAX_FEN:
            raise GraphQLError(
                "Fen is a whole number of fen (1/100 yuan), a JSON integer of at most "
                f"{MAX_FEN} either way; got {_shown(value)}."
            )
        return value

    @classmethod
    def parse_literal(cls, node: ValueNode, _variables: Any = None) -> int:
        return cls.parse_value(int(node.value) if isinstance(node, IntValueNode) else node)


class Bytes(graphene.Scalar):
    """How many bytes: a JSON integer, of more than Int's 32 bits where need be."""

    @staticmethod
    def serialize(value: Any) -> int:
        if type(value) is not int or not 0 <= value <= 2**53 - 1:
            raise ValueError(f"not a number of bytes: {value!r}")
        return value


class Rate(graphene.Scalar):
    """An exact decimal as a string, a share of one: "0.03" is 3 %."""

    _form = re.compile(r"-?\d{1,9}(\.\d{1,12})?", re.ASCII)

    @staticmethod
    def serialize(value: Decimal | str) -> str:
        """One spelling for one rate: a column pads with zeros, whoever wrote it did not."""
        return format(Decimal(value).normalize(), "f")

    @classmethod
    def parse_value(cls, value: Any) -> Decimal:
        if not isinstance(value, str) or not cls._form.fullmatch(value):
            raise GraphQLError(
                f'Rate is an exact decimal as a string, like "0.03"; got {_shown(value)}.'
            )
        return Decimal(value)

    @classmethod
    def parse_literal(cls, node: ValueNode, _variables: Any = None) -> Decimal:
        return cls.parse_value(node.value if isinstance(node, StringValueNode) else node)


class Document(graphene.Scalar):
    """Any JSON value, such as an operating model's document."""

    @staticmethod
    def serialize(value: Any) -> Any:
        return value

    @staticmethod
    def parse_value(value: Any) -> Any:
        return _finite(value)

    @staticmethod
    def parse_literal(node: ValueNode, variables: Any = None) -> Any:
        _check_finite(node)
        return _finite(value_from_ast_untyped(node, variables))


def choices(
    values: type[Choices], name: str, *, going: Mapping[str, str] | None = None, **told: str
) -> type[graphene.Enum]:
    """The enum of a model's choices. told: of each member a sentence that says what it means, which
    its label, a word beside others, does not. going: the notices of those that go.

    A row just written holds a member where a row just read holds its value: both serialize.
    """
    if told.keys() != (members := set(values.__members__)):
        raise TypeError(f"{name} has {sorted(members)}, and {sorted(told)} are described")

    def describe(member: Choices | None) -> str | None:
        return values.__doc__ if member is None else told[member.name]

    def deprecated(member: Choices | None) -> str | None:
        return (going or {}).get(member.name) if member else None

    return graphene.Enum.from_enum(
        values, name=name, description=describe, deprecation_reason=deprecated
    )


def _finite(value: Any) -> Any:
    """JSON knows no infinity, and nothing can store one; 1e999 reads as one."""
    values = [value]
    while values:
        one = values.pop()
        if isinstance(one, float) and not isfinite(one):
            raise GraphQLError("A number in this value is too large or none at all.")
        if isinstance(one, dict):
            values.extend(one.values())
        elif isinstance(one, list):
            values.extend(one)
    return value


def _check_finite(node: ValueNode) -> None:
    """The same of a literal, saying which."""
    if isinstance(node, FloatValueNode) and not isfinite(value_from_ast_untyped(node)):
        raise GraphQLError("A number in this value is too large or none at all.", node)
    inner = node.values if isinstance(node, ListValueNode) else ()
    fields = node.fields if isinstance(node, ObjectValueNode) else ()
    for below in (*inner, *(one.value for one in fields)):
        _check_finite(below)


def _shown(value: Any) -> str:
    return (print_ast(value) if isinstance(value, ValueNode) else repr(value))[:80]
