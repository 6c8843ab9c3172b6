"""The ASGI application: what `reads` can answer is answered on the loop, all else by Django.

Django's stack is synchronous; it runs in threads of its own, each with a database connection that
is kept. A program's POST is small and is handed over whole; pages, files and what people send go
through a2wsgi, which passes both ways on as it comes.
"""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from io import BytesIO

import psycopg
from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http.response import HttpResponseBase
from django.utils import translation

from linli.errors import Refused
from linli.shares import CROWDED
from linli.tenancy.postgresql.lines import Lines
from linli_api.door import HEADERS
from linli_api.errors import InvalidRequest
from linli_api.express.bodies import Body, Receive, Room, Send
from linli_api.express.incoming import Scope, asked_in, caller_of
from linli_api.express.reads import Reads
from linli_api.express.threads import Threads, caller
from linli_api.incoming import refusal

logger = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]

# Of each kind in a process: threads for Django, and connections for the loop.
THREADS = 8
LINES = 8
# Bytes of a body that is worth a look of the collector at what is new.
LARGE = 100_000


class Application:
    def __init__(self, django: WSGIHandler) -> None:
        self._django = django
        self._threads = Threads(THREADS, THREADS // 2)
        self._pages = WSGIMiddleware(django)  # type: ignore[arg-type]
        self._pages.executor.shutdown()
        self._pages.executor = self._threads  # type: ignore[assignment]
        self._room = Room()
        self._lines: Lines | None = None
        self._reads: Reads | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pages(scope, receive, send)  # type: ignore[arg-type]
            return
        try:
            with Body(scope, receive, self._room) as body:
                await body.ahead()
                await self._answer(scope, body, send)
        except (*CROWDED, InvalidRequest) as refused:  # which holds no room any more
            await _refuse(refused, scope, body, send)
        finally:
            if body.size > LARGE:  # what is left of it in circles would wait for the collector
                gc.collect(1)

    async def _answer(self, scope: Scope, body: Body, send: Send) -> None:
        """Raises CROWDED, and nothing was sent."""
        asked = asked_in(scope)
        if asked is None:
            caller.set(caller_of(scope))
            await self._pages(scope, body.receive, body.after(send))  # type: ignore[arg-type]
            return
        content = body.whole()
        if content is None:  # whoever asked has gone
            return
        if self._reads is None:  # here there is a loop for sure
            self._lines = Lines(connect, LINES, LINES // 2)
            self._reads = Reads(self._lines)
        try:
            answered = await self._reads.answer(asked, content)
        except CROWDED:
            raise
        except Exception:  # a fault of ours; the whole way may know better, or words it
            logger.exception("a read is left to the whole way")
            answered = None
        if answered is not None:
            await _send(send, 200, answered.headers, answered.content)
        else:
            caller.set(caller_of(scope))
            loop = asyncio.get_running_loop()
            whole = copy_context().run
            await _send(
                send,
                *await loop.run_in_executor(self._threads, whole, self._whole_way, scope, content),
            )

    def close(self) -> None:
        """What it holds: lines that nobody has, and threads with nothing left to do."""
        if self._lines is not None:
            self._lines.close()
        self._threads.shutdown()

    def _whole_way(self, scope: Scope, body: bytes) -> tuple[int, Headers, bytes]:
        signals.request_started.send(sender=type(self), scope=scope)
        request = ASGIRequest(scope, BytesIO(body))
        response = self._django.get_response(request)
        content = b"".join(response)
        response.close()
        return response.status_code, _headers(response), content


def connect() -> psycopg.Connection:
    """One for the loop: as Django's are set up, and no statement takes longer than a read may."""
    parameters = connection.get_connection_params()
    raw = psycopg.connect(**{**parameters, "cursor_factory": psycopg.Cursor}, autocommit=True)
    raw.execute("SELECT set_config('TimeZone', %s, false)", [connection.timezone_name])
    raw.execute(f"SET statement_timeout = {settings.LINLI_READ_SECONDS * 1000}")
    return raw


async def _refuse(refused: Refused, scope: Scope, body: Body, send: Send) -> None:
    """Said at once, and the connection is closed where a body is still to come: after it, or the answer
    would be lost to who sends."""
    asking = ASGIRequest(scope, BytesIO())
    headers = HEADERS | ({"Connection": "close"} if body.more else {})
    with translation.override(translation.get_language_from_request(asking)):
        response = refusal(refused, **headers)
    await _send(send, response.status_code, _headers(response), response.content, body.rest)


def _headers(response: HttpResponseBase) -> Headers:
    return [(name.encode(), value.encode()) for name, value in response.items()]


async def _send(
    send: Send,
    status: int,
    headers: Headers,
    content: bytes,
    before_its_end: Callable[[], Awaitable[None]] | None = None,
) -> None:
    length = (b"Content-Length", b"%d" % len(content))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    if before_its_end is not None:
        await send({"type": "http.response.body", "body": content, "more_body": True})
        await before_its_end()
        content = b""
    await send({"type": "http.response.body", "body": content})
