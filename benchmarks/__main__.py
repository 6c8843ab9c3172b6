"""Linli against PostGraphile and against SQL by hand, side by side, and a what-if against the real run
of the same year. `make bench` runs it.

    python -m benchmarks [--only NAME] [--pairs 9] [--seconds 3] [--ahead]

Two are measured in turns, burst for burst, so that what else the machine does meets both; the ratio
is the median of the pairs' ratios. docs/benchmarks.md says how to read what it prints.
"""

import argparse
import itertools
import os
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchmarks import data
from benchmarks.contestants import CONTESTANTS, Contestant
from benchmarks.load import CONNECTIONS, Burst, burst, ceiling, percentile
from benchmarks.priority import ahead, put_ahead
from benchmarks.values import Values
from linli import database
from tests.support.databases import ROOT, Database

WARM_SECONDS = 6  # a JIT and prepared statements' plans settle
WRITES = 20_000  # more than a burst can use
COMPARED = 200


@dataclass(frozen=True)
class Benchmark:
    """goal: the least that the ratio to the rival should be, of the rates or of the p99s."""

    query: str
    rival: str
    goal: float
    of: str = "rate"


BENCHMARKS = {
    "q1_postgraphile": Benchmark("q1", "postgraphile", 1.5),
    "p99_q1": Benchmark("q1", "postgraphile", 1.0, of="p99"),
    "q2_postgraphile": Benchmark("q2", "postgraphile", 1.2),
    "p99_q2": Benchmark("q2", "postgraphile", 1.0, of="p99"),
    "q1_bare": Benchmark("q1", "bare", 0.6),
    "q2_bare": Benchmark("q2", "bare", 0.5),
    "q3_bare": Benchmark("q3", "bare", 0.85),
    "w1_bare": Benchmark("w1", "bare", 0.5),
}

# These compare the product with itself; the module says what it prints.
INSIDE = {"what_if": "benchmarks.what_if"}
MOST_INSIDE = 5


class Unmeasured(Exception):
    """An answer was wrong, or the API does not know the query."""


@dataclass(frozen=True)
class Measured:
    ours: list[Burst]
    rivals: list[Burst]

    @property
    def ratios(self) -> list[float]:
        return [our.rate / rival.rate for our, rival in zip(self.ours, self.rivals, strict=True)]

    def ratio(self, of: str) -> float:
        if of == "p99":
            return _p99(self.rivals) / _p99(self.ours)
        return statistics.median(self.ratios)


