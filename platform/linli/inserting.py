"""A new row, by a statement that was built once.

`Model.save` builds its statement anew for each row, which takes longer than PostgreSQL takes to run
it. For rows of plain columns; nothing listens to their being saved, as signals are banned here.
"""

from collections.abc import Iterable
from functools import cache
from typing import Protocol, runtime_checkable

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.expressions import DatabaseDefault

from linli.tenancy.context import current_schema


@runtime_checkable
class Guarded(Protocol):
    """A row that knows which tenant's it is (`linli.tenancy.models.TenantModel`)."""

    def guard(self) -> None: ...


def insert(*rows: models.Model) -> None:
    """As ``row.save(force_insert=True)`` for each, in one round trip: what the database fills in is
    read back."""
    statements, values, filled = [], [], []
    for row in rows:
        if isinstance(row, Guarded):
            row.guard()
        fields = row._meta.local_concrete_fields
        filled.append(
            tuple(f for f in fields if isinstance(getattr(row, f.attname), DatabaseDefault))
        )
        statements.append(_statement(type(row), filled[-1]))
        values += [
            field.get_db_prep_save(field.pre_save(row, add=True), connection)
            for field in fields
            if field not in filled[-1]
        ]
    with connection.cursor() as cursor:
        cursor.execute("; ".join(statements), values)
        for row, columns in zip(rows, filled, strict=True):
            if columns:
                for field, value in zip(columns, cursor.fetchone(), strict=True):
                    setattr(row, field.attname, value)
            cursor.nextset()
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
            row._state.schema = current_schema()  # type: ignore[attr-defined]


@cache
def _statement(model: type[models.Model], filled: tuple[models.Field, ...]) -> str:
    given = [f for f in model._meta.local_concrete_fields if f not in filled]
    table = connection.ops.quote_name(model._meta.db_table)
    statement = f"INSERT INTO {table} ({_names(given)}) VALUES ({', '.join(['%s'] * len(given))})"
    return f"{statement} RETURNING {_names(filled)}" if filled else statement


def _names(fields: Iterable[models.Field]) -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
