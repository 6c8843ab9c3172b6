"""Keeping an answer under its client's key, and finding it again.

`recall` and `keep` belong in one transaction with the writes between them. Nothing else makes it
certain that what was done is told and what is told was done, wherever a process dies.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.tenancy.context import connection, current_schema

KEPT_FOR = timedelta(hours=24)

# One round trip. Both run on one snapshot, taken before the lock: what was committed in between is
# not seen here, and then `keep` finds it.
_RECALL = """
    SELECT lock.is_ours, kept.fingerprint, kept.answer
    FROM (SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS is_ours) AS lock
    LEFT JOIN repeats_keptanswer AS kept
        ON kept.owner_id = $2 AND kept.key = $3 AND kept.kept_at > $4
"""
# Over one that has expired and has not been swept yet.
_KEEP = """
    INSERT INTO repeats_keptanswer AS kept (owner_id, key, fingerprint, answer, kept_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (owner_id, key) DO UPDATE
    SET fingerprint = EXCLUDED.fingerprint, answer = EXCLUDED.answer, kept_at = EXCLUDED.kept_at
    WHERE kept.kept_at <= $6
    RETURNING key
"""


@dataclass(frozen=True)
class Asked:
    """A request under a key. owner_id: the client's, or the person's. fingerprint: 64 hex digits
    over everything that was asked."""

    owner_id: UUID
    key: str
    fingerprint: str


class Overtaken(Exception):
    """Somebody else answered under the key since `recall`: undo everything, and recall again."""


def recall(asked: Asked) -> str | None:
    """What was answered before. None: nothing, and until the transaction ends nobody else answers.

    Raises `Refused` IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_USE.
    """
    name = f"{current_schema()} {asked.owner_id} {asked.key}"
    looked_up = [name, asked.owner_id, asked.key, _oldest()]
    is_ours, fingerprint, answer = connection.fetch_prepared(_RECALL, looked_up)
    if answer is None:
        if is_ours != "t":
            message = _("A request with this key is being worked on. Send it again in a moment.")
            raise Refused("IDEMPOTENCY_KEY_IN_USE", message)
        return None
    if fingerprint != asked.fingerprint:
        message = _(
            "This key was sent with another request, or by a token of other scopes. Give each "
            "request a key of its own."
        )
        raise Refused("IDEMPOTENCY_KEY_REUSED", message)
    return answer


def keep(asked: Asked, answer: str) -> None:
    """Raises `Overtaken`, whereupon nothing of the transaction may stay."""
    row = (asked.owner_id, asked.key, asked.fingerprint, answer, timezone.now(), _oldest())
    if connection.fetch_prepared(_KEEP, row) is None:
        raise Overtaken


def _oldest() -> datetime:
    return timezone.now() - KEPT_FOR
