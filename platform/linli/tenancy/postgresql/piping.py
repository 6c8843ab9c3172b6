"""Several commands of libpq in one round trip: where one fails, those after it are not run."""

import select
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from psycopg import OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


def piped(raw: Any, commands: Sequence[Callable[[], None]]) -> list[Any]:
    """What came of each. A connection left in the middle of it, as by a signal, is not used again."""
    pgconn = raw.pgconn
    try:
        pgconn.enter_pipeline_mode()
        for command in commands:
            command()
        pgconn.pipeline_sync()
        while pgconn.flush():
            _wait(pgconn, select.POLLIN | select.POLLOUT)
        results = [_next(pgconn) for _command in commands]
        _received(pgconn)  # the end of the round trip
        pgconn.exit_pipeline_mode()
    except BaseException:
        raw.close()
        raise
    return results


def command(raw: Any, statement: str) -> Callable[[], None]:
    """A statement without parameters."""
    return partial(raw.pgconn.send_query_params, statement.encode(), None)


def failed(result: Any) -> bool:
    return result.status not in _DONE


def check(raw: Any, result: Any) -> None:
    """Raises psycopg's error for what failed."""
    if failed(result):
        raise error_from_result(result, raw.info.encoding)


def _next(pgconn: Any) -> Any:
    result = _received(pgconn)
    if result is None:
        raise OperationalError(pgconn.get_error_message())
    pgconn.get_result()  # nothing: each has but one
    return result


def _received(pgconn: Any) -> Any:
    while pgconn.is_busy():
        _wait(pgconn, select.POLLIN)
    return pgconn.get_result()


def _wait(pgconn: Any, events: int) -> None:
    """Without the interpreter's lock, which another thread may need to end the wait."""
    waiting = select.poll()
    waiting.register(pgconn.socket, events)
    waiting.poll()
    pgconn.consume_input()
