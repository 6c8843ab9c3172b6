"""The database's side of delivering: what is due is claimed, what came of it is settled.

Both in one short transaction a tenant, under the lock that sequencing takes too: so the next event of
an object becomes ready exactly when the one before is settled, and `linli.due` is never behind.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from linli.audit.record import record, snapshot
from linli.due.work import set_due
from linli.events import jobs, replays
from linli.events.body import body_of
from linli.events.emit import emit
from linli.events.models import Delivery, Event, WebhookEndpoint
from linli.events.pace import Pace
from linli.events.sending import Outcome
from linli.events.sequencing import one_at_a_time
from linli.events.types import PAUSED, TEST
from linli.jobs import defer_for
from linli.rules import save_changes

KEPT = timedelta(days=30)
LOG_ENTRIES = 50

State = Delivery.State


@dataclass(frozen=True)
class Claim:
    """One delivery to be made now, by whoever claimed it. ``leased_until`` names the claim."""

    tenant_id: UUID
    endpoint_id: UUID
    delivery_id: UUID
    attempts: int
    leased_until: datetime
    body: dict[str, Any]


@dataclass(frozen=True)
class Settled:
    """What came of a claim, and when. outcome: None where nothing was sent after all."""

    claim: Claim
    outcome: Outcome | None
    at: datetime


@dataclass(frozen=True)
class Address:
    """Where to an attempt goes, and the sealed secrets that sign it."""

    url: str
    sealed: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """An endpoint that may be sent to now. suspect: it has failed, and is asked carefully. up_to: the
    last position that may be sent, while more is replayed. paused: it is sent tests only."""

    id: UUID
    tenant_id: UUID
    address: Address
    suspect: bool
    up_to: int | None = None
    paused: bool = False


Room = Callable[[Target], int]


def work(
    tenant_id: UUID, settled: Sequence[Settled], room: Room, pace: Pace, *, busy: bool
) -> tuple[list[Claim], bool]:
    """Settle what was sent, then claim as much as there is room for at each endpoint; and whether
    a replay is under way here, which is to go on soon.

    ``busy``: the caller has more under way here and comes back, so that nothing public is written.
    Raises `Busy` rather than wait for somebody, and nothing is settled then.
    """
    with one_at_a_time(wait=False):
        with connection.cursor() as cursor:
            # What a crash of the server loses here is sent again, in the same order.
            cursor.execute("SET LOCAL synchronous_commit TO off")
        if settled:
            _settle(settled, pace)
        replaying = replays.go_on()
        claims = _claim(tenant_id, list(_targets(tenant_id, room)), pace)
        if not claims and not busy:
            refresh_due(tenant_id)
    return claims, replaying


def standing(claims: Sequence[Claim]) -> list[Address | None]:
    """Where to each of these claims of the tenant of the moment may be sent; None where it may not.

    For who is about to send: since the claim an endpoint may have been paused, changed or deleted.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _STANDING,
            {
                "ids": [claim.delivery_id for claim in claims],
                "leases": [claim.leased_until for claim in claims],
                "test": TEST,
            },
        )
        found = {place: _address(url, json.loads(kept)) for place, url, kept in cursor.fetchall()}
    return [found.get(place) for place in range(1, len(claims) + 1)]


def refresh_due(tenant_id: UUID) -> None:
    """Say from when on there is something to deliver. Inside `one_at_a_time`."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_DUE, [TEST])
        set_due(tenant_id, cursor.fetchone()[0])


def check_due(tenant_id: UUID) -> None:
    """The same as a thing of its own, in case a row of `linli.due` was lost. Raises `Busy`."""
    with one_at_a_time(wait=False):
        refresh_due(tenant_id)


def begin_anew(endpoint: WebhookEndpoint) -> None:
    """What had failed before need not wait out its time, and may fail as often again. Inside
    `one_at_a_time`."""
    begun = Delivery.objects.filter(endpoint=endpoint, state=State.READY)
    begun.update(next_at=timezone.now(), attempts=0)


def forget_old() -> None:
    """Deliveries are kept for 30 days; their ids tell their age. Raises `Busy`."""
    milliseconds = int((timezone.now() - KEPT).timestamp() * 1000)
    old = Delivery.objects.filter(pk__lt=UUID(int=milliseconds << 80))
    if old.exists():
        with one_at_a_time(wait=False):
            old.delete()
            for endpoint_id in WebhookEndpoint.objects.values_list("pk", flat=True):
                replays.make_ready(endpoint_id)


# ── Claiming ─────────────────────────────────────────────────────────────────────────────────────

# Of a ``target`` and a ``delivery``, for the claim and again before it is sent.
_MAY_BE_SENT = """
    CASE
        WHEN target.paused THEN delivery.object_id = target.id AND delivery.attempts = 0 AND EXISTS (
            SELECT FROM events_event AS event
            WHERE event.id = delivery.event_id AND event.type = %(test)s
        )
        ELSE target.up_to IS NULL OR delivery.position <= target.up_to
            OR delivery.object_id = target.id
    END
