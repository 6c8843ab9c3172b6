"""Whether anything at all was written: a checksum of every table of a schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.db import connection
from psycopg import sql

# Nothing but the owner writes these, and they are large.
FIXED = ("registry_division", "registry_schematemplate")

Checksums = dict[tuple[str, str], str]


def checksums(*schemas: str) -> Checksums:
    """(schema, table) → a hash over all rows, of every table the application's log-in can read."""
    parts = [
        sql.SQL(
            "SELECT {schema}, {table}, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
            " FROM {qualified} t"
        ).format(
            schema=sql.Literal(schema),
            table=sql.Literal(table),
            qualified=sql.Identifier(schema, table),
        )
        for schema in dict.fromkeys(schemas)
        for table in tables(schema)
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts).as_string(cursor.connection))
        return {(schema, table): digest for schema, table, digest in cursor.fetchall()}


@contextmanager
def rows_unchanged(*schemas: str) -> Iterator[None]:
    """The block changes no row of these schemas, and none of the public one."""
    before = checksums("public", *schemas)
    yield
    after = checksums("public", *schemas)
    assert after == before, [table for table in after if after[table] != before[table]]


@cache
def tables(schema: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = %s::regnamespace"
            " AND relname <> ALL(%s) AND has_table_privilege(oid, 'SELECT') ORDER BY relname",
            [f'"{schema}"', list(FIXED)],
        )
        return [name for (name,) in cursor.fetchall()]
