"""A new row, by a statement that was built once.

`Model.save` builds its statement anew for each row, which takes longer than PostgreSQL takes to run
it. For rows of plain columns; nothing listens to their being saved, as signals are banned here.
"""

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.expressions import DatabaseDefault

from linli.tenancy.context import connection, current_schema
from linli.tenancy.models import TenantModel
from linli.tenancy.postgresql.prepared import as_text, value_of

# A value of the field's own type is what PostgreSQL is told; any other is the field's to say.
_OWN: dict[type[models.Field], type] = {
    models.UUIDField: UUID,
    models.CharField: str,
    models.TextField: str,
    models.BooleanField: bool,
    models.IntegerField: int,
    models.PositiveIntegerField: int,
    models.PositiveSmallIntegerField: int,
    models.DateField: date,
}
_Fields = tuple[models.Field, ...]


def insert(*rows: models.Model) -> None:
    """As ``row.save(force_insert=True)`` for each, in one round trip: what the database fills in is
    read back."""
    filled = [_filled(row) for row in rows]
    statements = [
        (_statement(type(row), columns), _values(row, columns))
        for row, columns in zip(rows, filled, strict=True)
    ]
    schema = current_schema()
    for row, columns, told in zip(rows, filled, connection.fetch_together(statements), strict=True):
        for field, value in zip(columns, told or (), strict=True):
            setattr(row, field.attname, value_of(field, value))
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
        row._state.schema = schema  # type: ignore[attr-defined]


def _filled(row: models.Model) -> _Fields:
    """What the database fills in."""
    return tuple(
        field
        for field in _with_default(type(row))
        if isinstance(getattr(row, field.attname), DatabaseDefault)
    )


def _values(row: models.Model, filled: _Fields) -> list[str | None]:
    """As texts, which become what their columns hold."""
    if isinstance(row, TenantModel):
        row.guard()
    database: Any = connections[DEFAULT_DB_ALIAS]
    values = []
    for field, own in _given(type(row), filled):
        value = getattr(row, field.attname)
        if own is None or (type(value) is not own and value is not None):
            value = field.get_db_prep_save(field.pre_save(row, add=True), database)
        values.append(as_text(value))
    return values


@cache
def _with_default(model: type[models.Model]) -> _Fields:
    return tuple(field for field in model._meta.local_concrete_fields if field.has_db_default())


@cache
def _given(model: type[models.Model], filled: _Fields) -> list[tuple[models.Field, type | None]]:
    """The other fields, each with the type of value that needs no preparing."""
    return [
        (field, None if _is_stamped(field) else _OWN.get(type(_column(field))))
        for field in model._meta.local_concrete_fields
        if field not in filled
    ]


def _is_stamped(field: models.Field) -> bool:
    return getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False)


def _column(field: models.Field) -> models.Field:
    """The field that a key points at, for it decides what the column holds."""
    return _column(field.target_field) if isinstance(field, models.ForeignKey) else field


@cache
def _statement(model: type[models.Model], filled: _Fields) -> str:
    given = [field for field, _own in _given(model, filled)]
    table = connection.ops.quote_name(model._meta.db_table)
    places = ", ".join(f"${number}" for number in range(1, len(given) + 1))
    statement = f"INSERT INTO {table} ({_names(given)}) VALUES ({places})"
    return f"{statement} RETURNING {_names(filled)}" if filled else statement


def _names(fields: Iterable[models.Field]) -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
