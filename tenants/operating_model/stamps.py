"""Which rules are in force here, as one value; and who alone may change them.

The value is worked out from the rows, so equal stamps are equal rules, also after a rollback, a reset
or a restored backup. It is kept beside the tenant (`linli.registry.rules_stamp`), and moves only at the
end of `one_at_a_time` (`tenants.operating_model.rulebook`), which all that writes such rows has to be in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from hashlib import md5
from uuid import UUID

from linli.registry import rules_stamp
from linli.tenancy import unit
from linli.tenancy.context import current_schema

# Rows are only added, and of a layer nothing but its day and its state ever changes.
_WORKED_OUT = """
    SELECT md5(coalesce(string_agg(told, ' ' ORDER BY told COLLATE "C"), '')) FROM (
        SELECT id || ' ' || to_char(effective_from, 'YYYY-MM-DD') AS told
          FROM operating_model_adoption
        UNION ALL
        SELECT id || ' ' || to_char(effective_from, 'YYYY-MM-DD')
          FROM operating_model_layer WHERE state = 'in_force'
    ) AS decided
"""

_deciding: ContextVar[tuple[str, ...]] = ContextVar("deciding", default=())


def stamp_of(rows: Iterable[tuple[UUID, date]]) -> str:
    """The same of rows that were read: adoptions and layers in force, each with its first day."""
    told = sorted(f"{key} {day.isoformat()}" for key, day in rows)
    return md5(" ".join(told).encode(), usedforsecurity=False).hexdigest()


def stamp() -> str:
    """As of the request's beginning, or of the last lock it asked for; outside of one, as of now."""
    return rules_stamp.read(_WORKED_OUT)


def stamp_anew() -> str:
    """As of now, whatever is known."""
    return rules_stamp.read_anew(_WORKED_OUT)


def reading() -> tuple[str, list[str]]:
    """The statement with its parameters that tells `stamp_anew`: to be sent after one that locks, in
    its round trip. Not in that very statement, whose snapshot is as of before it waited."""
    return rules_stamp.reading(_WORKED_OUT)


@contextmanager
def deciding() -> Iterator[None]:
    """Nobody else decides here (`one_at_a_time`). The outermost one moves the stamp at its end."""
    schema, outer = current_schema(), _deciding.get()
    unit.lapse()
    reset = _deciding.set((*outer, schema))
    try:
        yield
    finally:
        _deciding.reset(reset)
    if schema not in outer:
        rules_stamp.move(_WORKED_OUT)


def is_deciding() -> bool:
    """Whether the rules here are being changed by who asks: nothing of them is known for good."""
    return current_schema() in _deciding.get()


def guard_deciding(what: str) -> None:
    """For who writes the rows that rules are made of: elsewhere the stamp would not move."""
    if not is_deciding():
        raise RuntimeError(f"{what} is written inside of one_at_a_time() only")
