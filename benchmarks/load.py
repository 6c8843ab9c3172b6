"""The load generator: wrk, with 8 connections on one thread, for bursts of a few seconds."""

import json
import multiprocessing
import resource
import socket
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("wrk.lua")
CONNECTIONS = 8


@dataclass(frozen=True)
class Burst:
    """latencies: how many answers took so many microseconds. cpu: what the generator itself took
    of one core."""

    requests: int
    seconds: float
    faults: int
    latencies: Counter[int]
    cpu: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def burst(port: int, requests: Iterable[bytes], seconds: int) -> Burst:
    """Sends them one after the other, and again from the first when they are over."""
    before = _cpu_of_children()
    with tempfile.NamedTemporaryFile() as file:
        for request in requests:
            file.write(b"%d\n%b\n" % (len(request), request))
        file.flush()
        done = subprocess.run(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout=30s", "-s", str(SCRIPT),
             f"http://127.0.0.1:{port}/graphql", file.name],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    told = next((line for line in done.stdout.splitlines() if line.startswith("JSON")), None)
    if told is None:
        raise RuntimeError(f"wrk failed:\n{done.stdout}{done.stderr}")
    found = json.loads(told.removeprefix("JSON"))
    took = found["microseconds"] / 1e6
    return Burst(
        requests=found["requests"],
        seconds=took,
        faults=found["faults"] + found["broken"],
        latencies=Counter(dict(found["latencies"])),
        cpu=(_cpu_of_children() - before) / took,
    )


def percentile(latencies: Counter[int], share: float) -> float:
    """In milliseconds: so much of the answers took no longer."""
    wanted = share * latencies.total()
    seen = 0
    for microseconds, count in sorted(latencies.items()):
        seen += count
        if seen >= wanted:
            return microseconds / 1000
    return float("nan")


def ceiling(request: bytes, answer: bytes, seconds: int = 2) -> Burst:
    """What it reaches against two processes that do nothing but answer, and close, as gunicorn's
    sync workers do."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        servers = [
            multiprocessing.Process(target=_answer, args=(listening, answer), daemon=True)
            for _ in range(2)
        ]
        for server in servers:
            server.start()
        try:
            return burst(listening.getsockname()[1], [request], seconds)
        finally:
            for server in servers:
                server.kill()
                server.join()


def _answer(listening: socket.socket, answer: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(answer)}\r\n\r\n"
    whole = head.encode() + answer
    while True:
        connected, _address = listening.accept()
        with connected, suppress(OSError):
            connected.recv(65536)
            connected.sendall(whole)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
