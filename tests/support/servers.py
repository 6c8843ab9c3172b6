"""Servers of a test's own: a gunicorn on its database, a PostgreSQL away from the checkout's."""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from linli import embedded
from tests.support.databases import ROOT, Database

# No control socket: it would lie in the home folder, where all servers of this person would meet.
OPTIONS = ["--workers=2", "--no-control-socket", "--log-level=warning"]


@contextmanager
def serving(database: Database) -> Iterator[int]:
    """The port at which gunicorn serves the database, with the platform at linli.localhost."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "linli.asgi", f"--bind=127.0.0.1:{port}", *OPTIONS],
        cwd=ROOT,
        env=database.environment(LINLI_PLATFORM_URL=f"http://linli.localhost:{port}"),
    )
    try:
        _wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(port: int) -> None:
    request = Request(f"http://127.0.0.1:{port}/", headers={"Host": f"linli.localhost:{port}"})
    deadline = time.monotonic() + 60
    while True:
        try:
            urlopen(request, timeout=10).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@contextmanager
def own_state() -> Iterator[Path]:
    """A short path that PostgreSQL's system user can enter, which pytest's own folders are not.

    Inside, this process and those it starts find no server but the one they start there.
    """
    folder = Path(tempfile.mkdtemp(prefix="linli-state-", dir="/tmp"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINLI_STATE", str(folder))
        for name in ("DATABASE_URL", "OWNER_DATABASE_URL", "LINLI_DATABASE", "LINLI_LOGIN"):
            patch.delenv(name, raising=False)
        try:
            yield folder
        finally:
            embedded.stop()
            shutil.rmtree(folder)


def pid_of(server: embedded.Server) -> int:
    """The server's main process, which all others are children of."""
    return int((server.data / "postmaster.pid").read_text().split()[0])
