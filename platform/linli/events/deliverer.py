"""The process that sequences events and delivers them: `manage.py deliver_webhooks`.

One thread speaks to the database, for all tenants in turn and in batches; threads that never touch it
speak HTTP. A receiver can only slow itself:

- each endpoint has a window of requests at once: one at first, one more with each success, one again
  after a failure;
- endpoints that have not proven themselves share half of the threads, so however many hang, the
  other half is for those that answer;
- a second request at once at one endpoint is sent only while half of the threads are free, so when
  those hang that had proven themselves, there is a thread for the first request of any other;
- an endpoint that fails repeatedly is left alone for a while (`linli.events.pace`);
- the database is never waited for on behalf of one tenant: where a request holds its lock, it is
  visited again a moment later;
- a tenant at which something fails, such as its schema, is put aside (`linli.events.aside`).

What is claimed waits here for its turn. Right before an attempt the database is asked once more whether it
may be made, where to and signed by what: so an endpoint that was paused or deleted is sent nothing, and
a secret that was revoked signs nothing.

It may be killed anywhere, and run several times at once. What it had claimed is claimed again when the
lease ends; what was committed without being sequenced is found by the sweep.
"""

import json
import os
import select
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.db import close_old_connections, connection
from django.utils import timezone
from psycopg import sql

from linli import database
from linli.due.work import due_tenants, set_due
from linli.events import deliveries
from linli.events.addresses import Network
from linli.events.aside import Aside
from linli.events.deliveries import Address, Claim, Settled, Target
from linli.events.emit import CHANNEL
from linli.events.pace import Pace
from linli.events.secrets import HEADER, opened, signature
from linli.events.sending import Failure, Line, Outcome
from linli.events.sequencing import Busy, sequence
from linli.ids import encode
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context

SLOTS = 128
WINDOW = 8  # requests at once at one endpoint, at most
AHEAD = 4  # windows claimed beforehand, so that threads need not wait for the database
TENANTS = 50  # visited at a time
REST_SECONDS = 1  # until a tenant without news is visited again
IDLE_MS = 1_000
BUSY_MS = 100  # until a tenant whose lock somebody held is visited again
SWEEP_SECONDS = 60
SWEEP_SLICE_MS = 50


@dataclass
class Lane:
    """What this process knows of one endpoint, and does there."""

    target: Target
    line: Line
    window: int = 1
    proven: bool = False
    in_flight: int = 0
    queue: deque[Claim] = field(default_factory=deque)

    @property
    def busy(self) -> int:
        return self.in_flight + len(self.queue)