class Arena:
    """The contestants on one copy of the data; each is started when it is first needed."""

    def __init__(self, scratch: Database, pairs: int, seconds: int, ahead: bool = False) -> None:
        self.scratch, self.pairs, self.seconds, self.ahead = scratch, pairs, seconds, ahead
        self._stack, self._started = ExitStack(), dict[str, Contestant]()
        self._measured: dict[tuple[str, str], Measured] = {}

    def __enter__(self) -> "Arena":
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.close()

    def contestant(self, name: str) -> Contestant:
        if name not in self._started:
            started = self._stack.enter_context(CONTESTANTS[name](self.scratch))
            self._started[name] = started
        return self._started[name]

    def measured(self, query: str, rival_name: str) -> Measured:
        """Once for each pair of contestants and query."""
        if (query, rival_name) not in self._measured:
            both = self.contestant("linli"), self.contestant(rival_name)
            self.compare(query, *both)
            self._measured[query, rival_name] = self._race(query, *both)
        return self._measured[query, rival_name]

    def _race(self, query: str, ours: Contestant, rival: Contestant) -> Measured:
        for one in (ours, rival):
            self._burst(query, one, WARM_SECONDS)
        measured = Measured([], [])
        for _ in range(self.pairs):
            measured.ours.append(self._burst(query, ours, self.seconds))
            measured.rivals.append(self._burst(query, rival, self.seconds))
        return measured

    def _burst(self, query: str, one: Contestant, seconds: int) -> Burst:
        if self.ahead:
            put_ahead(self._backends())
        written = self._declared() if query == "w1" else 0
        values = itertools.islice(self.values.of(query), WRITES if query == "w1" else COMPARED)
        done = burst(one.port, (one.request(query, value) for value in values), seconds)
        # What a closed burst left in the queue is answered first, and not at the next one's cost.
        one.answer(query, next(self.values.of(query)))
        if done.faults or not done.requests:
            raise Unmeasured(f"{one.name}: {done.faults} of {done.requests} answers are no answers")
        if query == "w1":
            # Beside those answered: what was under way at the end, and the one just asked.
            more = self._declared() - written - done.requests
            if not 0 <= more <= CONNECTIONS + 1:
                raise Unmeasured(
                    f"{one.name} answered {done.requests} writes, and wrote {more} more"
                )
        return done

    def compare(self, query: str, ours: Contestant, rival: Contestant) -> None:
        """Raises Unmeasured where one answers, or writes, something else than the other."""
        if query == "w1":
            return self._compare_writes(ours, rival)
        for values in itertools.islice(self.values.of(query), COMPARED):
            answers = ours.answer(query, values), rival.answer(query, values)
            if answers[0] != answers[1]:
                raise Unmeasured(f"{rival.name} answers {query} differently: {answers}")
        return None

    def _compare_writes(self, ours: Contestant, rival: Contestant) -> None:
        """The same declared of two agreements leaves the same rows, but for keys and times."""
        first, second = itertools.islice(self.values.of("w1"), 2)
        second = first | {"agreement": second["agreement"]}
        ours.answer("w1", first)
        ours_left = self._rows_left(first)
        rival.answer("w1", second)
        if (left := self._rows_left(second)) != ours_left:
            raise Unmeasured(f"{rival.name} writes other rows: {left}, not {ours_left}")

    def _rows_left(self, values: dict[str, Any]) -> dict[str, Any]:
        with database.connect("owner", self.scratch.name) as connection:
            found = connection.execute(
                f"""
                SELECT to_jsonb(d), to_jsonb(k), to_jsonb(e), to_jsonb(v)
                FROM {data.SCHEMA}.partners_declaration d
                JOIN {data.SCHEMA}.partners_contribution k ON k.declaration_id = d.id
                JOIN {data.SCHEMA}.audit_entry e ON e.object_id = d.id::text
                JOIN {data.SCHEMA}.events_event v ON v.object_id = d.id
                WHERE d.agreement_id = %s AND d.starts_on = %s
                """,
                [values["agreement"], values["startsOn"]],
            ).fetchall()
        [rows] = found
        left: dict[str, Any] = {}
        names = ("declaration", "contribution", "entry", "event")
        for name, row in zip(names, rows, strict=True):
            left |= {f"{name}.{column}": value for column, value in row.items()}
            told = row.get("after") or row.get("data") or {}
            left |= {f"{name}.told.{key}": value for key, value in told.items()}
        unequal = ("id", "agreement_id", "partner_id", "declaration_id", "contribution_id", "at",
                   "object_id", "declared_at", "worked_out_at", "after", "data", "agreement",
                   "contribution", "community_id", "position")  # fmt: skip
        return {name: v for name, v in left.items() if name.rpartition(".")[2] not in unequal}

    def _backends(self) -> list[int]:
        with database.connect("owner", "postgres") as connection:
            named = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
            return [pid for (pid,) in connection.execute(named, [self.scratch.name])]

    def _declared(self) -> int:
        with database.connect("owner", self.scratch.name) as connection:
            counted = connection.execute(f"SELECT count(*) FROM {data.SCHEMA}.partners_declaration")
            return counted.fetchone()[0]  # type: ignore[index]

    @cached_property
    def values(self) -> Values:
        return Values(self.scratch)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    every = [*BENCHMARKS, *INSIDE]
    parser.add_argument("--only", choices=every, metavar="NAME", help=", ".join(every))
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--ahead", action="store_true", help="of what else runs here; for root")
    asked = parser.parse_args()
    chosen = [asked.only] if asked.only else every
    names = [name for name in chosen if name in BENCHMARKS]
    if names and shutil.which("wrk") is None:
        return _fail("wrk is missing. As root: apt-get install wrk")
    missing = False
    for name in chosen:
        if name in INSIDE and not _measured_inside(INSIDE[name], asked):
            missing = True
    if not names:
        return 1 if missing else 0
    with (
        ahead() if asked.ahead else nullcontext(),
        data.scratch() as scratch,
        Arena(scratch, asked.pairs, asked.seconds, asked.ahead) as arena,
    ):
        _say_what_the_generator_can(arena)
        told: set[tuple[str, str]] = set()
        for name in names:
            one = BENCHMARKS[name]
            try:
                measured = arena.measured(one.query, one.rival)
            except Unmeasured as why:
                _say(f"BENCH {name} - {one.goal} unmeasured: {why}")
                missing = True
                continue
            if (one.query, one.rival) not in told:
                told.add((one.query, one.rival))
                _say_what_was_measured(one, measured)
            ratio = measured.ratio(one.of)
            _say(f"BENCH {name} {ratio:.2f} {one.goal} {'ok' if ratio >= one.goal else 'short'}")
    return 1 if missing else 0


def _measured_inside(module: str, asked: argparse.Namespace) -> bool:
    """One that measures the product in its own process, without HTTP: what it says, and whether."""
    with ahead() if asked.ahead else nullcontext(), data.scratch() as scratch:
        # Says what it finds as it goes; a turn of it takes seconds, so a few are enough.
        command = [sys.executable, "-m", module, str(min(asked.pairs, MOST_INSIDE))]
        done = subprocess.run(command, env=scratch.environment("owner"), cwd=ROOT, check=False)
    return done.returncode == 0


def _say_what_the_generator_can(arena: Arena) -> None:
    ours = arena.contestant("linli")
    values = next(arena.values.of("q1"))
    answer = ours.post(ours.body("q1", values))
    most = ceiling(ours.request("q1", values), answer)
    _say(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the first burst")
    _say(f"the load generator against a server that does nothing: {most.rate:.0f} req/s, Q1's size")


def _say_what_was_measured(one: Benchmark, measured: Measured) -> None:
    for name, bursts in (("linli", measured.ours), (one.rival, measured.rivals)):
        rate = statistics.median(burst.rate for burst in bursts)
        cpu = statistics.median(burst.cpu for burst in bursts)
        _say(
            f"{one.query} {name}: {rate:.0f} req/s, p99 {_p99(bursts):.1f} ms; "
            f"the generator took {cpu:.0%} of a core"
        )
    ratios = " ".join(f"{ratio:.2f}" for ratio in measured.ratios)
    _say(f"{one.query} linli ÷ {one.rival}, pair by pair: {ratios}")


def _p99(bursts: list[Burst]) -> float:
    every: Counter[int] = Counter()
    for one in bursts:
        every.update(one.latencies)
    return percentile(every, 0.99)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _fail(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
