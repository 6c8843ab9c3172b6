"""How an action leaves its row in the trail."""

from typing import Any, Protocol
from uuid import UUID

from django.db import connection, models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.audit.models import Entry
from linli.errors import Refused
from linli.inserting import insert

MASK = "…"


class Acting(Protocol):
    """Who acts: `linli.accounts.policy.Actor`, which stands above this package."""

    @property
    def person_id(self) -> UUID | None: ...

    @property
    def client_id(self) -> UUID | None: ...


def record(
    *,
    actor: Acting | None,
    action: str,
    obj: models.Model,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    reason: str = "",
) -> Entry:
    """Write the trail's row for one write, in the caller's transaction: what `entry` makes."""
    written = entry(actor=actor, action=action, obj=obj, before=before, after=after, reason=reason)
    insert(written)
    return written


def entry(
    *,
    actor: Acting | None,
    action: str,
    obj: models.Model,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    reason: str = "",
) -> Entry:
    """The trail's row for one write, to be inserted with what it tells of.

    ``before`` is None for something new, ``after`` None for something ended; both come from
    `snapshot`. ``actor`` is None only where no person stands behind the write.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("record() belongs inside the transaction of the write it tells of")
    if len(reason) > sizes.REASON:
        message = format_lazy(_("A reason has {most} characters at most."), most=sizes.REASON)
        raise Refused("REASON_TOO_LONG", message, field="reason")
    return Entry(
        person_id=actor.person_id if actor else None,
        client_id=actor.client_id if actor else None,
        action=action,
        object_type=obj._meta.label,
        object_id=str(obj.pk),
        before=before,
        after=after,
        reason=reason,
    )


def snapshot(obj: models.Model, *fields: str) -> dict[str, Any]:
    """The values of ``fields`` (all columns if none is named), with personal ones masked.

    A foreign key is given as the id it holds, under its column's name.
    """
    personal = set(getattr(obj, "personal_fields", ()))
    columns = [f for f in obj._meta.concrete_fields if not fields or f.name in fields]
    return {f.attname: MASK if f.name in personal else f.value_from_object(obj) for f in columns}
