"""How an action tells programs outside what it did: beside `linli.audit.record.record`."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from psycopg import sql

from linli.audit.record import Acting
from linli.events.models import Event
from linli.events.types import event_type
from linli.inserting import insert
from linli.tenancy.context import current_schema
from linli.tenancy.postgresql.base import AfterCommit

CHANNEL = "linli_events"


def emit(
    *,
    actor: Acting | None,
    type: str,
    obj: models.Model,
    data: Mapping[str, Any],
    community_id: UUID | None = None,
) -> Event:
    """Write the event for one write, in the caller's transaction: what `event` makes."""
    written = event(actor=actor, type=type, obj=obj, data=data, community_id=community_id)
    insert(written)
    return written


def event(
    *,
    actor: Acting | None,
    type: str,
    obj: models.Model,
    data: Mapping[str, Any],
    community_id: UUID | None = None,
) -> Event:
    """The event for one write, to be inserted with what it tells of.

    ``obj`` is what it is about; the caller holds its lock or has just made it, so the events of one
    object come in the order of its writes. ``data`` by the names its type declares, keys as they
    are. ``community_id``: where it happened; None for what concerns the whole tenant.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("emit() belongs inside the transaction of the write it tells of")
    told = event_type(type)
    wake_on_commit()
    return Event(
        type=type,
        object_type=told.about,
        object_id=obj.pk,
        community_id=community_id,
        person_id=actor.person_id if actor else None,
        client_id=actor.client_id if actor else None,
        data=told.carried(data),
    )


def wake_on_commit() -> None:
    """Once the transaction is there, tell whoever sequences; at most once a transaction.

    After the commit and not in it: a NOTIFY makes commits wait for each other. One that is lost is
    made good by the sweep (`linli.events.deliverer`).
    """
    waker = _waker(CHANNEL, current_schema())
    if all(waiting[1] is not waker for waiting in connection.run_on_commit):
        transaction.on_commit(waker, robust=True)


@cache
def _waker(channel: str, schema: str) -> AfterCommit:
    names = sql.Identifier(channel), sql.Literal(schema)
    return AfterCommit(sql.SQL("NOTIFY {}, {}").format(*names).as_string())
