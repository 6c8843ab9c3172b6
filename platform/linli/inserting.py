"""A new row, by a statement that was built once.

`Model.save` builds its statement anew for each row, which takes longer than PostgreSQL takes to run
it. For rows of plain columns; nothing listens to their being saved, as signals are banned here.
"""

from collections.abc import Iterable
from functools import cache

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.expressions import DatabaseDefault


def insert(row: models.Model) -> None:
    """As ``row.save(force_insert=True)``: what the database fills in is read back."""
    fields = row._meta.local_concrete_fields
    filled = tuple(f for f in fields if isinstance(getattr(row, f.attname), DatabaseDefault))
    values = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for field in fields
        if field not in filled
    ]
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(row), filled), values)
        if filled:
            for field, value in zip(filled, cursor.fetchone(), strict=True):
                setattr(row, field.attname, value)
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@cache
def _statement(model: type[models.Model], filled: tuple[models.Field, ...]) -> str:
    given = [f for f in model._meta.local_concrete_fields if f not in filled]
    table = connection.ops.quote_name(model._meta.db_table)
    statement = f"INSERT INTO {table} ({_names(given)}) VALUES ({', '.join(['%s'] * len(given))})"
    return f"{statement} RETURNING {_names(filled)}" if filled else statement


def _names(fields: Iterable[models.Field]) -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
