"""Our migrations: one statement at a time, and tables apart from rows.

A migration of a tenant's tables is recorded once and replayed in thousands of schemas. That takes
statements that stand alone, and data changes that are not held up by a lock on the table's shape.
"""

import re
from collections.abc import Iterator, Sequence

import pytest
from django.apps import apps
from django.db.migrations import CreateModel, RunPython, RunSQL, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from psycopg import Connection

from linli import database
from linli.tenancy.operations import TenantSQL
from tests.house.sources import PACKAGES
from tests.support.databases import Database

ROWS = re.compile(r"\s*(INSERT|UPDATE|DELETE|MERGE|SELECT|WITH|COPY)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def server(session_database: Database) -> Iterator[Connection]:
    with database.connect("app", session_database.name) as connection:
        yield connection


def _ours() -> dict[str, list[Operation]]:
    """``app.name`` of each migration of ours → its operations on the database."""
    loader = MigrationLoader(None)
    return {
        f"{app}.{name}": list(_flat(migration.operations))
        for (app, name), migration in sorted(loader.disk_migrations.items())
        if apps.get_app_config(app).name.split(".")[0] in PACKAGES
    }


def _flat(operations: Sequence[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _statements(operation: Operation) -> list[object]:
    if not isinstance(operation, RunSQL):
        return []
    return [sql for sql in (operation.sql, operation.reverse_sql) if sql not in (None, RunSQL.noop)]


def _is_one_statement(server: Connection, sql: object) -> bool:
    """PostgreSQL itself says: it prepares a single statement only. Nothing is executed."""
    if not isinstance(sql, str):  # Django also takes lists
        return False
    sql = sql.replace("{schema}", "public").replace("{app}", "public")
    result = server.pgconn.prepare(b"", sql.encode())
    return b"syntax error" not in result.error_message and b"multiple" not in result.error_message


def _mixes(operations: Sequence[Operation]) -> bool:
    """Whether both the shape of tables and the rows in them change."""
    changes_rows = {
        isinstance(operation, RunPython)
        or (isinstance(operation, RunSQL) and bool(ROWS.match(str(operation.sql))))
        for operation in operations
    }
    return len(changes_rows) > 1


def test_each_sql_of_a_migration_is_one_statement(server: Connection) -> None:
    assert [
        f"{name}: {sql}"
        for name, operations in _ours().items()
        for operation in operations
        for sql in _statements(operation)
        if not _is_one_statement(server, sql)
    ] == []


def test_no_migration_changes_tables_and_rows() -> None:
    assert [name for name, operations in _ours().items() if _mixes(operations)] == []


def test_every_package_is_looked_at() -> None:
    apps_seen = {name.split(".")[0] for name in _ours()}
    assert {"registry", "accounts", "audit", "communities", "fund"} <= apps_seen


@pytest.mark.parametrize(
    ("sql", "one"),
    [
        ("REVOKE UPDATE ON audit_entry FROM {app}", True),
        ("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$BEGIN NULL; NULL; END$$;", True),
        ("INSERT INTO not_there_yet VALUES (1)", True),
        ("DROP TABLE a; DROP TABLE b", False),
        ("DROP TABEL a", False),
        (["DROP TABLE a"], False),
    ],
)
def test_postgresql_counts_the_statements(server: Connection, sql: object, one: bool) -> None:
    assert _is_one_statement(server, sql) is one


def test_a_mixture_is_seen() -> None:
    rows, shape = RunPython(RunPython.noop), CreateModel("Fund", [])

    assert not _mixes([shape, TenantSQL("REVOKE UPDATE ON fund_fund FROM {app}")])
    assert not _mixes([rows, TenantSQL("UPDATE fund_fund SET name = ''")])
    assert _mixes([shape, rows])
    assert _mixes([shape, TenantSQL("\n UPDATE fund_fund SET name = ''")])
