"""Connections for an event loop: prepared statements, each answered when PostgreSQL has answered.

What is asked in one turn of the loop goes to PostgreSQL together, over one line: one message there
and one back, where each alone would wake both sides again. libpq's own calls, as in `prepared`.
Nothing of Django's stands between, so nothing of it is shared: which schema a line stands in is the
line's own, and whoever asks names one. Over one line goes what one caller asks, who has a share of all.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.sql import SQL, Identifier

from linli.shares import Overloaded, Shares, TooManyAtOnce
from linli.tenancy.postgresql.prepared import Row, is_too_much, oid, sent

logger = logging.getLogger(__name__)

QUERY_CANCELED = b"57014"
# Then it is replaced: a backend keeps memory for each tenant it has touched.
SECONDS = 600
# What the values sent together may come to, so that sending never waits for the server to read.
LONGEST_SENT = 16_000
# As many are asked together: the first waits for the last.
TOGETHER = 8
# As many of one caller wait for a line.
WAITING = 256

# Statement, schema, types of the values.
_Key = tuple[str, str, tuple[int, ...]]


class Failed(Exception):
    """The statement was not answered. late: its time was over."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__()
        self.late = late


@dataclass(eq=False)
class Asked:
    """One statement for its one row. size: bytes of the values. alone: it may take long, and nobody is
    to wait for it. ends_at: milliseconds of the loop's clock, when it need not be sent any more."""

    caller: Hashable
    schema: str
    statement: str
    oids: tuple[int, ...]
    values: list[bytes | None]
    size: int
    alone: bool
    ends_at: int
    answer: asyncio.Future

    def fail(self, failed: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(failed)


class Naming(NamedTuple):
    """A statement that is prepared, for whoever asks it first."""

    key: _Key
    asked: Asked


_Due = Asked | Naming | None


class Line:
    """One connection. raw: in autocommit, set up as it is to stay. over: called with the line when
    all that was asked together is answered, one way or the other."""

    def __init__(
        self,
        raw: psycopg.Connection,
        loop: asyncio.AbstractEventLoop,
        over: Callable[["Line"], None],
    ) -> None:
        self._raw, self._pgconn, self._loop, self._over = raw, raw.pgconn, loop, over
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._names: dict[_Key, bytes] = {}
        self._serial = 0
        self._is_new = False  # whether a name came since these were counted
        # For each command that is under way, what its result is for.
        self._due: deque[_Due] = deque()
        self._under_way = False
        self.caller: Hashable = None  # whose share it is
        self.schema, self.closed = "public", False
        self.ends_at = loop.time() + SECONDS
        self._socket = self._pgconn.socket
        loop.add_reader(self._socket, self._readable)

    def ask(self, together: Sequence[Asked]) -> None:
        """All of one caller and schema. Their answers are theirs; nothing is raised here."""
        self._under_way, self.caller = True, together[0].caller
        try:
            self._stand_in(together[0].schema)
            if self._is_new and is_too_much(self._names):
                self._send(None, self._pgconn.send_query_params, b"DEALLOCATE ALL", None)
                self._names.clear()
            self._is_new = False
            for asked in together:
                self._send(asked, self._pgconn.send_query_prepared, self._name(asked), asked.values)
            self._pgconn.pipeline_sync()
            self._flush()
        except psycopg.Error:
            for asked in together:
                asked.fail(Failed())
            self._broken()

    @property
    def is_over(self) -> bool:
        return self.closed or self._loop.time() > self.ends_at

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._raw.close()

    def _stand_in(self, schema: str) -> None:
        if self.schema != schema:
            path = SQL("SET search_path TO {}, public").format(Identifier(schema))
            self._send(None, self._pgconn.send_query_params, path.as_bytes(self._raw), None)
            self.schema = schema

    def _name(self, asked: Asked) -> bytes:
        """Its name on this line. PostgreSQL plans anew when the search path is another than it was,
        so each schema has a statement of its own."""
        key = (asked.statement, asked.schema, asked.oids)
        name = self._names.get(key)
        if name is None:
            self._serial, self._is_new = self._serial + 1, True
            name = self._names[key] = b"line_%d" % self._serial
            text = asked.statement.encode()
            self._send(Naming(key, asked), self._pgconn.send_prepare, name, text, asked.oids)
        return name

    def _send(self, due: _Due, send: Callable[..., None], *arguments: Any) -> None:
        send(*arguments)
        self._due.append(due)

    def _flush(self) -> None:
        """As much as the socket takes, and the rest when it takes more: statements may be long."""
        if self._pgconn.flush():
            self._loop.add_writer(self._socket, self._writable)
        else:
            self._loop.remove_writer(self._socket)

    def _writable(self) -> None:
        try:
            self._flush()
        except psycopg.Error:
            self._broken()

    def _readable(self) -> None:
        try:
            self._pgconn.consume_input()
            while self._under_way and not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None:  # the end of one command
                    continue
                if result.status == ExecStatus.PIPELINE_SYNC:
                    self._under_way = False
                    self._over(self)
                else:
                    self._came(self._due.popleft(), result)
        except (psycopg.Error, IndexError):
            self._broken()

    def _came(self, due: _Due, result: Any) -> None:
        done = result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
        if not done:
            self._failed(due, result)
        elif isinstance(due, Asked) and not due.answer.done():
            if result.ntuples == 1:
                due.answer.set_result(_row(result))
            else:
                due.fail(Failed())

    def _failed(self, due: _Due, result: Any) -> None:
        """With one, all that were sent after it in the same message; and what was set is as before."""
        late = result.error_field(DiagnosticField.SQLSTATE) == QUERY_CANCELED
        aborted = result.status == ExecStatus.PIPELINE_ABORTED
        self.schema = ""
        if isinstance(due, Naming):
            self._names.pop(due.key, None)
            due.asked.fail(Failed(late=late))
        elif due is not None:
            due.fail(Failed(late=late))
        if not late and not aborted:  # a plan that is stale, a server that goes: begun anew
            self.ends_at = 0

    def _broken(self) -> None:
        was_under_way, self._under_way = self._under_way, False
        self.close()
        while self._due:
            due = self._due.popleft()
            if isinstance(due, Asked):
                due.fail(Failed())
        if was_under_way:
            self._over(self)


class Lines:
    """As many as there is something to ask at once, up to a limit; what comes then waits for one.

    connect: makes a connection, in a thread. each: how many of them one caller has at most.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection], most: int, each: int) -> None:
        self._connect, self._most, self._count = connect, most, 0
        self._loop = asyncio.get_running_loop()
        self._idle: list[Line] = []
        self._shares: Shares[Asked] = Shares(each, WAITING)
        self._making: set[asyncio.Task] = set()
        self._sending = False
        self._giving_up: asyncio.TimerHandle | None = None

    async def row(
        self,
        schema: str,
        statement: str,
        params: Sequence[Any],
        *,
        seconds: int,
        alone: bool = False,
        caller: Hashable = None,
    ) -> Row:
        """The one row of a statement with ``$1`` parameters, run in that schema. seconds: how long to
        wait where no line is to be had. alone: it may take long. caller: whose share it is of. Raises
        Failed, TooManyAtOnce, Overloaded."""
        try:
            values = [sent(value) for value in params]
        except psycopg.DataError as error:
            raise Failed from error
        loop = self._loop
        oids, ends_at = tuple(map(oid, params)), self._now() + seconds * 1000
        answer = loop.create_future()
        size = sum(map(len, filter(None, values)))
        if size > LONGEST_SENT:
            raise Failed
        asked = Asked(caller, schema, statement, oids, values, size, alone, ends_at, answer)
        self._shares.wait(caller, asked)
        if not self._sending:
            self._sending = True
            loop.call_soon(self._send)
        try:
            return await answer
        except asyncio.CancelledError:
            self._shares.give_up(lambda one: one is asked)
            raise

    def close(self) -> None:
        """Those that nobody has at the moment."""
        while self._idle:
            self._idle.pop().close()
            self._count -= 1

    def _now(self) -> int:
        return int(self._loop.time() * 1000)

    def _send(self) -> None:
        """What waits, as far as there are lines for it."""
        self._sending = False
        while self._idle or self._count < self._most:
            together = self._shares.begin(_together)
            if not together:
                break
            line = self._taken(together[0].schema)
            if line is not None:
                line.ask(together)
            else:
                self._count += 1
                making = self._loop.create_task(self._make(together))
                self._making.add(making)
                making.add_done_callback(self._making.discard)
        self._give_up_later()

    def _taken(self, schema: str) -> Line | None:
        """An idle line, one that stands in the schema if there is one."""
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place].is_over:
                self._idle.pop(place).close()
                self._count -= 1
            elif self._idle[place].schema == schema:
                return self._idle.pop(place)
        return self._idle.pop() if self._idle else None

    async def _make(self, together: Sequence[Asked]) -> None:
        try:
            raw = await self._loop.run_in_executor(None, self._connect)
        except (psycopg.Error, OSError):
            logger.warning("no further line to the database", exc_info=True)
            self._count -= 1
            self._shares.end(together[0].caller)
            for asked in together:
                asked.fail(Failed())
            self._send()
        else:
            Line(raw, self._loop, self._given).ask(together)

    def _given(self, line: Line) -> None:
        self._shares.end(line.caller)
        if line.is_over:
            line.close()
            self._count -= 1
        else:
            self._idle.append(line)
        self._send()

    def _give_up_later(self) -> None:
        if self._giving_up is None and (waiting := self._shares.waiting()):
            first = min(asked.ends_at for asked in waiting)
            self._giving_up = self._loop.call_at(first / 1000, self._give_up)

    def _give_up(self) -> None:
        self._giving_up = None
        now = self._now()
        for asked in self._shares.give_up(lambda one: one.ends_at <= now):
            own = self._shares.is_taken(asked.caller)
            asked.fail(TooManyAtOnce() if own else Overloaded())
        self._send()


def _together(queue: deque[Asked]) -> list[Asked]:
    """The first that waits, and what may go with it."""
    first = queue.popleft()
    together, size = [first], first.size
    for one in list(queue) if not first.alone else ():
        if len(together) == TOGETHER:
            break
        fits = one.schema == first.schema and not one.alone
        if fits and size + one.size <= LONGEST_SENT:
            queue.remove(one)
            together.append(one)
            size += one.size
    return together


def _row(result: Any) -> Row:
    return tuple(
        None if (value := result.get_value(0, column)) is None else value.decode()
        for column in range(result.nfields)
    )
