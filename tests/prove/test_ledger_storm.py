"""The ledger under SIGKILL: processes die at random, and PostgreSQL with them, and no fen is lost.

Processes of the product receive, spend and reverse at random (`tests.prove.treasury`) on a server
of the test's own. What stands in the end is read with plain SQL, apart from the product's code.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from psycopg.rows import dict_row

from linli import embedded
from linli.money import MAX_FEN
from tests.support.databases import ROOT, Database, copy_of_template
from tests.support.servers import own_state, pid_of

pytestmark = pytest.mark.prove

WORKERS, KILLS, SERVER_KILLS = 3, 60, 6
# Why a move may be refused when others are at the same fund; anything else is a fault.
RIVALRY = {"BALANCE_TOO_LOW", "STEP_OUT_OF_ORDER", "ALREADY_REVERSED", "MORE_THAN_OWED"}


@dataclass
class Worker:
    number: int
    folder: Path
    process: subprocess.Popen = field(init=False)

    @property
    def log(self) -> Path:
        return self.folder / f"w{self.number}.jsonl"

    @property
    def complaint(self) -> Path:
        return self.folder / f"w{self.number}.stderr"

    def start(self, database: Database, ids: str) -> "Worker":
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.prove.treasury", "work", ids, str(self.log)],
            cwd=ROOT, env=database.environment("app"), stderr=self.complaint.open("w"),
        )  # fmt: skip
        return self

    def lines(self) -> int:
        return self.log.read_bytes().count(b"\n") if self.log.exists() else 0


@dataclass
class Storm:
    """What happened: all that was tried, by its marker, and how the database stands."""

    moves: dict[str, dict[str, Any]]
    server: embedded.Server
    database: Database
    deaths: Counter

    def query(self, statement: str) -> list[dict[str, Any]]:
        with self.server.connect(self.server.superuser, self.database.name) as connection:
            connection.row_factory = dict_row
            connection.execute("SET search_path = t_chezhan")
            return connection.execute(statement).fetchall()

    def tried(self, move: str) -> dict[str, dict[str, Any]]:
        return {marker: one for marker, one in self.moves.items() if one["move"] == move}

    def done(self, move: str) -> dict[str, dict[str, Any]]:
        return {marker: one for marker, one in self.tried(move).items() if "done" in one}

    def check(self, move: str, found: dict[str, str]) -> None:
        """``found``: what stands, as marker → id. All that was answered, nothing that was not tried
        or was refused; what was cut short may be either."""
        answered = {marker: one["done"] for marker, one in self.done(move).items()}
        assert answered.items() <= found.items()
        assert found.keys() <= self.tried(move).keys()
        assert not [marker for marker in found if "refused" in self.moves[marker]]


@pytest.fixture(scope="module")
def storm() -> Iterator[Storm]:
    with own_state() as folder:
        server = embedded.ensure_running()
        database = copy_of_template("linli_storm")
        furnished = database.run("-m", "tests.prove.treasury", "furnish", login="app")
        assert furnished.returncode == 0, furnished.stderr
        workers = [Worker(n, folder).start(database, furnished.stdout) for n in range(WORKERS)]
        try:
            deaths = _rage(server, database, furnished.stdout, workers)
        finally:
            for worker in workers:
                worker.process.kill()
                worker.process.wait()
        complaints = "".join(worker.complaint.read_text() for worker in workers)
        assert deaths["by itself"] == 0, complaints
        yield Storm(_moves(workers), server, database, deaths)


def _rage(server: embedded.Server, database: Database, ids: str, workers: list[Worker]) -> Counter:
    """Kill at random moments, and start what was killed again; then let what lives come to rest.

    ``workers`` holds every process there was in the end; the last `WORKERS` of it live.
    """
    deaths: Counter = Counter()
    for kill in range(1, KILLS + 1):
        victim = random.choice(workers[-WORKERS:])
        _wait_for_work(victim, lines=random.randint(1, 60))
        time.sleep(random.uniform(0, 0.02))
        deaths[_killed(victim)] += 1
        workers.remove(victim)
        workers.insert(0, victim)
        workers.append(Worker(len(workers), victim.folder).start(database, ids))
        if kill % (KILLS // SERVER_KILLS) == 0:
            deaths[_kill_server(server, workers[-WORKERS:-1], kill)] += 1
    living = workers[-WORKERS:]
    for worker in living:
        _wait_for_work(worker, lines=worker.lines() + 20)
        worker.process.send_signal(signal.SIGTERM)
    for worker in living:
        deaths["in the end" if worker.process.wait(60) == 0 else "by itself"] += 1
    return deaths


def _wait_for_work(worker: Worker, lines: int) -> None:
    deadline = time.monotonic() + 60
    while worker.lines() < lines:
        assert worker.process.poll() is None, worker.complaint.read_text()
        assert time.monotonic() < deadline, f"{worker.log} stands still"
        time.sleep(0.001)


def _killed(worker: Worker) -> str:
    worker.process.kill()
    return "worker" if worker.process.wait() == -signal.SIGKILL else "by itself"


def _kill_server(server: embedded.Server, at_work: list[Worker], kill: int) -> str:
    """The main process, or one that serves a connection, which takes all others down with it.

    Only those of the test's own server, found by its own files.
    """
    for worker in at_work:
        _wait_for_work(worker, lines=worker.lines() + random.randint(1, 10))
    whole = kill // (KILLS // SERVER_KILLS) % 3 != 0
    os.kill(pid_of(server) if whole else _backend(server), signal.SIGKILL)
    time.sleep(random.uniform(0, 0.3))
    embedded.ensure_running()
    return "server" if whole else "backend"


def _backend(server: embedded.Server) -> int:
    with server.connect(server.superuser, "postgres") as connection:
        row = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE usename = 'linli_app' ORDER BY random() LIMIT 1"
        ).fetchone()
    assert row is not None
    return row[0]


def _moves(workers: list[Worker]) -> dict[str, dict[str, Any]]:
    moves: dict[str, dict[str, Any]] = {}
    for worker in workers:
        for line in worker.log.read_text().splitlines() if worker.log.exists() else ():
            told = json.loads(line)
            moves.setdefault(told["marker"], {}).update(told)
    return moves


def test_it_was_a_storm(storm):
    assert storm.deaths["worker"] == KILLS
    assert storm.deaths["server"] >= 3
    assert storm.deaths["backend"] >= 2
    assert storm.deaths["in the end"] == WORKERS
    for move in ("receive", "contribute", "propose", "approve", "pay", "reverse"):
        assert len(storm.done(move)) >= 10, move
    cut_short = [one for one in storm.moves.values() if not one.keys() & {"done", "refused"}]
    assert len(cut_short) >= 10
    refused = Counter(one["refused"] for one in storm.moves.values() if "refused" in one)
    assert refused.keys() <= RIVALRY, refused


def test_every_posting_balances(storm):
    crooked = storm.query(
        f"""SELECT p.id FROM fund_posting p
            JOIN fund_account d ON d.id = p.debit_id JOIN fund_account c ON c.id = p.credit_id
            WHERE d.fund_id <> c.fund_id OR d.id = c.id
               OR p.amount_fen NOT BETWEEN 1 AND {MAX_FEN}"""
    )
    assert crooked == []
    # Whatever comes in is split to the last fen in the same event; nothing stays in the inflow.
    left_over = storm.query(
        """SELECT p.group_id FROM fund_posting p
           JOIN fund_account d ON d.id = p.debit_id JOIN fund_account c ON c.id = p.credit_id
           GROUP BY p.group_id
           HAVING sum(CASE WHEN c.code = 'held:inflow' THEN p.amount_fen ELSE 0 END)
               <> sum(CASE WHEN d.code = 'held:inflow' THEN p.amount_fen ELSE 0 END)"""
    )
    assert left_over == []


def test_every_total_is_the_sum_of_its_postings_and_nothing_held_is_negative(storm):
    accounts = storm.query(
        """SELECT a.code, a.kind, a.debits_fen, a.credits_fen,
                  (SELECT coalesce(sum(amount_fen), 0) FROM fund_posting WHERE debit_id = a.id)
                      AS debits,
                  (SELECT coalesce(sum(amount_fen), 0) FROM fund_posting WHERE credit_id = a.id)
                      AS credits
           FROM fund_account a"""
    )
    assert {a["kind"] for a in accounts} == {"source", "held", "use"}
    for account in accounts:
        assert account["debits_fen"] == account["debits"], account["code"]
        assert account["credits_fen"] == account["credits"], account["code"]
        assert account["kind"] != "held" or account["credits"] >= account["debits"], account["code"]
    assert sum(a["debits"] for a in accounts) == sum(a["credits"] for a in accounts)


def test_a_spending_is_posted_once_when_it_is_paid_and_never_before(storm):
    spendings = storm.query(
        """SELECT s.id::text, s.status, s.account_code, s.amount_fen, s.purpose,
                  array_agg(d.code) FILTER (WHERE p.id IS NOT NULL) AS from_accounts,
                  array_agg(p.amount_fen) FILTER (WHERE p.id IS NOT NULL) AS amounts
           FROM fund_spending s
           LEFT JOIN fund_posting p ON p.spending_id = s.id AND p.kind = 'spending'
           LEFT JOIN fund_account d ON d.id = p.debit_id
           GROUP BY s.id"""
    )
    for one in spendings:
        paid = one["status"] == "paid"
        assert one["from_accounts"] == ([one["account_code"]] if paid else None), one
        assert one["amounts"] == ([one["amount_fen"]] if paid else None), one
    storm.check("propose", {one["purpose"]: one["id"] for one in spendings})
    assert len({one["purpose"] for one in spendings}) == len(spendings)
    status = {one["id"]: one["status"] for one in spendings}
    for one in storm.done("approve").values():
        assert status[one["on"]] in ("approved", "paid")
    for one in storm.done("pay").values():
        assert status[one["on"]] == "paid"
    for move, reached in (("approve", {"approved", "paid"}), ("pay", {"paid"})):
        done = Counter(one["on"] for one in storm.done(move).values())
        assert set(done.values()) <= {1}, f"{move} was answered twice for one spending"
        tried = {one["on"] for one in storm.tried(move).values() if "refused" not in one}
        assert {pk for pk, now in status.items() if now in reached} <= tried


def test_all_that_was_answered_came_in_once(storm):
    events = storm.query(
        """SELECT group_id::text, kind, note, amount_fen, contribution_id FROM fund_posting
           WHERE kind IN ('income', 'contribution')"""
    )
    assert len({one["group_id"] for one in events}) == len(events)
    income = [one for one in events if one["kind"] == "income"]
    assert len({one["note"] for one in income}) == len(income)
    storm.check("receive", {one["note"]: one["group_id"] for one in income})
    assert all(one["amount_fen"] == storm.moves[one["note"]]["amount_fen"] for one in income)

    contributed = {o["group_id"]: o["amount_fen"] for o in events if o["kind"] == "contribution"}
    answered = {one["done"]: one["amount_fen"] for one in storm.done("contribute").values()}
    assert answered.items() <= contributed.items()
    cut_short = Counter(
        one["amount_fen"]
        for one in storm.tried("contribute").values()
        if not one.keys() & {"done", "refused"}
    )
    unanswered = Counter(fen for pk, fen in contributed.items() if pk not in answered)
    assert unanswered <= cut_short
    [owed] = storm.query(
        """SELECT c.amount_fen AS owed, sum(CASE WHEN p.kind = 'contribution' THEN p.amount_fen
                  WHEN d.kind = 'held' AND r.kind = 'source' THEN -p.amount_fen ELSE 0 END) AS received
           FROM partners_contribution c JOIN fund_posting p ON p.contribution_id = c.id
           JOIN fund_account d ON d.id = p.debit_id JOIN fund_account r ON r.id = p.credit_id
           GROUP BY c.id"""
    )
    assert 0 <= owed["received"] <= owed["owed"]


def test_an_event_is_reversed_whole_or_not_at_all_and_once(storm):
    events = storm.query(
        """SELECT p.group_id, count(*) AS legs, count(r.id) AS taken_back,
                  count(DISTINCT r.group_id) AS events, min(r.note) AS note,
                  min(r.group_id::text) AS reversal,
                  bool_and(r.id IS NULL OR (r.debit_id, r.credit_id, r.amount_fen)
                                         = (p.credit_id, p.debit_id, p.amount_fen)) AS opposite
           FROM fund_posting p LEFT JOIN fund_posting r ON r.reverses_id = p.id
           WHERE p.kind <> 'reversal' GROUP BY p.group_id"""
    )
    for one in events:
        assert one["taken_back"] in (0, one["legs"]), one
        assert one["events"] == (1 if one["taken_back"] else 0), one
        assert one["opposite"], one
    storm.check("reverse", {one["note"]: one["reversal"] for one in events if one["taken_back"]})
    for marker, one in storm.done("reverse").items():
        assert marker in {event["note"] for event in events}, one


def test_every_write_has_its_row_in_the_trail_and_every_row_its_write(storm):
    events = {
        "fund.receive": "SELECT group_id FROM fund_posting WHERE kind = 'contribution'",
        "fund.income": "SELECT group_id FROM fund_posting WHERE kind = 'income'",
        "fund.reverse": "SELECT DISTINCT group_id FROM fund_posting WHERE kind = 'reversal'",
        "fund.propose": "SELECT id FROM fund_spending",
        "fund.approve": "SELECT id FROM fund_spending WHERE status <> 'proposed'",
        "fund.pay": "SELECT id FROM fund_spending WHERE status = 'paid'",
    }
    for action, statement in events.items():
        written = Counter(str(next(iter(row.values()))) for row in storm.query(statement))
        told = Counter(
            row["about"]
            for row in storm.query(
                f"""SELECT coalesce(after->>'event', object_id) AS about FROM audit_entry
                    WHERE action = '{action}'"""
            )
        )
        assert told == written, action
        assert set(written.values()) == {1}, action


def test_nothing_hangs_on_in_the_server(storm):
    left = storm.query("SELECT pid FROM pg_stat_activity WHERE usename = 'linli_app'")
    assert left == []
    assert storm.query("SELECT * FROM pg_locks WHERE locktype = 'advisory'") == []
