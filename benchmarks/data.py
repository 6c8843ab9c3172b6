"""The data that all contestants answer from: made once, kept, and copied for each run.

A run writes (W1, the soak), so it works on a copy; what is kept stays as it was made.
"""

import hashlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql

from linli import database
from tests.support.databases import Database, copy_of_template, template

# What pytest does for the tests' own databases.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linli.settings")

SLUG, SCHEMA = "chezhan", "t_chezhan"
INTEGRATOR, PASSWORD = "integrator", "linli-benchmark-2025"
PREFIX = "linli_bench_"
_serial = itertools.count(1)
FILLER = Path(__file__).with_name("fill.py")


@contextmanager
def scratch() -> Iterator[Database]:
    """A copy for one run, dropped at its end."""
    copy = Database(f"{PREFIX}run_{os.getpid()}_{next(_serial)}")
    source = kept()
    with database.connect("owner", "postgres") as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(copy.name), sql.Identifier(source.name)
            )
        )
    database.grant_connect(copy.name)
    try:
        yield copy
    finally:
        # Not WITH (FORCE), which autovacuum, a superuser's, refuses; without, it is sent away.
        with database.connect("owner", "postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(copy.name)))


def kept() -> Database:
    """The filled database; made anew when the migrations or the filler have changed."""
    made_from = template().name.encode() + FILLER.read_bytes()
    name = PREFIX + hashlib.sha256(made_from).hexdigest()[:12]
    if name not in (existing := _existing()):
        for older in existing:
            Database(older).drop()
        building = copy_of_template(f"{PREFIX}building")
        done = building.run("-m", "benchmarks.fill")
        if done.returncode:
            raise RuntimeError(f"the benchmark's data was not made:\n{done.stderr}")
        with database.connect("owner", "postgres") as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(building.name), sql.Identifier(name)
                )
            )
    return Database(name)


def _existing() -> list[str]:
    """Those that were kept; another run's copy is left alone."""
    with database.connect("owner", "postgres") as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ %s", [f"^{PREFIX}[0-9a-f]{{12}}$"]
        )
        return [name for (name,) in rows]
