"""How PostgreSQL writes a value so that the answer holds what the executor would have written."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import models
from graphql import (
    GraphQLEnumType,
    get_named_type,
    get_nullable_type,
    is_composite_type,
)

from linli_api.planner.holes import Unplanned
from linli_api.planner.sql import Sql, joined, sql, text

Form = Callable[[Sql], Sql]

_TEXT = (models.CharField, models.TextField)
_WHOLE = (models.IntegerField,)  # Django's other whole numbers, and FenField, derive from it


def _as_it_is(column: Sql) -> Sql:
    return column


def _rate(column: Sql) -> Sql:
    return sql("trim_scale({})::text", column)


def _day(column: Sql) -> Sql:
    """A month cut off a day is an instant to PostgreSQL."""
    return sql("{}::date", column)


# The scalar, the columns it may show, and its form. JSON's own forms of text, numbers, days and
# instants (in UTC) are those of `linli_api.scalars`.
_FORMS: list[tuple[str, tuple[type[models.Field], ...], Form]] = [
    ("String", _TEXT, _as_it_is),
    ("Int", _WHOLE, _as_it_is),
    ("Boolean", (models.BooleanField,), _as_it_is),
    ("Fen", _WHOLE, _as_it_is),
    ("Bytes", _WHOLE, _as_it_is),
    ("Date", (models.DateField,), _day),
    ("DateTime", (models.DateTimeField,), _as_it_is),
    ("Rate", (models.DecimalField,), _rate),
    ("Document", (models.JSONField,), _as_it_is),
]


def form_of(scalar: str, column: models.Field) -> Form:
    """By the scalar's name. Raises Unplanned for a pair that is not known."""
    for known, columns, form in _FORMS:
        if scalar == known and isinstance(column, columns):
            return form
    raise Unplanned(f"{scalar} from {type(column).__name__}")


def enum_form(enum: GraphQLEnumType) -> Form:
    names = [
        sql(" WHEN {} THEN {}", text(str(getattr(member.value, "value", member.value))), text(name))
        for name, member in enum.values.items()
    ]
    return lambda column: sql("CASE {}::text{} END", column, joined(names, ""))


# Whose text is what stands in JSON, and whose is but for the quotes: nothing in it is to be escaped.
_NUMBERS = ("Int", "Fen", "Bytes")
_PLAIN = ("ID", "Rate")


def written(type_: Any, value: Sql) -> Sql:
    """A value of the type as it stands in JSON, for ``concat``, to which NULL is nothing. What is never
    null to the type is never NULL to PostgreSQL either: a column of an enum holds nothing else."""
    leaf = get_nullable_type(type_)
    if leaf is not type_:
        return _written(leaf, value)
    return sql("coalesce(({})::text, 'null')", _written(leaf, value))


def _written(leaf: Any, value: Sql) -> Sql:
    if is_composite_type(get_named_type(leaf)) or leaf.name in (*_NUMBERS, "Document"):
        return value
    if leaf.name == "Boolean":
        return sql("({})::text", value)
    if isinstance(leaf, GraphQLEnumType) or leaf.name in _PLAIN:
        return sql("""'"' || ({}) || '"'""", value)
    return sql("to_json({})", value)


_LONGEST_KEY = str(UUID(int=0))


def global_id(type_name: str, key: Sql) -> Sql:
    """As `linli.ids.encode` writes it. Keys and names are ASCII without a backslash; PostgreSQL breaks
    the line where base64 has 76 characters."""
    encoded = sql("encode(({} || {})::bytea, 'base64')", text(f"{type_name}:"), key)
    fits = len(type_name) + 1 + len(_LONGEST_KEY) <= 57
    return encoded if fits else sql("replace({}, E'\\n', '')", encoded)


def cursor(key: Sql, columns: list[Sql]) -> Sql:
    """As `linli_api.cursors.encode` writes it; key: `cursors.key_of`, as bytes."""
    return sql(
        "(SELECT translate(encode(substring(sha256({} || b) for 8) || b, 'base64'), E'+/\\n', '-_')"
        " FROM convert_to(json_build_array({})::text, 'UTF8') AS b)",
        key,
        joined(columns),
    )


def money(fen: Sql) -> Sql:
    """As `linli.money.grouped` writes it."""
    return sql("to_char({} / 100.0, 'FM9,999,999,999,999,990.00')", fen)