class Deliverer:
    def __init__(self, networks: Sequence[Network], pace: Pace | None = None) -> None:
        self.networks, self.pace = networks, pace or Pace()
        self.lanes: dict[UUID, Lane] = {}
        self.resting: dict[UUID, int] = {}  # by tenant, milliseconds of the monotonic clock
        self.settled: dict[UUID, list[Settled]] = defaultdict(list)
        self.behind: set[UUID] = set()  # tenants to visit again in a moment
        self.aside = Aside()
        self.tenants: dict[UUID, Tenant] = {}  # those visited
        self.in_flight = 0
        self.done: SimpleQueue[Settled] = SimpleQueue()
        self.threads = ThreadPoolExecutor(SLOTS, thread_name_prefix="webhook")
        self.woken, self.waker = os.pipe()
        self.ears = database.connect("app", connection.settings_dict["NAME"])
        self.ears.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
        self.swept = self._sweep()
        self.stopping = False

    def run(self) -> None:
        """Until `stopping`; then what is under way is waited for, and settled where that can be."""
        while not self.stopping or self.in_flight or self._unsettled():
            if self.stopping:
                for lane in self.lanes.values():
                    self._release(lane)
            told = self._hear()
            close_old_connections()
            self._collect()
            self._visit(told)
            self._start()
            if not self.stopping:
                next(self.swept)
        self.threads.shutdown()

    # ── What there is to do ──────────────────────────────────────────────────────────────────────

    def _hear(self) -> set[UUID]:
        """Wait until something was sent or told; the tenants that have new events."""
        backlog = not self.done.empty()
        late = self._unsettled() or self.behind - self.aside.tenants()
        wait = 0 if backlog else BUSY_MS if late else IDLE_MS
        ready, _w, _x = select.select([self.woken, self.ears.fileno()], [], [], wait / 1000)
        if self.woken in ready:
            os.read(self.woken, 65_536)
        schemas = {notice.payload for notice in self.ears.notifies(timeout=0)}
        told = Tenant.objects.filter(schema_name__in=schemas) if schemas else Tenant.objects.none()
        return self.behind | set(told.values_list("pk", flat=True))

    def _sweep(self) -> Iterator[None]:
        """Look after every tenant once a minute, a few each time: events whose notice was lost,
        deliveries whose row in `linli.due` was, deliveries that are old."""
        while True:
            started = self._milliseconds()
            until = started + SWEEP_SLICE_MS
            for tenant in list(Tenant.objects.order_by("pk")):
                if tenant.is_served and tenant.pk not in self.aside:
                    with suppress(Busy), self.aside.what_fails(tenant):  # then next time
                        self._look_after(tenant)
                if self._milliseconds() > until:
                    yield
                    until = self._milliseconds() + SWEEP_SLICE_MS
            yield
            while self._milliseconds() < started + SWEEP_SECONDS * 1000:
                yield

    @staticmethod
    def _look_after(tenant: Tenant) -> None:
        with tenant_context(tenant):
            sequence(tenant.pk, wait=False)
            deliveries.forget_old()
            deliveries.check_due(tenant.pk)

    def _collect(self) -> None:
        """What the threads have done since."""
        while True:
            try:
                one = self.done.get_nowait()
            except Empty:
                return
            lane = self.lanes[one.claim.endpoint_id]
            lane.in_flight -= 1
            self.in_flight -= 1
            self.settled[one.claim.tenant_id].append(one)
            if one.outcome:
                lane.proven = one.outcome.failure is None
                lane.window = min(lane.window + 1, WINDOW) if lane.proven else 1
                if not lane.proven:
                    self._release(lane)

    def _release(self, lane: Lane) -> None:
        """Give back what was claimed beforehand."""
        while lane.queue:
            released = Settled(lane.queue.popleft(), None, timezone.now())
            self.settled[lane.target.tenant_id].append(released)

    def _visit(self, told: set[UUID]) -> None:
        """Settle and claim in the tenants that have news, or something due."""
        now, aside = self._milliseconds(), self.aside.tenants()
        news = (told | self.settled.keys()) - aside
        # Those that were just visited rest, so that however many are busy, others have their turn.
        resting = {pk for pk, until in self.resting.items() if until > now}
        due = [] if self.stopping else due_tenants(TENANTS, but=resting | aside)
        self.behind = told & aside
        for tenant in Tenant.objects.filter(pk__in=[*news, *due]):
            self.resting[tenant.pk] = now + REST_SECONDS * 1000
            self.tenants[tenant.pk] = tenant
            try:
                with self.aside.what_fails(tenant):
                    self._visit_one(tenant, told)
                    self.aside.is_well(tenant.pk)
            except Busy:
                self.behind.add(tenant.pk)
            if tenant.pk in self.aside:
                self._put_aside(tenant.pk)
        self._forget()

    def _put_aside(self, tenant_id: UUID) -> None:
        """Give back what is claimed there, once that is possible again."""
        self.behind.add(tenant_id)
        for lane in self.lanes.values():
            if lane.target.tenant_id == tenant_id:
                self._release(lane)

    def _visit_one(self, tenant: Tenant, told: set[UUID]) -> None:
        """Raises `Busy`; what was to be settled is settled the next time then."""
        if tenant.is_served:
            with tenant_context(tenant):
                if tenant.pk in told:
                    sequence(tenant.pk, wait=False)
                self._work(tenant.pk, self.settled.get(tenant.pk, []))
        else:
            set_due(tenant.pk, None)
        self.settled.pop(tenant.pk, None)

    def _work(self, tenant_id: UUID, settled: list[Settled]) -> None:
        here = (lane for lane in self.lanes.values() if lane.target.tenant_id == tenant_id)
        busy = any(lane.busy for lane in here)
        claims, replaying = deliveries.work(tenant_id, settled, self._room, self.pace, busy=busy)
        if replaying:
            self.behind.add(tenant_id)
        for claim in claims:
            self.lanes[claim.endpoint_id].queue.append(claim)

    def _room(self, target: Target) -> int:
        """How many more to claim for an endpoint; its lane is made here."""
        lane = self.lanes.get(target.id)
        if lane is None:
            lane = self.lanes[target.id] = Lane(target, self._line(target.address))
        self._aim(lane, target.address)
        lane.target = target
        lane.proven = lane.proven and not target.suspect
        if self.stopping:
            return 0
        return lane.window * (AHEAD if lane.proven else 1) - lane.busy

    def _aim(self, lane: Lane, address: Address) -> None:
        if lane.target.address.url != address.url:
            lane.line = self._line(address)
        lane.target = replace(lane.target, address=address)

    def _line(self, address: Address) -> Line:
        return Line(
            address.url,
            self.networks,
            most=WINDOW,
            connect_ms=self.pace.connect_ms,
            total_ms=self.pace.total_ms,
        )

    # ── Sending ──────────────────────────────────────────────────────────────────────────────────

    def _start(self) -> None:
        """Begin what windows and slots allow and what still may be sent."""
        while taken := self._taken():
            for tenant_id, claims in taken.items():
                self._begin(tenant_id, claims)

    def _taken(self) -> dict[UUID, list[Claim]]:
        """The next claims of the lanes, endpoint by endpoint in turn, which count as under way from
        here on; by tenant."""
        taken: dict[UUID, list[Claim]] = defaultdict(list)
        suspects = sum(lane.in_flight for lane in self.lanes.values() if not lane.proven)
        waiting = deque(lane for lane in self.lanes.values() if lane.queue)
        while waiting and self.in_flight < SLOTS:
            lane = waiting.popleft()
            if lane.in_flight >= lane.window or (not lane.proven and suspects >= SLOTS // 2):
                continue
            if lane.in_flight and self.in_flight >= SLOTS // 2:
                continue
            suspects += not lane.proven
            lane.in_flight += 1
            self.in_flight += 1
            taken[lane.target.tenant_id].append(lane.queue.popleft())
            if lane.queue:
                waiting.append(lane)
        return taken

    def _begin(self, tenant_id: UUID, claims: Sequence[Claim]) -> None:
        """Hand to the threads what may still be sent, and give back the rest: what waits for its
        endpoint to be resumed waits on, what was deleted or claimed anew is none of ours."""
        addresses: list[Address | None] = [None] * len(claims)
        tenant = self.tenants[tenant_id]
        with self.aside.what_fails(tenant), tenant_context(tenant):
            addresses = deliveries.standing(claims)
        for claim, address in zip(claims, addresses, strict=True):
            lane = self.lanes[claim.endpoint_id]
            if address:
                self._aim(lane, address)
                self.threads.submit(self._send, lane.line, address, claim)
            else:
                lane.in_flight -= 1
                self.in_flight -= 1
                self.settled[tenant_id].append(Settled(claim, None, timezone.now()))
        if tenant_id in self.aside:
            self._put_aside(tenant_id)

    def _send(self, line: Line, address: Address, claim: Claim) -> None:
        """In a thread. Whatever happens, the main one hears of it."""
        outcome = None
        try:
            outcome = self._attempt(line, address, claim)
        finally:
            self.done.put(Settled(claim, outcome, timezone.now()))
            os.write(self.waker, b"1")

    def _attempt(self, line: Line, address: Address, claim: Claim) -> Outcome | None:
        left = claim.leased_until - timezone.now()
        if left.total_seconds() * 1000 < self.pace.total_ms:
            return None  # another may claim it before we are done
        body = json.dumps(claim.body, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            live = [opened(sealed) for sealed in address.sealed]
        except InvalidToken:
            return Outcome(None, Failure.SECRET, 0)
        return line.send(
            body,
            {
                "Content-Type": "application/json",
                "User-Agent": "Linli-Webhooks/1",
                "Linli-Event": claim.body["type"],
                "Linli-Delivery": encode("WebhookDelivery", claim.delivery_id),
                HEADER: signature(live, int(time.time()), body),
            },
        )

    # ── What is remembered ───────────────────────────────────────────────────────────────────────

    def _unsettled(self) -> set[UUID]:
        """The tenants where something is to be settled and can be."""
        return self.settled.keys() - self.aside.tenants()

    def _forget(self) -> None:
        """Lanes with nothing to do, once there are many: they are made again when needed."""
        if len(self.lanes) > 4 * SLOTS:
            for pk, lane in list(self.lanes.items()):
                if not lane.busy:
                    lane.line.close()
                    del self.lanes[pk]

    @staticmethod
    def _milliseconds() -> int:
        return time.monotonic_ns() // 1_000_000
