"""10^5 events, and receivers that answer, fail, hang and die; the deliverers are killed as well.

Every event reaches its receiver, those of an object in their order, and a good receiver hardly
notices the bad ones: its delays with and without them are measured in the same run.
"""

import json
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from linli.accounts.policy import system_actor
from linli.events import actions
from linli.events.emit import emit
from linli.events.models import Delivery, Event
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.communities.models import Community
from tests.support.databases import ROOT, Database
from tests.support.deliverers import delivering, start

pytestmark = pytest.mark.prove

# Tenant and kind of receiver → how many events; one of each tenant's types goes to each.
EVENTS = {
    ("chezhan", "good", "community.updated"): 40_000,
    ("chezhan", "hanging", "fact.stated"): 10_000,
    ("wenshao", "failing", "community.updated"): 20_000,
    ("zibo", "hanging", "community.updated"): 10_000,
    ("datong", "dying", "community.updated"): 20_000,
}
KILL_SECONDS = 20
OBJECTS = 500  # of each tenant
PACE = {"first_ms": 100, "hold_ms": 50, "longest_hold_ms": 200, "connect_ms": 500}
PACE |= {"total_ms": 1_000, "lease_ms": 5_000, "sweep_seconds": 5}
DATA = {
    "community.updated": {"changed": ["residents"]},
    "fact.stated": {"community": None, "key": "markets", "corrected": False},
}
# What is promised of a good receiver's median delay.
MULTIPLE = 3


@dataclass
class Process:
    """A receiver of tests.prove.receiving."""

    kind: str
    port: int
    log: Path

    def start(self) -> None:
        kind = "good" if self.kind == "dying" else self.kind
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.prove.receiving", kind, str(self.port), str(self.log)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "receiving\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def receiving(kind: str, folder: Path) -> Iterator[Process]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    one = Process(kind, port, folder / f"{kind}-{port}.jsonl")
    one.start()
    try:
        yield one
    finally:
        one.kill()


@pytest.fixture(autouse=True)
def _loopback(settings) -> None:
    settings.LINLI_WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]


def _tenant(slug: str) -> Tenant:
    return Tenant.objects.select_related("parent__parent").get(slug=slug)


def _objects(count: int) -> list[Community]:
    return Community.objects.bulk_create(
        [Community(name=f"{n}社区", opened_on=date(2024, 1, 1)) for n in range(count)]
    )


def _tell(tenant: Tenant, objects: list[Community], type: str, count: int) -> None:
    with transaction.atomic():
        for _ in range(count):
            obj = random.choice(objects)
            emit(actor=system_actor(tenant), type=type, obj=obj, data=DATA[type])


def test_every_event_reaches_its_receiver_in_order(
    scratch_database: Database, tmp_path: Path
) -> None:
    receivers: dict[tuple[str, str, str], Process] = {}
    with ExitStack() as stack:
        for slug, kind, type in EVENTS:
            one = stack.enter_context(receiving(kind, tmp_path))
            receivers[slug, kind, type] = one
            tenant = _tenant(slug)
            with tenant_context(tenant):
                url = f"http://127.0.0.1:{one.port}/hook"
                actions.create_endpoint(actor=system_actor(tenant), url=url, types=[type])
        _storm(scratch_database, [r for r in receivers.values() if r.kind == "dying"])

    for (slug, _kind, type), one in receivers.items():
        with tenant_context(_tenant(slug)):
            told = set(Event.objects.filter(type=type).values_list("position", flat=True))
            assert len(told) == EVENTS[slug, _kind, type]
            assert not Delivery.objects.exclude(state=Delivery.State.DELIVERED).exists()
        lines = one.lines()
        assert {line["position"] for line in lines if line["ok"]} == told, one
        _in_order(lines)


def _in_order(lines: list[dict[str, Any]]) -> None:
    """Of each object: none comes before the one before it has been taken; one that was taken may
    come again, where its sender was killed before it kept that."""
    positions: dict[str, list[int]] = defaultdict(list)
    for object_id, position in sorted({(line["object"], line["position"]) for line in lines}):
        positions[object_id].append(position)
    taken: dict[str, int] = defaultdict(int)
    for line in lines:
        in_turn = positions[line["object"]]
        assert line["position"] in in_turn[: taken[line["object"]] + 1], line
        if line["ok"]:
            taken[line["object"]] = max(taken[line["object"]], in_turn.index(line["position"]) + 1)


