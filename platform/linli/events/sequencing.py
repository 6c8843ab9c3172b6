"""Giving events their position, and making their deliveries.

Ids are no order to read by: a transaction that began first may commit last, and a reader whose
cursor has passed its ids would never see it. So a position is given after the commit, by one at a
time in a tenant, and nobody sees an event without one. Within an object the order is that of its
writes, since `emit` is called under the object's lock and PostgreSQL's clock made the ids.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from linli.due.work import make_due
from linli.events.models import Event
from linli.events.types import TEST

BATCH = 1_000
_LOCK = 0x6C6E6576  # "lnev"
_WAIT = "SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))"
_TRY = "SELECT pg_try_advisory_xact_lock(%s, hashtext(current_schema()))"

# One statement: what is numbered has its deliveries, or neither. The first open delivery of an
# object to an endpoint is ready, the others wait for it; a test waits for nothing.
_SEQUENCE = """
    WITH fresh AS (
        SELECT id, row_number() OVER (ORDER BY id) AS number
        FROM events_event WHERE position = 0 ORDER BY id LIMIT %(batch)s
    ), numbered AS (
        UPDATE events_event AS event
        SET position = number
            + (SELECT coalesce(max(position), 0) FROM events_event WHERE position > 0)
        FROM fresh WHERE event.id = fresh.id
        RETURNING event.id, event.type, event.object_id, event.position
    ), made AS (
        INSERT INTO events_delivery (endpoint_id, event_id, object_id, position, state, next_at)
        SELECT endpoint.id, event.id, event.object_id, event.position,
            CASE WHEN event.type = %(test)s OR row_number() OVER (
                PARTITION BY endpoint.id, event.object_id ORDER BY event.position
            ) = 1 AND NOT EXISTS (
                SELECT FROM events_delivery AS open
                WHERE open.endpoint_id = endpoint.id AND open.object_id = event.object_id
                AND open.state IN ('ready', 'waiting')
            ) THEN 'ready' ELSE 'waiting' END,
            clock_timestamp()
        FROM numbered AS event JOIN events_webhookendpoint AS endpoint
        ON endpoint.deleted_at IS NULL AND (
            event.type = ANY(endpoint.types)
            OR (event.type = %(test)s AND event.object_id = endpoint.id)
        )
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM numbered), (SELECT count(*) FROM made)
"""


class Busy(Exception):
    """Somebody else sequences or settles in this tenant, perhaps for as long as a request lasts."""


def sequence(tenant_id: UUID, *, wait: bool = True) -> int:
    """Sequence what is committed and has no position yet, in the tenant of the moment; how many.

    Raises as `one_at_a_time` does.
    """
    total = 0
    while True:
        with one_at_a_time(wait=wait), connection.cursor() as cursor:
            cursor.execute(_SEQUENCE, {"batch": BATCH, "test": TEST})
            numbered, made = cursor.fetchone()
            if made:
                make_due(tenant_id)
        total += numbered
        if numbered < BATCH:
            return total


def last_position() -> int:
    """The highest that was given in the tenant of the moment; 0 for none."""
    return Event.objects.aggregate(last=Max("position"))["last"] or 0


def go_on_after(position: int) -> None:
    """Sequence what was written since all events were thrown away, in the same transaction: a cursor
    of before goes on with what came after. Nobody is to be told: endpoints went with the events."""
    with one_at_a_time(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE events_event AS event SET position = %s + fresh.number FROM ("
            "SELECT id, row_number() OVER (ORDER BY id) AS number FROM events_event"
            " WHERE position = 0) AS fresh WHERE event.id = fresh.id",
            [position],
        )


@contextmanager
def one_at_a_time(*, wait: bool = True) -> Iterator[None]:
    """A transaction that nobody else who sequences or settles in this tenant runs beside.

    With ``wait=False`` raises `Busy` where somebody does: for who has other tenants to look after.
    All that is locked under it is locked under nothing else, so nobody waits inside for long.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_WAIT if wait else _TRY, [_LOCK])
            if not wait and not cursor.fetchone()[0]:
                raise Busy
        yield
