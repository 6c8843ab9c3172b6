"""Delivering again: one delivery, or all that happened since a time.

The latter may be much. What is asked for is noted on the endpoint, and the deliverer opens the deliveries
a batch at a time, in the order of positions, each batch in one transaction with how far it has come. Up
to there the endpoint is sent to, and no further, so the order of each object holds.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Max, Min, QuerySet
from django.utils import timezone

from linli.events.models import Delivery, Event, WebhookEndpoint

BATCH = 1_000

State = Delivery.State


def begin(endpoint: WebhookEndpoint, since: datetime, until: datetime | None) -> int:
    """Have what happened in [since, until) delivered again; how many. Inside `one_at_a_time`.

    The first batch is opened at once."""
    endpoint.replay_since, endpoint.replay_until = since, until
    found = _wanted(endpoint).aggregate(first=Min("position"), last=Max("position"))
    if found["first"] is None:
        forget(endpoint)
        return 0
    endpoint.replay_position, endpoint.replay_last_position = found["first"] - 1, found["last"]
    count = _wanted(endpoint).count()
    _batch(endpoint)
    return count


def forget(endpoint: WebhookEndpoint) -> None:
    """No replay is under way any more, once this is saved."""
    endpoint.replay_since = endpoint.replay_until = None
    endpoint.replay_position = endpoint.replay_last_position = None


def go_on() -> bool:
    """One batch for each endpoint of the tenant of the moment; whether there is more to do. Inside
    `one_at_a_time`."""
    replayed = WebhookEndpoint.objects.filter(replay_since__isnull=False).order_by("pk")
    more = [_batch(endpoint) for endpoint in replayed]
    return any(more)


def _batch(endpoint: WebhookEndpoint) -> bool:
    """Whether there is more to do."""
    batch = _wanted(endpoint).filter(
        position__gt=endpoint.replay_position, position__lte=endpoint.replay_last_position
    )
    events = list(batch.order_by("position")[:BATCH])
    again(endpoint, events)
    if len(events) < BATCH:
        forget(endpoint)
    else:
        endpoint.replay_position = events[-1].position
    # No change of the endpoint that people see as one: its version stays.
    endpoint.save(
        update_fields=[
            "replay_since", "replay_until", "replay_position", "replay_last_position",
        ]
    )  # fmt: skip
    return len(events) == BATCH


def again(endpoint: WebhookEndpoint, events: Iterable[Event]) -> None:
    """Deliver these again, each object's in their order. Inside `one_at_a_time`.

    What is open of the same objects goes back into the queue, behind what is replayed before it.
    """
    events = list(events)
    objects = {event.object_id for event in events}
    opened = {"state": State.WAITING, "attempts": 0}
    deliveries = Delivery.objects.filter(endpoint=endpoint)
    deliveries.filter(state=State.READY, object_id__in=objects).update(**opened)
    deliveries.filter(position__in=[event.position for event in events]).update(**opened)
    Delivery.objects.bulk_create(
        [
            Delivery(
                endpoint=endpoint,
                event_id=event.pk,
                object_id=event.object_id,
                position=event.position,
                state=State.WAITING,
                next_at=timezone.now(),
            )
            for event in events
        ],
        ignore_conflicts=True,
    )
    with connection.cursor() as cursor:
        cursor.execute(_FIRSTS_OF, [list(objects), endpoint.pk])


def make_ready(endpoint_id: UUID) -> None:
    """Of the open deliveries of each object to an endpoint, the first is to be sent.

    Inside `one_at_a_time`, after rows were taken away.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FIRSTS, [endpoint_id])


_FIRSTS = """
    UPDATE events_delivery SET state = 'ready', next_at = clock_timestamp()
    WHERE state = 'waiting' AND id IN (
        SELECT DISTINCT ON (object_id) id FROM events_delivery
        WHERE endpoint_id = %s AND state IN ('ready', 'waiting') ORDER BY object_id, position
    )
"""

_FIRSTS_OF = """
    UPDATE events_delivery SET state = 'ready', next_at = clock_timestamp()
    WHERE state = 'waiting' AND id IN (
        SELECT first.id FROM unnest(%s::uuid[]) AS object (id) CROSS JOIN LATERAL (
            SELECT id FROM events_delivery
            WHERE endpoint_id = %s AND object_id = object.id AND state IN ('ready', 'waiting')
            ORDER BY position LIMIT 1
        ) AS first
    )
"""


def _wanted(endpoint: WebhookEndpoint) -> QuerySet[Event]:
    since, until = endpoint.replay_since, endpoint.replay_until
    wanted = Event.objects.filter(position__gt=0, type__in=endpoint.types, at__gte=since)
    return wanted.filter(at__lt=until) if until else wanted
