"""Points a minute: never more than the limit, whoever asks at once, and nearly all of it."""

import json
import subprocess
import sys
import time
from collections import Counter
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from linli.budget import lease as leases
from linli.budget.actions import agree_points
from linli.budget.callers import of_address
from linli.budget.jobs import KEPT_MINUTES, sweep
from linli.budget.lease import BLOCKS, SECONDS, RateLimited, forget, spend, used_up
from linli.budget.models import Account
from tests.support.databases import ROOT
from tests.support.minutes import wait_for_seconds

PROCESSES, THREADS, HAMMERED = 6, 3, 6
LIMIT = 20_000


@pytest.fixture(autouse=True)
def _nothing_leased():
    forget()
    yield
    forget()


@pytest.fixture
def minute(db):
    wait_for_seconds(10)


def test_many_processes_never_get_more_than_the_limit(scratch_database):
    caller = uuid4()
    command = [sys.executable, "tests/linli/budget/hammer.py"]
    arguments = [str(caller), str(LIMIT), str(THREADS)]
    running = [
        subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT, env=scratch_database.environment(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(PROCESSES)
    ]  # fmt: skip
    assert [process.stdout.readline() for process in running] == ["ready\n"] * PROCESSES
    until = int(time.time()) + HAMMERED
    for process in running:
        process.stdin.write(f"{until}\n")
        process.stdin.flush()
    told = [json.loads(process.communicate(timeout=120)[0]) for process in running]

    granted = sum((Counter(one) for one in told), Counter())
    assert sum(1 for one in told if one) > 1  # they did compete
    assert max(granted.values()) <= LIMIT
    # They ask for 1 point too, so what is left at the end lies in leases: a small block each.
    assert max(granted.values()) >= LIMIT * 9 // 10


def test_one_process_can_use_nearly_all_of_it(minute):
    caller, used = uuid4(), 0
    with pytest.raises(RateLimited) as refused:
        while True:
            spend(caller, 61, limit=LIMIT)
            used += 61
    assert LIMIT - 61 < used <= LIMIT
    assert refused.value.code == "RATE_LIMITED"
    # What is left is for smaller requests; then there is nothing, and no one is asked any more.
    assert refused.value.lease.remaining == LIMIT - used
    spend(caller, LIMIT - used, limit=LIMIT)
    assert used_up(caller).seconds_left <= SECONDS


def test_a_read_does_not_become_a_write(minute):
    caller = uuid4()
    with CaptureQueriesContext(connection) as captured:
        for _ in range(LIMIT):
            spend(caller, 1, limit=LIMIT)
    # A fiftieth of what is left at a time: logarithmic, then the last points one by one.
    assert len(captured) < BLOCKS * 8
    with CaptureQueriesContext(connection) as captured:
        first = uuid4()
        for _ in range(LIMIT // BLOCKS):
            spend(first, 1, limit=LIMIT)
    assert len([q for q in captured if "UPDATE" in q["sql"]]) == 2  # the first found no row


def test_blocks_shrink_and_both_processes_spend_what_they_were_granted(minute):
    caller = uuid4()
    blocks = []
    for _ in range(5):
        forget()  # as another process
        spend(caller, 1, limit=LIMIT)
        blocks.append(leases._leases[caller].left + 1)
    assert blocks == sorted(blocks, reverse=True)
    assert blocks[0] == LIMIT // BLOCKS
    assert Account.objects.get(pk=caller).granted_points == sum(blocks)


def test_what_was_granted_lapses_with_its_minute(minute):
    caller = uuid4()
    spend(caller, LIMIT, limit=LIMIT)
    assert used_up(caller)
    # The minute of what was granted is over, as the database sees it and as this process does.
    Account.objects.filter(pk=caller).update(minute=F("minute") - 1)
    own = leases._leases[caller]
    own.minute, own.ends_at = own.minute - 1, leases._now()
    assert used_up(caller) is None
    assert spend(caller, 1, limit=LIMIT).remaining == LIMIT - 1


def test_a_minute_never_goes_back(minute):
    caller = uuid4()
    spend(caller, 1, limit=LIMIT)
    later = Account.objects.get(pk=caller).minute + 1
    Account.objects.filter(pk=caller).update(minute=later, granted_points=LIMIT)
    forget()
    with pytest.raises(RateLimited):
        spend(caller, 1, limit=LIMIT)
    assert Account.objects.get(pk=caller).minute == later


def test_it_remembers_so_many_callers_and_no_more(minute, monkeypatch):
    """All of them with a lease that is not over; what is forgotten is granted anew, not twice."""
    monkeypatch.setattr(leases, "REMEMBERED", 20)
    callers = [uuid4() for _ in range(50)]
    for number, caller in enumerate(callers, 1):
        spend(caller, 1, limit=LIMIT)
        assert set(leases._leases) == set(callers[max(0, number - 20) : number])
    with pytest.raises(RateLimited):
        spend(callers[0], LIMIT, limit=LIMIT)
    assert Account.objects.get(pk=callers[0]).granted_points == LIMIT // BLOCKS
    spend(callers[0], LIMIT - LIMIT // BLOCKS, limit=LIMIT)
    assert used_up(callers[0])


def test_who_begins_a_new_minute_is_not_the_first_to_be_forgotten(minute, monkeypatch):
    monkeypatch.setattr(leases, "REMEMBERED", 2)
    one, other = uuid4(), uuid4()
    for caller in (one, other):
        spend(caller, 1, limit=LIMIT)
    own = leases._leases[one]
    own.minute, own.ends_at = own.minute - 1, leases._now()
    spend(one, 1, limit=LIMIT)
    spend(uuid4(), 1, limit=LIMIT)
    assert one in leases._leases
    assert other not in leases._leases


def test_who_has_too_little_left_is_refused_without_a_statement(minute):
    caller = uuid4()
    spend(caller, LIMIT - 5, limit=LIMIT)
    with CaptureQueriesContext(connection) as captured:
        for _ in range(3):
            with pytest.raises(RateLimited) as refused:
                spend(caller, 6, limit=LIMIT)
            assert refused.value.lease.remaining == 5
    assert not captured.captured_queries
    spend(caller, 5, limit=LIMIT)


def test_so_it_is_once_less_was_agreed_within_the_minute(minute):
    caller = uuid4()
    block = spend(caller, 1, limit=LIMIT).left + 1
    agree_points(caller, 100)
    with pytest.raises(RateLimited) as refused:
        spend(caller, block, limit=LIMIT)
    assert refused.value.lease.limit == 100
    with CaptureQueriesContext(connection) as captured, pytest.raises(RateLimited):
        spend(caller, block, limit=LIMIT)
    assert not captured.captured_queries


def test_what_was_agreed_counts(minute):
    caller = uuid4()
    agree_points(caller, 100)
    spend(caller, 100, limit=LIMIT)
    with pytest.raises(RateLimited):
        spend(caller, 1, limit=LIMIT)
    agree_points(caller, None)
    forget()
    assert spend(caller, 1, limit=LIMIT).limit == LIMIT


def test_nobody_is_waved_through_when_the_statement_fails(db):
    caller = uuid4()
    with connection.execute_wrapper(_broken), pytest.raises(DatabaseError), transaction.atomic():
        spend(caller, 1, limit=LIMIT)
    assert not Account.objects.filter(pk=caller).exists()


def _broken(execute, sql, params, many, context):
    return execute(sql.replace("budget_account", "budget_gone"), params, many, context)


def test_addresses_are_kept_as_hashes_of_one_subscriber():
    assert of_address("203.0.113.7") != of_address("203.0.113.8")
    assert of_address("2001:db8::1") == of_address("2001:db8::ffff")
    assert of_address("2001:db8::1") != of_address("2001:db8:0:1::1")
    assert of_address("") == of_address("")


def test_old_minutes_are_swept_but_not_what_was_agreed(db):
    now = int(time.time())
    old, fresh, agreed = uuid4(), uuid4(), uuid4()
    agree_points(agreed, 5)
    for caller, minute in ((old, now // SECONDS - KEPT_MINUTES - 1), (fresh, now // SECONDS)):
        Account.objects.create(pk=caller, minute=minute)
    sweep(now)
    assert set(Account.objects.values_list("pk", flat=True)) == {fresh, agreed}
