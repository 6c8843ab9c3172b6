"""Connections for an event loop: prepared statements, each answered when PostgreSQL has answered.

libpq's own calls, as in `prepared`. Nothing of Django's stands between, so nothing of it is shared:
which schema a line stands in is the line's own, and one request has it at a time.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.sql import SQL, Identifier

from linli.tenancy.postgresql.prepared import KEPT, Row, oid, sent

logger = logging.getLogger(__name__)

QUERY_CANCELED = b"57014"
# Then it is replaced: a backend keeps memory for each tenant it has touched.
SECONDS = 600
# What a statement's values may come to, so that sending them never waits for the server to read.
LONGEST_SENT = 16_000


class Failed(Exception):
    """The statement was not answered. late: its time was over, in the server or before it got there."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__()
        self.late = late


class Line:
    """One connection. raw: in autocommit, set up as it is to stay."""

    def __init__(self, raw: psycopg.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._raw, self._pgconn, self._loop = raw, raw.pgconn, loop
        self._pgconn.nonblocking = 1
        self._names: dict[tuple[str, str, tuple[int, ...]], bytes] = {}
        self._answer: asyncio.Future | None = None
        self._result: Any = None
        self.schema, self.closed = "public", False
        self.ends_at = loop.time() + SECONDS
        self._socket = self._pgconn.socket
        loop.add_reader(self._socket, self._readable)

    async def row(self, schema: str, statement: str, params: Sequence[Any]) -> Row:
        """The one row of a statement with ``$1`` parameters, run in that schema. Raises Failed."""
        if self.schema != schema:
            path = SQL("SET search_path TO {}, public").format(Identifier(schema))
            await self._done(self._pgconn.send_query, path.as_bytes(self._raw))
            self.schema = schema
        name = await self._prepared(statement, tuple(map(oid, params)))
        try:
            values = [sent(value) for value in params]
        except psycopg.DataError as error:
            raise Failed from error
        if sum(len(value) for value in values if value) > LONGEST_SENT:
            raise Failed
        result = await self._done(self._pgconn.send_query_prepared, name, values)
        if result.ntuples != 1:
            raise Failed
        return tuple(
            None if (value := result.get_value(0, column)) is None else value.decode()
            for column in range(result.nfields)
        )

    @property
    def is_over(self) -> bool:
        return self.closed or self._loop.time() > self.ends_at

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self._socket)
            self._raw.close()

    async def _prepared(self, statement: str, oids: tuple[int, ...]) -> bytes:
        """Its name on this line. PostgreSQL plans anew when the search path is another than it was,
        so each schema has a statement of its own."""
        key = (self.schema, statement, oids)
        name = self._names.get(key)
        if name is None:
            if len(self._names) >= KEPT:
                await self._done(self._pgconn.send_query, b"DEALLOCATE ALL")
                self._names.clear()
            name = b"line_%d" % len(self._names)
            await self._done(self._pgconn.send_prepare, name, statement.encode(), oids)
            self._names[key] = name
        return name

    async def _done(self, send: Callable[..., None], *arguments: Any) -> Any:
        self._answer = self._loop.create_future()
        try:
            send(*arguments)
            self._pgconn.flush()
            result = await self._answer
        except psycopg.Error as error:
            self.close()
            raise Failed from error
        except BaseException:  # nobody waits any more, and what the server answers is nobody's
            self.close()
            raise
        finally:
            self._answer = None
        if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            state = result.error_field(DiagnosticField.SQLSTATE)
            if state != QUERY_CANCELED:  # a plan that is stale, a server that goes: begun anew
                self.close()
            raise Failed(late=state == QUERY_CANCELED)
        return result

    def _readable(self) -> None:
        try:
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None:
                    break
                self._result = result
            else:
                return
        except psycopg.Error as error:
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(error)
            self.close()
            return
        if self._answer is not None and self._result is not None and not self._answer.done():
            self._answer.set_result(self._result)
        self._result = None


class Lines:
    """As many as there are requests at once, up to a limit; who comes then waits for one.

    connect: makes a connection, in a thread.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection], most: int) -> None:
        self._connect, self._places = connect, asyncio.Semaphore(most)
        self._idle: list[Line] = []

    async def take(self, schema: str, seconds: int) -> Line:
        """One that stands in the schema, if there is one; to be given back. seconds: how long to wait
        where all are taken. Raises Failed."""
        await self._place(seconds)
        try:
            return self._taken(schema) or await self._made()
        except BaseException:
            self._places.release()
            raise

    def give(self, line: Line) -> None:
        if not line.closed:
            self._idle.append(line)
        self._places.release()

    async def _place(self, seconds: int) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(seconds):
                await self._places.acquire()
        except TimeoutError as error:
            raise Failed(late=True) from error

    def close(self) -> None:
        """Those that nobody has at the moment."""
        while self._idle:
            self._idle.pop().close()

    def _taken(self, schema: str) -> Line | None:
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place].is_over:
                self._idle.pop(place).close()
            elif self._idle[place].schema == schema:
                return self._idle.pop(place)
        return self._idle.pop() if self._idle else None

    async def _made(self) -> Line:
        loop = asyncio.get_running_loop()
        try:
            raw = await loop.run_in_executor(None, self._connect)
        except (psycopg.Error, OSError) as error:
            logger.warning("no further line to the database", exc_info=True)
            raise Failed from error
        return Line(raw, loop)