"""

_CLAIM = f"""
    WITH due AS (
        SELECT due.id
        FROM unnest(%(endpoints)s::uuid[], %(room)s::int[], %(up_to)s::bigint[], %(paused)s::bool[])
            AS target (id, room, up_to, paused)
        CROSS JOIN LATERAL (
            SELECT id FROM events_delivery AS delivery
            WHERE endpoint_id = target.id AND state = 'ready' AND next_at <= clock_timestamp()
            AND {_MAY_BE_SENT}
            ORDER BY next_at LIMIT target.room FOR UPDATE SKIP LOCKED
        ) AS due
    )
    UPDATE events_delivery AS delivery SET next_at = %(until)s
    FROM due WHERE delivery.id = due.id
    RETURNING delivery.id, delivery.endpoint_id, delivery.attempts, delivery.event_id
"""

# A claim stands while its delivery is there and the lease is its own: neither a deletion, a resumption
# nor a replay has taken it away.
_STANDING = f"""
    SELECT claim.place, target.url, target.secrets
    FROM unnest(%(ids)s::uuid[], %(leases)s::timestamptz[]) WITH ORDINALITY
        AS claim (id, leased_until, place)
    JOIN events_delivery AS delivery ON delivery.id = claim.id
        AND delivery.state = 'ready' AND delivery.next_at = claim.leased_until
    JOIN (
        SELECT id, url, secrets, state <> 'enabled' AS paused, replay_position AS up_to
        FROM events_webhookendpoint WHERE deleted_at IS NULL
    ) AS target ON target.id = delivery.endpoint_id
    WHERE {_MAY_BE_SENT}
"""

_NEXT_DUE = """
    SELECT min(next_at) FROM (
        SELECT greatest(endpoint.hold_until, first.next_at) AS next_at
        FROM events_webhookendpoint AS endpoint CROSS JOIN LATERAL (
            SELECT next_at FROM events_delivery
            WHERE endpoint_id = endpoint.id AND state = 'ready' ORDER BY next_at LIMIT 1
        ) AS first
        WHERE endpoint.state = 'enabled'
        UNION ALL
        SELECT clock_timestamp() FROM events_webhookendpoint WHERE replay_since IS NOT NULL
        UNION ALL
        SELECT delivery.next_at FROM events_webhookendpoint AS endpoint
        JOIN events_delivery AS delivery
        ON delivery.endpoint_id = endpoint.id AND delivery.object_id = endpoint.id
        JOIN events_event AS event ON event.id = delivery.event_id
        WHERE endpoint.state <> 'enabled' AND delivery.state = 'ready' AND delivery.attempts = 0
        AND event.type = %s
    ) AS due
"""


def _targets(tenant_id: UUID, room: Room) -> Iterator[tuple[Target, int]]:
    now = timezone.now()
    enabled = Q(state=WebhookEndpoint.State.ENABLED)
    tests = Delivery.objects.filter(
        endpoint=OuterRef("pk"), object_id=OuterRef("pk"), state=State.READY, attempts=0
    )
    open_now = WebhookEndpoint.objects.filter(
        enabled & (Q(hold_until=None) | Q(hold_until__lte=now))
        | ~enabled & Q(Exists(tests.filter(event__type=TEST)))
    )
    for endpoint in open_now:
        target = Target(
            endpoint.pk,
            tenant_id,
            _address(endpoint.url, endpoint.secrets),
            suspect=endpoint.failures > 0,
            up_to=endpoint.replay_position,
            paused=endpoint.state != WebhookEndpoint.State.ENABLED,
        )
        if (places := room(target)) > 0:
            yield target, places


def _address(url: str, secrets: Sequence[Mapping[str, Any]]) -> Address:
    return Address(url, tuple(secret["sealed"] for secret in secrets))


def _claim(tenant_id: UUID, targets: list[tuple[Target, int]], pace: Pace) -> list[Claim]:
    if not targets:
        return []
    until = timezone.now() + timedelta(milliseconds=pace.lease_ms)
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "endpoints": [target.id for target, _places in targets],
                "room": [places for _target, places in targets],
                "up_to": [target.up_to for target, _places in targets],
                "paused": [target.paused for target, _places in targets],
                "test": TEST,
                "until": until,
            },
        )
        rows = cursor.fetchall()
    events = Event.objects.in_bulk({row[3] for row in rows}) if rows else {}
    claims = [
        Claim(tenant_id, endpoint, pk, attempts, until, body_of(events[event], tenant_id))
        for pk, endpoint, attempts, event in rows
    ]
    return sorted(claims, key=lambda claim: claim.body["position"])


# ── Settling ─────────────────────────────────────────────────────────────────────────────────────

# A failure only counts while the claim is the sender's own; a success counts whoever else sends.
_SETTLE = """
    UPDATE events_delivery AS delivery
    SET state = done.state, next_at = coalesce(done.next_at, delivery.next_at),
        attempts = delivery.attempts + (done.entry IS NOT NULL)::int,
        log = CASE WHEN done.entry IS NULL THEN delivery.log
            WHEN jsonb_array_length(delivery.log) < %(most)s THEN delivery.log || done.entry
            ELSE (delivery.log - 0) || done.entry END
    FROM unnest(%(ids)s::uuid[], %(states)s::text[], %(next)s::timestamptz[],
                %(leases)s::timestamptz[], %(entries)s::jsonb[])
        AS done (id, state, next_at, lease, entry)
    WHERE delivery.id = done.id AND delivery.state = 'ready'
    AND (done.state = 'delivered' OR delivery.next_at = done.lease)