def _storm(database: Database, dying: list[Process]) -> None:
    """Tell everything while deliverers and receivers are killed; then wait until all is told."""
    objects = {}
    for slug in {slug for slug, _kind, _type in EVENTS}:
        with tenant_context(_tenant(slug)):
            objects[slug] = _objects(OBJECTS)
    left = dict(EVENTS)
    deliverers = [start(database, **PACE) for _ in range(2)]
    kills, next_kill, deadline = 0, time.monotonic() + KILL_SECONDS, time.monotonic() + 3_600
    try:
        while left or _open():
            assert time.monotonic() < deadline, {slug: _state(slug) for slug in objects}
            for key in list(left):
                slug, _kind, type = key
                with tenant_context(_tenant(slug)):
                    _tell(_tenant(slug), objects[slug], type, 500)
                left[key] -= 500
                if not left[key]:
                    del left[key]
            if time.monotonic() > next_kill:
                kills += 1
                deliverers[kills % 2].kill()
                deliverers[kills % 2].wait()
                deliverers[kills % 2] = start(database, **PACE)
                for one in dying:
                    one.kill()
                    time.sleep(0.5)
                    one.start()
                next_kill = time.monotonic() + KILL_SECONDS
            if not left:
                time.sleep(0.5)
    finally:
        for one in deliverers:
            one.send_signal(signal.SIGTERM)
        assert [one.wait(30) for one in deliverers] == [0, 0]
    assert kills >= 5


def _open() -> bool:
    return any(_state(slug) for slug in {slug for slug, _kind, _type in EVENTS})


def _state(slug: str) -> int:
    with tenant_context(_tenant(slug)):
        unsequenced = Event.objects.filter(position=0).count()
        return unsequenced + Delivery.objects.filter(state__in=["ready", "waiting"]).count()


def test_bad_neighbours_hardly_slow_a_good_receiver(
    scratch_database: Database, tmp_path: Path
) -> None:
    """Windows with and without events for 40 endpoints that hang or are not there, in turns."""
    good_tenant, bad_tenants = _tenant("chezhan"), [_tenant(s) for s in ("chezhan", "datong")]
    with ExitStack() as stack:
        good = stack.enter_context(receiving("good", tmp_path))
        with tenant_context(good_tenant):
            url = f"http://127.0.0.1:{good.port}/hook"
            actions.create_endpoint(
                actor=system_actor(good_tenant), url=url, types=["community.updated"]
            )
        for tenant in bad_tenants:
            with tenant_context(tenant):
                for number in range(19):
                    # A port that takes connections and never answers, or one that is closed.
                    hole = stack.enter_context(socket.socket())
                    hole.bind(("127.0.0.1", 0))
                    if number % 4:
                        hole.listen(1_000)
                    url = f"http://127.0.0.1:{hole.getsockname()[1]}/hook"
                    actions.create_endpoint(
                        actor=system_actor(tenant), url=url, types=["fact.stated"]
                    )
        stack.enter_context(delivering(scratch_database, total_ms=15_000, first_ms=1_000))
        windows = [_window(good_tenant, bad_tenants if turn % 2 else []) for turn in range(8)]
        deadline = time.monotonic() + 60
        while len(good.lines()) < sum(map(len, windows)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    came = {line["position"]: line["at"] for line in good.lines()}
    with tenant_context(good_tenant):
        told = {e.pk: (e.position, e.at.timestamp()) for e in Event.objects.all()}
        failed = Delivery.objects.exclude(log=[]).filter(state="ready").count()
    assert failed >= 10
    delays = [
        statistics.median(came[told[pk][0]] - told[pk][1] for pk in window) for window in windows
    ]
    alone, beside = statistics.median(delays[::2]), statistics.median(delays[1::2])
    sys.stdout.write(
        f"median delay {alone * 1000:.1f} ms alone, {beside * 1000:.1f} ms beside bad ones\n"
    )
    assert beside <= MULTIPLE * alone, (alone, beside)


def _window(good: Tenant, bad: list[Tenant]) -> list[Any]:
    """About four seconds of events for the good one, and as many for each bad tenant."""
    ids = []
    for _ in range(100):
        with tenant_context(good):
            with transaction.atomic():
                told = emit(
                    actor=None,
                    type="community.updated",
                    obj=Community(),
                    data=DATA["community.updated"],
                )
            ids.append(told.pk)
        for tenant in bad:
            with tenant_context(tenant):
                _tell(tenant, [Community()], "fact.stated", 1)
        time.sleep(random.uniform(0.03, 0.05))
    return ids
