"""Databases for tests: one is migrated and filled once, every other is a copy of it.

`CREATE DATABASE … TEMPLATE` copies the whole in a fraction of a second, so a test that has to
commit, or to kill a process, gets a database of its own. The product's own log-ins are used: the
tests run as the application, what builds databases as the owner.
"""

import hashlib
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, connections
from psycopg import errors, sql

from linli import database, embedded

ROOT = Path(__file__).parents[2]
# Everything the template's content depends on.
SOURCES = [
    "platform/linli/*/migrations/*.py",
    "tenants/*/migrations/*.py",
    "graphql/linli_api/*/migrations/*.py",
    "platform/linli/registry/*.py",
    "platform/linli/registry/data/*.xz",
    "platform/linli/embedded.py",
    "platform/linli/settings.py",
    "tests/support/*.py",
]


@dataclass(frozen=True)
class Database:
    name: str

    def environment(self, login: str = "app", **more: str) -> dict[str, str]:
        """For a process of the product that is to work on this database."""
        return os.environ | {"LINLI_DATABASE": self.name, "LINLI_LOGIN": login} | more

    def run(self, *command: str, login: str = "owner", **more: str) -> subprocess.CompletedProcess:
        """A Python process of the product on this database, from the root of the checkout."""
        return subprocess.run(
            [sys.executable, *command],
            cwd=ROOT, env=self.environment(login, **more),
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip

    def drop(self) -> None:
        drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(self.name))
        for attempt in range(20):
            try:
                return _as_owner(drop + sql.SQL(" WITH (FORCE)"))
            except errors.InsufficientPrivilege:  # autovacuum is at it, a superuser's
                with suppress(errors.ObjectInUse):
                    return _as_owner(drop)  # without FORCE it is sent away
                if attempt == 19:
                    raise
                time.sleep(0.5)


def template() -> Database:
    """The database that all others are copies of; built if the sources have changed.

    Of processes that find it missing at once, such as pytest's workers, one builds and the others
    wait for it.
    """
    name = f"linli_test_{_fingerprint()}"
    if not _exists(name):
        with database.connect("owner", "postgres") as lock:
            lock.execute("SELECT pg_advisory_lock(hashtext('linli_test'))")
            if not _exists(name):
                _build(name)
                _drop_older(name)
    return Database(name)


def connect_to(name: str) -> None:
    """Have Django's connection lead to this database from here on."""
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name
    connection.set_schema_to_public()


def _build(name: str) -> None:
    """Under another name until it is whole: whoever builds may be killed."""
    building = Database(f"{name}_building")
    building.drop()
    done = building.run("-m", "tests.support.fill_template")
    if done.returncode:
        raise RuntimeError(f"the template database was not built:\n{done.stderr}")
    _as_owner(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
            sql.Identifier(building.name), sql.Identifier(name)
        )
    )


def copy_of_template(name: str) -> Database:
    source = template()
    Database(name).drop()
    _as_owner(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
            sql.Identifier(name), sql.Identifier(source.name)
        )
    )
    database.grant_connect(name)
    return Database(name)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _exists(name: str) -> bool:
    with database.connect("owner", "postgres") as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        return found.fetchone() is not None


def _drop_older(current: str) -> None:
    with database.connect("owner", "postgres") as connection:
        rows = connection.execute(
            r"SELECT datname FROM pg_database WHERE datname ~ '^linli_test_[0-9a-f]{12}(_building(_\d+)?)?$'"
        ).fetchall()
    for (name,) in rows:
        if name != current:
            Database(name).drop()


def _as_owner(statement: sql.Composed) -> None:
    embedded.ensure_roles_and_database(embedded.ensure_running())
    with database.connect("owner", "postgres") as connection:
        connection.execute(statement)