"""

# A ready delivery is always the first of its object's open ones.
_NEXT_OF_OBJECTS = """
    UPDATE events_delivery SET state = 'ready', next_at = clock_timestamp()
    WHERE state = 'waiting' AND id IN (
        SELECT first.id FROM (
            SELECT DISTINCT endpoint_id, object_id FROM events_delivery WHERE id = ANY(%s)
        ) AS ended CROSS JOIN LATERAL (
            SELECT id FROM events_delivery
            WHERE endpoint_id = ended.endpoint_id AND object_id = ended.object_id
            AND state IN ('ready', 'waiting') ORDER BY position LIMIT 1
        ) AS first
    )
"""


def _settle(settled: Sequence[Settled], pace: Pace) -> None:
    rows = [_row(one, pace) for one in settled]
    ids, states, next_at, leases, entries = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE,
            {
                "ids": ids,
                "states": states,
                "next": next_at,
                "leases": leases,
                "entries": [json.dumps(entry) if entry else None for entry in entries],
                "most": LOG_ENTRIES,
            },
        )
        ended = [pk for pk, state in zip(ids, states, strict=True) if state != State.READY]
        if ended:
            cursor.execute(_NEXT_OF_OBJECTS, [ended])
    by_endpoint: dict[UUID, list[Settled]] = defaultdict(list)
    for one in settled:
        if one.outcome:
            by_endpoint[one.claim.endpoint_id].append(one)
    _judge(by_endpoint, pace)


def _row(settled: Settled, pace: Pace) -> tuple[Any, ...]:
    claim, outcome, at = settled.claim, settled.outcome, settled.at
    if outcome is None:
        return claim.delivery_id, State.READY, at, claim.leased_until, None
    entry = {
        "at": at.isoformat(),
        "status": outcome.status,
        "milliseconds": outcome.milliseconds,
        "failure": outcome.failure,
    }
    if outcome.failure is None:
        return claim.delivery_id, State.DELIVERED, None, claim.leased_until, entry
    wait = pace.retry_in(outcome, claim.attempts + 1)
    state = State.GIVEN_UP if wait is None else State.READY
    return claim.delivery_id, state, at + wait if wait else None, claim.leased_until, entry


def _judge(by_endpoint: Mapping[UUID, Sequence[Settled]], pace: Pace) -> None:
    """How the endpoints fare; one that has failed for days is paused, with notice."""
    for endpoint in WebhookEndpoint.objects.filter(pk__in=by_endpoint):
        was = (endpoint.failures, endpoint.failing_since, endpoint.hold_until)
        for one in sorted(by_endpoint[endpoint.pk], key=lambda one: one.at):
            assert one.outcome
            if one.outcome.failure is None:
                endpoint.failures, endpoint.failing_since, endpoint.hold_until = 0, None, None
            else:
                endpoint.failures += 1
                endpoint.failing_since = endpoint.failing_since or one.at
                endpoint.hold_until = one.at + pace.hold(one.outcome, endpoint.failures)
        if was != (endpoint.failures, endpoint.failing_since, endpoint.hold_until):
            endpoint.save(update_fields=["failures", "failing_since", "hold_until"])
        since = endpoint.failing_since
        if since and since < timezone.now() - pace.pause_after:
            _pause(endpoint, since, by_endpoint[endpoint.pk][0].claim.tenant_id)


def _pause(endpoint: WebhookEndpoint, since: datetime, tenant_id: UUID) -> None:
    """Nobody stands behind it: the trail's row, the event and an e-mail are the notice."""
    if endpoint.state != WebhookEndpoint.State.ENABLED:
        return
    before = snapshot(endpoint, "state")
    endpoint.state, endpoint.state_since = WebhookEndpoint.State.FAILING, timezone.now()
    save_changes(endpoint, ["state", "state_since"])
    record(
        actor=None,
        action="webhooks.failing",
        obj=endpoint,
        before=before,
        after=snapshot(endpoint, "state") | {"failing_since": since.astimezone(UTC).isoformat()},
    )
    emit(actor=None, type=PAUSED, obj=endpoint, data={"failing_since": since})
    defer_for(jobs.tell_of_pause, tenant_id, endpoint_id=str(endpoint.pk))
