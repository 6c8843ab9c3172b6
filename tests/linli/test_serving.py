"""The serving processes: they answer, they end together, and one checkout serves once."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.databases import ROOT, Database

SERVE = """
import sys
from linli.serving import serving, wait
port = int(sys.argv[1])
with serving("linli.localhost", port):
    print("serving", flush=True)
    wait()
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def served(scratch_database: Database) -> Iterator[tuple[subprocess.Popen, int]]:
    port = _free_port()
    parent = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port)],
        cwd=ROOT, env=scratch_database.environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    assert parent.stdout.readline() == "serving\n"
    yield parent, port
    if parent.poll() is None:
        parent.terminate()
        parent.wait(30)


def _status(port: int, host: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def _children(parent: int) -> list[int]:
    """From /proc: a minimal machine has no ps. The fourth field of a stat is the parent."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def _gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not any(os.path.exists(f"/proc/{pid}") for pid in pids):
            return True
        time.sleep(0.1)
    return False


def test_platform_and_tenants_are_served_by_gunicorn(served) -> None:
    _parent, port = served

    assert _status(port, f"linli.localhost:{port}") == 200
    assert _status(port, f"127.0.0.1:{port}") == 200
    assert _status(port, f"chezhan.linli.localhost:{port}") == 200
    assert _status(port, f"nobody.linli.localhost:{port}") == 404


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_all_end_with_their_parent_however_it_ends(served, number: int) -> None:
    parent, port = served
    children = _children(parent.pid)
    assert len(children) == 4  # gunicorn, a worker for each queue, the deliverer

    parent.send_signal(number)
    parent.wait(30)

    assert _gone(children)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_process_that_is_killed_is_started_again(served) -> None:
    parent, port = served
    before = _children(parent.pid)

    for child in before:
        os.kill(child, signal.SIGKILL)

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        after = [child for child in _children(parent.pid) if child not in before]
        if len(after) == 4:
            break
        time.sleep(0.2)
    assert len(after) == 4
    while time.monotonic() < deadline:
        try:
            assert _status(port, f"linli.localhost:{port}") == 200
            break
        except urllib.error.URLError:
            time.sleep(0.2)
    else:
        pytest.fail("the platform did not answer again")


def test_a_port_that_is_taken_is_said(scratch_database: Database) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = scratch_database.run("-c", SERVE, str(taken.getsockname()[1]), login="app")

    assert done.returncode == 1
    assert "is taken" in done.stderr
