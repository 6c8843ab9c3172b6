"""The demo on databases of the tests' own, made by the command that people type."""

import os
import socket
from collections.abc import Iterator

import pytest
from psycopg import sql

from linli import database as databases
from linli.serving import serving
from onboarding.demo.program import ENVIRONMENT
from tests.support.databases import Database

HOST = "linli.localhost"


@pytest.fixture(scope="session")
def demo() -> Iterator[Database]:
    """The demo, made in one go, to look at. Its arc ran twice, the second time to change nothing."""
    database = Database(f"linli_demo_{os.getpid()}")
    try:
        done = database.run("manage.py", "demo", "--check")
        assert done.returncode == 0, done.stdout + done.stderr
        yield database
    finally:
        database.drop()


@pytest.fixture
def port(demo: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where the processes of `make demo` answer, with a copy of the demo that may be written to."""
    copy = Database(f"{demo.name}_copy")
    names = {"copy": sql.Identifier(copy.name), "demo": sql.Identifier(demo.name)}
    with databases.connect("owner", "postgres") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {copy} TEMPLATE {demo}").format(**names))
    databases.grant_connect(copy.name)
    free = free_port()
    monkeypatch.setenv("LINLI_DATABASE", copy.name)
    try:
        with serving(HOST, free, **ENVIRONMENT):
            yield free
    finally:
        copy.drop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
