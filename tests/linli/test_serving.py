"""The serving processes: they answer, they end together, and one checkout serves once."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from linli.accounts.policy import Role
from linli.clients.actions import create_client, revoke_client
from linli.registry.models import Tenant
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
        parent.wait(60)


def _status(port: int, host: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
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
    deadline = time.monotonic() + 60
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
    parent.wait(60)

    assert _gone(children)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_process_that_is_killed_is_started_again(served) -> None:
    parent, port = served
    before = _children(parent.pid)
    orphans = [one for child in before for one in _children(child)]
    assert len(orphans) == 2  # gunicorn's own workers, which hold its port

    for child in before:
        os.kill(child, signal.SIGKILL)
    assert _gone(orphans)

    deadline = time.monotonic() + 60
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


def _post(port: int, path: str, body: bytes, **headers: str) -> tuple[int, dict]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        body,
        {"Host": f"chezhan.linli.localhost:{port}"} | headers,
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_program_gets_a_token_and_is_refused_by_every_process_once_it_is_revoked(
    served, actor_as
) -> None:
    _parent, port = served
    street = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
    administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
    client, secret = create_client(actor=administrator, name="小程序", scopes=["fund:read"])
    basic = b64encode(f"{client.client_id}:{secret}".encode()).decode()
    status, given = _post(
        port, "/oauth/token", b"grant_type=client_credentials", Authorization=f"Basic {basic}"
    )
    assert (status, given["scope"]) == (200, "fund:read")

    def asked() -> int:
        return _post(
            port, "/graphql", b'{"query": "{ viewer { name } }"}',
            **{"Content-Type": "application/json"}, Authorization=f"Bearer {given['access_token']}",
        )[0]  # fmt: skip

    with ThreadPoolExecutor(8) as many:  # so that both processes have answered
        assert set(many.map(lambda _n: asked(), range(40))) == {200}
        revoke_client(actor=administrator, client_id=client.pk)
        assert set(many.map(lambda _n: asked(), range(40))) == {401}
    assert client.secrets.get().last_used_at is not None


def test_a_port_that_is_taken_is_said(scratch_database: Database) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = scratch_database.run("-c", SERVE, str(taken.getsockname()[1]), login="app")

    assert done.returncode == 1
    assert "is taken" in done.stderr


def test_what_a_process_prints_is_seen_where_its_faults_are() -> None:
    """As the mails of an installation without a server for them."""
    begin = "from linli.serving import _start; _start(['-c', 'print(\"Dear all\")'], {}).wait()"
    done = subprocess.run(
        [sys.executable, "-c", begin], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "Dear all\n")
