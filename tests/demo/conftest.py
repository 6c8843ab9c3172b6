"""The demo on databases of the tests' own, made by the command that people type."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from linli.serving import serving
from tests.support.databases import Database

HOST = "linli.localhost"


@pytest.fixture(scope="session")
def demo() -> Iterator[Database]:
    """The demo, made in one go. `demo --check` has run its arc twice, the second time in vain."""
    database = Database(f"linli_demo_{os.getpid()}")
    done = database.run("manage.py", "demo", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    yield database
    database.drop()


@pytest.fixture
def served() -> Callable[[Database], AbstractContextManager[int]]:
    """``with served(database) as port:`` the processes of `make demo` answer there."""

    @contextmanager
    def serve(database: Database) -> Iterator[int]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LINLI_DATABASE", database.name)
            with serving(HOST, port):
                yield port

    return serve
