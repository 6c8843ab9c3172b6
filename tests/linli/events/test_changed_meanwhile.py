"""An endpoint that is paused, deleted or changed while the deliverer has claimed much for it: what has
not begun is not sent as it was."""

import hmac
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256

import pytest
from django.utils import timezone

from linli.events import actions, deliveries
from linli.events.deliverer import WINDOW
from linli.events.deliveries import Claim, standing
from linli.events.models import Delivery
from linli.events.pace import Pace
from linli.events.secrets import HEADER
from linli.events.sequencing import one_at_a_time, sequence
from linli.ids import encode
from tenants.communities.actions import add_community
from tests.support.deliverers import delivering
from tests.support.receivers import Got, Receiver, receiver

OBJECTS, EACH = 30, 3


@dataclass
class Gate:
    """A receiver that keeps its requests waiting from the twentieth on until it is opened; what
    came is noted before that."""

    open: threading.Event = field(default_factory=threading.Event)
    came: list[Got] = field(default_factory=list)

    def __call__(self, _handler: object, got: Got) -> int:
        self.came.append(got)
        if len(self.came) > 20:
            self.open.wait(60)
        return 200

    def positions(self) -> list[int]:
        return [got.event["position"] for got in self.came]


@pytest.fixture
def towns(system):
    return [
        add_community(actor=system, name=f"{number}社区", opened_on=date(2024, 1, 1))
        for number in range(OBJECTS)
    ]


@contextmanager
def full(database, gate: Gate, towns, happen) -> Iterator[None]:
    """A deliverer with as much under way as there may be, and more claimed."""
    with delivering(database, total_ms=30_000):
        for _ in range(EACH):
            for one in towns:
                happen(one)
        deadline = time.monotonic() + 60
        while len(gate.came) < 20 + WINDOW or claimed() < 2 * WINDOW:
            assert time.monotonic() < deadline, (len(gate.came), claimed())
            time.sleep(0.05)
        try:
            yield
        finally:
            gate.open.set()


def claimed() -> int:
    later = timezone.now() + timedelta(seconds=20)
    return Delivery.objects.filter(state="ready", next_at__gt=later).count()


def nothing_more(gate: Gate) -> None:
    gate.open.set()
    time.sleep(2)
    assert len(gate.came) == 20 + WINDOW


def all_in_order(gate: Gate, towns, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds  # a lease is longer
    while len(gate.came) < OBJECTS * EACH:
        assert time.monotonic() < deadline, len(gate.came)
        time.sleep(0.05)
    for one in towns:
        ours = encode("Community", one.pk)
        came = [got.event["position"] for got in gate.came if got.event["object"]["id"] == ours]
        assert came == sorted(set(came))
        assert len(came) == EACH


def marks_of(got: Got, secret: str) -> list[bool]:
    timestamp, *marks = got.headers[HEADER].split(",")
    signed = f"{timestamp.removeprefix('t=')}.".encode() + got.body
    right = "v1=" + hmac.new(secret.encode(), signed, sha256).hexdigest()
    return [mark == right for mark in marks]


@pytest.fixture
def gated() -> Iterator[tuple[Receiver, Gate]]:
    gate = Gate()
    with receiver(gate) as r:
        yield r, gate


def test_a_paused_one_is_sent_nothing_until_it_is_resumed(
    scratch_database, system, endpoint, happen, towns, gated
):
    r, gate = gated
    made, _ = endpoint(r.url)
    with full(scratch_database, gate, towns, happen):
        actions.pause_endpoint(actor=system, endpoint_id=made.pk)
        nothing_more(gate)
        assert claimed() == 0
        actions.resume_endpoint(actor=system, endpoint_id=made.pk)
        all_in_order(gate, towns)


def test_a_deleted_one_is_sent_nothing(scratch_database, system, endpoint, happen, towns, gated):
    r, gate = gated
    made, _ = endpoint(r.url)
    with full(scratch_database, gate, towns, happen):
        actions.delete_endpoint(actor=system, endpoint_id=made.pk)
        nothing_more(gate)
        happen(towns[0])
        nothing_more(gate)
    assert not Delivery.objects.exists()


def test_a_revoked_secret_signs_nothing_though_somebody_keeps_the_tenant_busy(
    scratch_database, system, endpoint, happen, towns, gated
):
    r, gate = gated
    made, old = endpoint(r.url)
    _made, new = actions.add_secret(actor=system, endpoint_id=made.pk)
    with full(scratch_database, gate, towns, happen):
        first = made.secrets[0]["id"]
        actions.revoke_secret(actor=system, endpoint_id=made.pk, secret_id=first)
        with one_at_a_time():  # nothing is claimed meanwhile
            gate.open.set()
            deadline = time.monotonic() + 20
            while len(gate.came) < 20 + 2 * WINDOW:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        all_in_order(gate, towns)
    before, after = gate.came[: 20 + WINDOW], gate.came[20 + WINDOW :]
    assert all(marks_of(got, old) == [True, False] for got in before)
    assert all(marks_of(got, new) == [True] for got in after)


def test_another_address_is_sent_to_at_once(
    scratch_database, system, endpoint, happen, towns, gated
):
    r, gate = gated
    made, _ = endpoint(r.url)
    with receiver() as other, full(scratch_database, gate, towns, happen):
        actions.update_endpoint(actor=system, endpoint_id=made.pk, url=other.url)
        with one_at_a_time():
            nothing_more(gate)
            assert other.got
        other.wait_for(OBJECTS * EACH - 20 - WINDOW, seconds=40)
    assert set(gate.positions()) & set(other.positions()) == set()


class TestStanding:
    """What of claims may still be sent."""

    @pytest.fixture
    def made(self, endpoint):
        return endpoint("http://127.0.0.1:9/")[0]

    @pytest.fixture
    def claim(self, system) -> Callable[[], list[Claim]]:
        def make() -> list[Claim]:
            found, _more = deliveries.work(system.tenant.pk, [], lambda _t: 9, Pace(), busy=False)
            return found

        return make

    @pytest.fixture
    def claims(self, system, made, community, happen, claim) -> list[Claim]:
        happen(community)
        actions.send_test(actor=system, endpoint_id=made.pk)
        sequence(system.tenant.pk)
        claims = claim()
        assert [claim.body["type"] for claim in claims] == ["community.updated", "webhook.test"]
        return claims

    def test_all_while_nothing_happens(self, claims, made):
        assert [one.url for one in standing(claims)] == [made.url] * 2

    def test_of_a_paused_one_the_tests(self, system, claims, made):
        actions.pause_endpoint(actor=system, endpoint_id=made.pk)
        assert [bool(one) for one in standing(claims)] == [False, True]

    def test_none_after_it_was_resumed_for_they_are_claimed_anew(self, system, claims, made, claim):
        actions.pause_endpoint(actor=system, endpoint_id=made.pk)
        actions.resume_endpoint(actor=system, endpoint_id=made.pk)
        assert standing(claims) == [None] * 2
        anew = standing([*claims, *claim()])
        assert [bool(one) for one in anew] == [False, False, True, True]

    def test_none_of_a_deleted_one(self, system, claims, made):
        actions.delete_endpoint(actor=system, endpoint_id=made.pk)
        assert standing(claims) == [None] * 2

    def test_none_that_is_replayed_behind_others(self, system, claims):
        actions.replay_delivery(actor=system, delivery_id=claims[0].delivery_id)
        assert [bool(one) for one in standing(claims)] == [False, True]
