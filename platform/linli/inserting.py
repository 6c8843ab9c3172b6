"""A new row, by a statement that was built once.

`Model.save` builds its statement anew for each row, which takes longer than PostgreSQL takes to run
it. For rows of plain columns; nothing listens to their being saved, as signals are banned here.
"""

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
    quote = connection.ops.quote_name
    names = [quote(f.column) for f in model._meta.local_concrete_fields if f not in filled]
    placeholders = ", ".join(["%s"] * len(names))
    statement = (
        f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(names)}) VALUES ({placeholders})"
    )
    if filled:
        statement += f" RETURNING {', '.join(quote(field.column) for field in filled)}"
    return statement
