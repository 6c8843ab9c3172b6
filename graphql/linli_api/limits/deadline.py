"""How long a request may take. What still runs then is cancelled, in PostgreSQL too.

`within` sets the time for the thread's request. Each SQL statement passes `_in_time`: none starts
after the time, and once a part of it is gone the statement gets what is left as its
``statement_timeout``. A fast request pays nothing for that: the connection keeps the ceiling of its
last request, a query's or a mutation's. Work in Python is noticed between fields (`execution`).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from graphql import ExecutionContext, OperationDefinitionNode, OperationType
from psycopg import Error, errors

from linli.errors import Refused
from linli_api.limits.answer import Measured

# Of the time, this part may pass before statements are given less than the ceiling.
UNHURRIED = 4
# What ends a transaction, or puts a connection in its place, is never refused.
_ALWAYS = ("ROLLBACK", "RELEASE", "SET ")


class TimedOut(Refused):
    def __init__(self, milliseconds: int) -> None:
        message = _("This took longer than the {seconds} seconds it may. Ask for less at once.")
        super().__init__("TIMED_OUT", format_lazy(message, seconds=milliseconds // 1000))


class _Time(threading.local):
    """allowed: milliseconds of the request that runs in this thread; None: as long as it takes.
    passed: what of the last one in this thread was refused for its time."""

    allowed: int | None = None
    ends_at: int = 0
    hurried: bool = False
    passed: TimedOut | None = None


_time = _Time()


@contextmanager
def within(operation: OperationType | None) -> Iterator[None]:
    """The block is a request's; what it does after its time raises TimedOut. None: it has time."""
    _time.passed = None
    if operation is None:
        yield
        return
    allowed = _allowed(operation)
    _time.allowed, _time.ends_at, _time.hurried = allowed, _now() + allowed, False
    try:
        put_ceiling(operation)
        with connection.execute_wrapper(_in_time):
            yield
    finally:
        hurried, _time.allowed = _time.hurried, None
        if hurried:
            _lift(allowed)


def passed() -> TimedOut | None:
    """What the thread's last request was refused for its time, wherever in the answer that is told."""
    return _time.passed


def check() -> None:
    """Raises TimedOut after the request's time."""
    if _time.allowed is not None and _now() >= _time.ends_at:
        raise _timed_out(_time.allowed)


def execution(operation: OperationDefinitionNode | None) -> type[ExecutionContext]:
    """How an operation is executed: the time is looked at in a query only.

    Not in a mutation: its actions are cancelled by their statements, and once they are committed,
    what they did is better told late than never.
    """
    is_query = operation is not None and operation.operation is OperationType.QUERY
    return _Timed if is_query else Measured


class _Timed(Measured):
    """Looks at the time before each value is completed."""

    def go_on(self) -> None:
        check()
        super().go_on()


def _in_time(execute: Callable, sql: Any, params: Any, many: bool, context: Any) -> Any:
    if isinstance(sql, str) and sql.startswith(_ALWAYS):
        return execute(sql, params, many, context)
    check()
    allowed = _time.allowed or 0
    left = _time.ends_at - _now()
    if left < allowed - allowed // UNHURRIED:
        _time.hurried = True
        _set_timeout(left)
    try:
        return execute(sql, params, many, context)
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise _timed_out(allowed) from error
        raise


def put_ceiling(operation: OperationType) -> None:
    """No statement of a request takes longer than the request may; sent where the connection's last
    request was of another kind. Best before a transaction, for what rolls that back undoes it."""
    connection.ensure_connection()
    raw: Any = connection.connection
    allowed = _allowed(operation)
    if getattr(raw, "_ceiling", None) != allowed:
        _set_timeout(allowed)
        raw._ceiling = None if connection.in_atomic_block else allowed


def _allowed(operation: OperationType) -> int:
    """In milliseconds."""
    writes = operation is OperationType.MUTATION
    return 1000 * (settings.LINLI_WRITE_SECONDS if writes else settings.LINLI_READ_SECONDS)


def _timed_out(allowed: int) -> TimedOut:
    _time.passed = TimedOut(allowed)
    return _time.passed


def _set_timeout(milliseconds: int) -> None:
    """By a cursor of the driver's own: no wrapper, and no search path to be set first."""
    raw: Any = connection.connection
    with raw.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {max(1, milliseconds)}")


def _lift(allowed: int) -> None:
    """Back to the ceiling; a connection that cannot be put right is not used again."""
    if connection.connection is None:
        return
    try:
        _set_timeout(allowed)
    except Error:
        connection.close()


def _now() -> int:
    return time.monotonic_ns() // 1_000_000
