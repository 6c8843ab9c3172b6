"""Whether two schemas are the same, to all that PostgreSQL knows of them."""

import subprocess

from django.db import connection

from linli.embedded import OWNER, binary


def assert_schema_equals(one: str, other: str) -> None:
    assert dump(one) == dump(other)
    assert migrations(one) == migrations(other)


def dump(schema: str) -> str:
    """Tables, constraints, functions, rights; the schema's own name left out."""
    params = connection.get_connection_params()
    done = subprocess.run(
        [
            binary("pg_dump"), "--schema-only", f"--schema={schema}", "--restrict-key=test",
            f"--host={params['host']}", f"--username={OWNER}", f"--dbname={params['dbname']}",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.replace(schema, "the_schema")


def migrations(schema: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT app, name FROM {schema}.django_migrations ORDER BY app, name")
        return cursor.fetchall()
