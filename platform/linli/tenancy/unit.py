"""What a request's first statement told of a tenant, known without a query for the rest of it.

It was true when the request began, and that is as true as an answer has to be, until somebody is
waited for: whoever held the lock may have committed something else meanwhile, so with each lock all of
it `lapse`s. What a request changes itself is not known in it any more: that may be rolled back yet.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar


class _Unit:
    def __init__(self, told: Mapping[str, str]) -> None:
        self.told = dict(told)  # by schema
        self.changed: set[str] = set()


_unit: ContextVar[_Unit | None] = ContextVar("unit", default=None)


@contextmanager
def unit_of_work(told: Mapping[str, str | None] | None = None) -> Iterator[None]:
    """Within, what is told of a schema is known. told: by schema, as of now; None: not known yet.

    Only where whatever is committed after its beginning may be left out: a request, a short job.
    """
    known = {schema: value for schema, value in (told or {}).items() if value is not None}
    outer, inner = _unit.get(), _Unit(known)
    reset = _unit.set(inner)
    try:
        yield
    finally:
        _unit.reset(reset)
        if outer is not None:
            outer.told.clear()
            outer.changed |= inner.changed


def told_of(schema: str) -> str | None:
    unit = _unit.get()
    return unit.told.get(schema) if unit else None


def tell(schema: str, value: str) -> None:
    """It was read just now. Nothing is kept of it outside of a unit of work."""
    unit = _unit.get()
    if unit is not None and schema not in unit.changed:
        unit.told[schema] = value


def lapse() -> None:
    """A lock was asked for: what was told before it may no longer be so."""
    if (unit := _unit.get()) is not None:
        unit.told.clear()


def changed(schema: str) -> None:
    """It was changed here, by a transaction that may be rolled back to any point yet."""
    if (unit := _unit.get()) is not None:
        unit.told.pop(schema, None)
        unit.changed.add(schema)
