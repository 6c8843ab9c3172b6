"""The demo's arc may be killed anywhere: run again, it comes to the same end (T2)."""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from linli import database as databases
from tests.support.databases import ROOT, Database

# What is asked of the database, of a tenant's schema or of the public one, to know the moment.
MOMENTS = [
    ("public", "SELECT count(*) >= 3 FROM registry_tenant WHERE status = 'active'"),
    ("chezhan", "SELECT count(*) >= 12 FROM fund_posting"),
    ("chezhan", "SELECT count(*) = 1 FROM fund_spending"),
    ("shuibosi", "SELECT count(*) = 1 FROM operating_model_changerequest"),
    ("chezhan", "SELECT count(*) = 1 FROM audit_entry WHERE action = 'models.open_draft'"),
    ("shuibosi", "SELECT count(*) = 1 FROM operating_model_upgradedecision"),
]
# What the arc writes in public; in a tenant's schema it is everything.
PUBLIC = [
    "accounts_membership", "audit_entry", "comparison_figure", "library_adoptionrecord",
    "library_adoptionrule", "library_changerecord", "library_offer", "library_policy",
    "library_publishedversion", "registry_domain", "registry_tenant",
]  # fmt: skip
# What no two runs have in common: ids, those of the API too, digests over them, instants, and where
# events stand.
FRESH = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,64}|[A-Za-z0-9+/]{40,}=*"
    r"|(?<=\"position\": )(\d+|null)"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*(Z|[+-]\d\d:\d\d)"
)
PATIENCE = 120


@pytest.fixture(params=[MOMENTS[1::2], pytest.param(MOMENTS, marks=pytest.mark.prove)], ids=len)
def killed_over_and_over(request: pytest.FixtureRequest) -> Iterator[Database]:
    database = Database(f"linli_demo_killed_{os.getpid()}")
    try:
        for schema, question in request.param:
            with _starting(database) as demo:
                _wait_until(database, schema, question, demo)
                demo.kill()
            _forget_log_ins(database)
        yield database
    finally:
        database.drop()


def test_killed_and_run_again_it_comes_to_the_same_end(
    demo: Database, killed_over_and_over: Database
) -> None:
    expected = _contents(demo)

    done = killed_over_and_over.run("manage.py", "demo", "--check")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The arc is run: nothing to change." in done.stdout
    found = _contents(killed_over_and_over)
    assert found.keys() == expected.keys()
    for place, rows in expected.items():
        assert (found[place] - rows, rows - found[place]) == (Counter(), Counter()), place


def _starting(database: Database) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--check"],
        cwd=ROOT,
        env=database.environment("owner"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait_until(database: Database, schema: str, question: str, demo: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while not _says_yes(database, schema, question):
        assert demo.poll() is None, f"the demo ended by itself before {question}"
        assert time.monotonic() < deadline, f"never: {question}"
        time.sleep(0.01)


def _forget_log_ins(database: Database) -> None:
    """So many people logging in anew within a minute would be throttled."""
    with databases.connect("owner", database.name) as connection:
        connection.execute("DELETE FROM accounts_cacheentry")


def _says_yes(database: Database, schema: str, question: str) -> bool:
    try:
        with databases.connect("owner", database.name) as connection:
            if schema != "public":
                schema = _schemas(connection)[schema]
            connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
            row = connection.execute(question.encode()).fetchone()
    except (psycopg.OperationalError, psycopg.ProgrammingError, KeyError):
        return False  # the database, the table or the tenant is yet to come
    return bool(row and row[0])


def _schemas(connection: psycopg.Connection) -> dict[str, str]:
    return dict(
        connection.execute("SELECT slug, schema_name FROM public.registry_tenant").fetchall()
    )


def _contents(database: Database) -> dict[tuple[str, str], Counter[str]]:
    """By tenant and table, the rows that the arc led to, without what differs from run to run."""
    with databases.connect("owner", database.name) as connection:
        tables = [("public", "public", table) for table in PUBLIC]
        for slug, schema in _schemas(connection).items():
            found = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema]
            ).fetchall()
            tables += [(slug, schema, table) for (table,) in found]
        return {
            (place, table): Counter(
                FRESH.sub("·", row)
                for (row,) in connection.execute(
                    sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(
                        sql.Identifier(schema, table)
                    )
                )
            )
            for place, schema, table in tables
        }
