"""Minutes under load: the API as shipped, at four fifths of what it can do, a mix of all queries.

    python -m benchmarks.soak [--minutes 10]

No answer may be an error, and memory has to stay flat. Workers are not replaced after so many
requests here, as gunicorn.conf.py has it, or a leak would not be seen.
"""

import argparse
import itertools
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.contestants import Contestant, linli
from benchmarks.load import CONNECTIONS, percentile
from benchmarks.values import Values
from linli import database

SHARE = 0.8
LIMIT_SECONDS = 20
SAMPLE_SECONDS = 2
WARM_SECONDS = 60  # under the load before memory is looked at: caches and plans fill
GROWTH = 1.05  # the line through the samples may end this much above its start …
SLACK = 4 * 2**20  # … or this many bytes
# How many of each in a round.
MIX = {"q2": 10, "q1": 4, "w1": 3, "q3": 1}


@dataclass
class Load:
    """What was asked and how it went; latencies in microseconds."""

    asked: int = 0
    errors: list[str] = field(default_factory=list)
    latencies: Counter[int] = field(default_factory=Counter)
    seconds: float = 0

    @property
    def rate(self) -> float:
        return self.asked / self.seconds


@dataclass(frozen=True)
class Soak:
    """load: its errors are those of the warm-up too. memory: bytes by the second, of the API's workers
    and of PostgreSQL's processes for them."""

    limit: Load
    load: Load
    memory: dict[str, list[tuple[float, int]]]

    @property
    def held(self) -> bool:
        return not self.load.errors and all(flat(samples) for samples in self.memory.values())


def soak(seconds: float) -> Soak:
    with ExitStack() as stack:
        scratch = stack.enter_context(data.scratch())
        api = stack.enter_context(linli(scratch))
        asking = _Asking(api, Values(scratch))
        limit = asking.run(LIMIT_SECONDS)
        rate = SHARE * limit.rate
        warm = asking.run(WARM_SECONDS, rate=rate)
        over = threading.Event()
        memory: dict[str, list[tuple[float, int]]] = {"workers": [], "backends": []}
        watch = threading.Thread(target=_watch, args=(api, scratch.name, memory, over))
        watch.start()
        try:
            load = asking.run(seconds, rate=rate)
        finally:
            over.set()
            watch.join()
    load.errors[:0] = warm.errors
    return Soak(limit, load, memory)


def flat(samples: list[tuple[float, int]]) -> bool:
    start, end = trend(samples)
    return end <= max(start * GROWTH, start + SLACK)


def trend(samples: list[tuple[float, int]]) -> tuple[float, float]:
    """Where the line through the samples starts and ends."""
    times, sizes = zip(*samples, strict=True)
    line = statistics.linear_regression(times, sizes)
    return tuple(line.intercept + line.slope * at for at, _size in (samples[0], samples[-1]))  # type: ignore[return-value]


class _Asking:
    """Sends the mix on several connections, each request at its time or as fast as it goes."""

    def __init__(self, api: Contestant, values: Values) -> None:
        self.api = api
        self._requests = self._mixed(values)
        self._one_at_a_time = threading.Lock()

    def run(self, seconds: float, rate: float | None = None) -> Load:
        done = Load()
        started = time.monotonic()
        due = (started + number / rate if rate else started for number in itertools.count())
        threads = [
            threading.Thread(target=self._ask, args=(done, due, started + seconds))
            for _ in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done.seconds = time.monotonic() - started
        return done

    def _mixed(self, values: Values) -> Iterator[bytes]:
        running: dict[str, Iterator[dict[str, Any]]] = {
            query: itertools.cycle(values.of(query)) for query in ("q1", "q2", "q3")
        }
        running["w1"] = values.of("w1")  # none twice
        # Spread over the round, not one query after the other.
        turns = sorted((n / count, query) for query, count in MIX.items() for n in range(count))
        for _place, query in itertools.cycle(turns):
            yield self.api.body(query, next(running[query]))

    def _ask(self, done: Load, due: Iterator[float], until: float) -> None:
        connection = HTTPConnection("127.0.0.1", self.api.port, timeout=60)
        while True:
            with self._one_at_a_time:
                at, body = next(due), next(self._requests)
            if max(at, time.monotonic()) >= until:
                break
            time.sleep(max(0, at - time.monotonic()))
            asked = time.monotonic()
            fault = self._fault(connection, body)
            with self._one_at_a_time:
                done.asked += 1
                done.latencies[int((time.monotonic() - asked) * 1e6)] += 1
                if fault:
                    done.errors.append(fault)
        connection.close()

    def _fault(self, connection: HTTPConnection, body: bytes) -> str | None:
        try:
            connection.request("POST", "/graphql", body, dict(self.api.headers))
            response = connection.getresponse()
            told = response.read()
        except (OSError, HTTPException) as error:
            connection.close()
            return repr(error)
        good = response.status == 200 and b'"message"' not in told
        return None if good else f"{response.status} {told[:500]!r}"


def _watch(
    api: Contestant, name: str, memory: dict[str, list[tuple[float, int]]], over: threading.Event
) -> None:
    with database.connect("owner", "postgres") as connection:
        while not over.wait(SAMPLE_SECONDS):
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s AND usename = 'linli_app'",
                [name],
            )
            at = time.monotonic()
            workers = _children(api.process.pid)
            memory["workers"].append((at, sum(map(_own_memory, workers))))
            memory["backends"].append((at, sum(_own_memory(pid) for (pid,) in rows)))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _own_memory(pid: int) -> int:
    """Bytes of it alone; what it shares with others, as PostgreSQL's buffers, is not counted."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:  # a connection that was just closed
        return 0
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(kilobytes) * 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    minutes = parser.parse_args().minutes
    done = soak(minutes * 60)
    load = done.load
    say = sys.stdout.write
    say(f"the mix ({', '.join(f'{n} {q}' for q, n in MIX.items())}) at its limit: ")
    say(f"{done.limit.rate:.0f} req/s\n")
    say(f"{load.asked} requests in {load.seconds:.0f} s, {load.rate:.0f} req/s, ")
    say(f"p99 {percentile(load.latencies, 0.99):.1f} ms\n")
    for error in load.errors[:5]:
        say(f"error: {error}\n")
    for what, samples in done.memory.items():
        start, end = (size / 2**20 for size in trend(samples))
        say(f"memory of the {what}: {start:.1f} MB, in the end {end:.1f} MB\n")
    say(f"BENCH soak_errors {len(load.errors)} 0 {'short' if load.errors else 'ok'}\n")
    for what, samples in done.memory.items():
        start, end = trend(samples)
        say(f"BENCH soak_{what} {end / start:.3f} {GROWTH} {'ok' if flat(samples) else 'short'}\n")
    return 0 if done.held else 1


if __name__ == "__main__":
    sys.exit(main())
