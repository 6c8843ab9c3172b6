"""gunicorn on a test's database, as the product serves, and somebody logged in there."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from django.test import Client

from linli.accounts.models import Person
from tests.support.databases import ROOT, Database

TOKEN = "t" * 32


@dataclass(frozen=True)
class Served:
    port: int
    master: int

    def browser(self, person: Person | None, host: str) -> httpx.Client:
        """Sends the host's name and the person's session, and the token a page would."""
        cookies = {"csrftoken": TOKEN}
        if person is not None:
            django = Client(headers={"host": host})
            django.force_login(person)
            cookies |= {name: one.value for name, one in django.cookies.items()}
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Host": host, "X-CSRFToken": TOKEN, "Accept-Language": "en"},
            cookies=cookies,
            timeout=120,
        )

    def workers(self) -> list[int]:
        """Their process ids, from /proc. The fourth field of a stat is the parent."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it has ended meanwhile
                if int(stat.read_text().rpartition(")")[2].split()[1]) == self.master:
                    found.append(int(stat.parent.name))
        return found

    def memory(self) -> int:
        """Bytes that the workers hold."""
        pages = sum(
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.workers()
        )
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def gunicorn(database: Database, workers: int = 1, **environment: str) -> Iterator[Served]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn"],
        cwd=ROOT,
        env=database.environment(
            LINLI_BIND=f"127.0.0.1:{port}", WEB_CONCURRENCY=str(workers), **environment
        ),
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(port, process)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": "linli.localhost"}, timeout=5)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("gunicorn did not answer")


def post(browser: httpx.Client, body: bytes | dict[str, Any]) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return browser.post("/graphql", content=content, headers={"Content-Type": "application/json"})
