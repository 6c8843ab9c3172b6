"""Points a minute, counted once for all processes, without a write for every request.

A process takes a block of a caller's points out of the row in PostgreSQL and spends it in memory.
Blocks are a share of what is left, so they shrink towards the end of a budget: little lies idle in
other processes when it gets tight. What the row has granted never passes the limit, so neither does
what all processes together spend of a minute; points left over in a process lapse with the minute.

The minute is the database's. A process drops its block after as long as the database said the
minute would last, counted from before it asked, so no clock of its own is trusted.
"""

import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import connection
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused

SECONDS = 60
# A block is this part of what is left, or what is asked for where that is more.
BLOCKS = 50
# Callers a process remembers at most. Of more, the one whose lease began first is forgotten: its minute
# is over, or what was left of its block lapses.
REMEMBERED = 10_000

_USED = "CASE WHEN account.minute >= this.minute THEN account.granted_points ELSE 0 END"
_LEFT = f"(COALESCE(account.agreed_points, %(limit)s) - {_USED})"
# One statement, under the row's lock. `this.minute` may be read before a wait for that lock, and
# the row be in a later minute by then. Nothing is granted where not all that is asked for can be.
_GRANT = f"""
    UPDATE public.budget_account AS account SET
        minute = GREATEST(account.minute, this.minute),
        granted_points = {_USED} + CASE
            WHEN {_LEFT} < %(asked)s THEN 0
            ELSE LEAST({_LEFT}, GREATEST(%(asked)s, {_LEFT} / {BLOCKS}))
        END
    FROM (SELECT floor(extract(epoch FROM clock_timestamp()) / {SECONDS})::bigint AS minute) AS this
    WHERE account.id = %(caller)s
    RETURNING
        new.minute,
        new.granted_points - CASE WHEN new.minute = old.minute THEN old.granted_points ELSE 0 END,
        COALESCE(new.agreed_points, %(limit)s),
        new.granted_points,
        floor(1000 * ((new.minute + 1) * {SECONDS} - extract(epoch FROM clock_timestamp())))::bigint
"""
_OPEN = """
    INSERT INTO public.budget_account (id, minute, granted_points) VALUES (%s, 0, 0)
    ON CONFLICT DO NOTHING
"""


@dataclass
class Lease:
    """What this process holds of one caller's minute.

    left: its own points not yet spent. granted: those all processes were given, when it last asked.
    ends_at: milliseconds of its own monotonic clock.
    """

    minute: int
    limit: int
    left: int
    granted: int
    ends_at: int

    @property
    def remaining(self) -> int:
        """What the caller can still count on, as far as this process knows."""
        return max(0, self.limit - self.granted) + self.left

    @property
    def seconds_left(self) -> int:
        return max(1, -(-(self.ends_at - _now()) // 1000))


class RateLimited(Refused):
    """The caller's points of this minute do not cover it."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        super().__init__(
            "RATE_LIMITED",
            format_lazy(
                _(
                    "The {limit} points you have a minute are used up, or too few are left for"
                    " this. Ask again in {seconds} seconds, or ask for less."
                ),
                limit=lease.limit,
                seconds=lease.seconds_left,
            ),
        )


_leases: OrderedDict[UUID, Lease] = OrderedDict()  # as they began
_lock = threading.Lock()


def spend(caller: UUID, points: int, *, limit: int) -> Lease:
    """Take the points from the caller's minute; RateLimited where they are not there.

    limit: points a minute for a caller with whom none were agreed. Call it outside of transactions:
    what was granted stays granted, whatever becomes of the request. Who is known to have too little
    left is refused without a statement: a flood of refusals writes nothing.
    """
    while True:
        held = spend_held(caller, points)
        if held is not None:
            return held
        with _lock:
            live = _live(caller)
            # What was agreed on beyond that meanwhile counts from the next minute.
            if live and points > live.remaining:
                raise RateLimited(replace(live))
            left = min(live.left, points - 1) if live else 0
        lease, granted = _ask(caller, points - left, limit)
        if not granted and lease.ends_at > _now():
            raise RateLimited(lease)


def spend_held(caller: UUID, points: int) -> Lease | None:
    """The same out of what this process holds; None, and nothing spent, where that is too little."""
    with _lock:
        lease = _live(caller)
        if lease is None or lease.left < points:
            return None
        lease.left -= points
        return replace(lease)


def give_back(lease: Lease, caller: UUID, points: int) -> None:
    """Points of a lease for which nothing was done; those of a minute that is over are gone."""
    with _lock:
        live = _live(caller)
        if live is not None and live.minute == lease.minute:
            live.left += points


def used_up(caller: UUID) -> Lease | None:
    """The caller's lease, if this process knows that not a point of the minute is left."""
    with _lock:
        lease = _live(caller)
        return replace(lease) if lease and not lease.remaining else None


def forget() -> None:
    """As after a fork: what one process holds is not another's."""
    with _lock:
        _leases.clear()


def _ask(caller: UUID, asked: int, limit: int) -> tuple[Lease, int]:
    """Lease a block of at least ``asked`` points, or nothing; how many it were."""
    before = _now()
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_GRANT, {"caller": caller, "asked": asked, "limit": limit})
            row = cursor.fetchone()
            if row:
                break
            cursor.execute(_OPEN, [caller])
    minute, block, limit, granted, milliseconds = row
    with _lock:
        lease = _leases.get(caller)
        if lease is None or lease.minute < minute:
            lease = _leases[caller] = Lease(minute, limit, 0, granted, before + milliseconds)
            _leases.move_to_end(caller)
            if len(_leases) > REMEMBERED:
                _leases.popitem(last=False)
        if lease.minute == minute:
            lease.limit = limit  # may have been agreed on meanwhile
            lease.left, lease.granted = lease.left + block, max(lease.granted, granted)
        return replace(lease), block


def _live(caller: UUID) -> Lease | None:
    lease = _leases.get(caller)
    return lease if lease and lease.ends_at > _now() else None


def _now() -> int:
    return time.monotonic_ns() // 1_000_000


# gunicorn forks; a child must not spend what its parent was granted.
os.register_at_fork(after_in_child=forget)
