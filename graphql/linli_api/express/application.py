"""The ASGI application: what `reads` can answer is answered on the loop, all else by Django.

Django's stack is synchronous; it runs in threads of its own, each with a database connection that
is kept. A program's POST is small and is handed over whole; pages, files and what people send go
through a2wsgi, which passes both ways on as it comes.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from io import BytesIO
from typing import Any, TypeVar

import psycopg
from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.tenancy.postgresql.lines import Lines
from linli_api.errors import InvalidRequest
from linli_api.express.incoming import Scope, asked_in
from linli_api.express.reads import Reads
from linli_api.incoming import refusal

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# Of each kind in a process: threads for Django, and connections for the loop.
THREADS = 4
LINES = 4
# Bytes of a body that are read for nothing.
MOST_UNWANTED = 64_000_000
# Bytes of a page's body that are taken in before it is handed over: more than Django takes of one.
MOST_AHEAD = 2_621_440
BODY_SECONDS = 30
Taken = TypeVar("Taken")


class Application:
    def __init__(self, django: WSGIHandler) -> None:
        self._django = django
        self._threads = ThreadPoolExecutor(THREADS, "programs")
        self._pages = WSGIMiddleware(django, THREADS)  # type: ignore[arg-type]
        self._lines: Lines | None = None
        self._reads: Reads | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = asked_in(scope)
        if asked is None:
            if scope["type"] == "http":
                sent = _Body(scope, receive)
                if not await _in_time(sent.ahead(), scope, send):
                    return
                receive, send = sent.receive, sent.after(send)
            await self._pages(scope, receive, send)  # type: ignore[arg-type]
            return
        body = await _in_time(_whole(receive), scope, send)
        if body is None:  # whoever asked has gone
            return
        if self._reads is None:  # here there is a loop for sure
            self._lines = Lines(connect, LINES)
            self._reads = Reads(self._lines)
        try:
            answered = await self._reads.answer(asked, body)
        except Exception:  # a fault of ours; the whole way may know better, or words it
            logger.exception("a read is left to the whole way")
            answered = None
        if answered is not None:
            await _send(send, 200, answered.headers, answered.content)
        else:
            loop = asyncio.get_running_loop()
            whole = copy_context().run
            await _send(
                send,
                *await loop.run_in_executor(self._threads, whole, self._whole_way, scope, body),
            )

    def close(self) -> None:
        """What it holds: lines that nobody has, and threads with nothing left to do."""
        if self._lines is not None:
            self._lines.close()
        self._threads.shutdown()
        self._pages.executor.shutdown()

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


class _Body:
    """What a page is sent. All that Django takes of it is taken in before a thread is, so that none
    waits for a client who is slow; the rest, which nobody wants, is read before the answer is sent: a
    connection that is closed on a client who still sends takes the answer with it. For all of it there
    is one time; who has not sent it by then has gone."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        names = {name for name, _value in scope["headers"]}
        self._more = bool(names & {b"content-length", b"transfer-encoding"})
        self._taken: deque[dict[str, Any]] = deque()
        self._ends_at = asyncio.get_running_loop().time() + BODY_SECONDS

    async def ahead(self) -> bool:
        size = 0
        while self._more and size <= MOST_AHEAD:
            message = await self._receive()
            self._taken.append(message)
            self._more = message.get("more_body", False)
            size += len(message.get("body", b""))
        return True

    async def receive(self) -> dict[str, Any]:
        if self._taken:
            return self._taken.popleft()
        try:
            async with asyncio.timeout_at(self._ends_at if self._more else None):
                message = await self._receive()
        except TimeoutError:
            message = {"type": "http.disconnect"}
        self._more = message.get("more_body", False)
        return message

    def after(self, send: Send) -> Send:
        async def sending(message: dict[str, Any]) -> None:
            left = MOST_UNWANTED
            while self._more and left > 0 and message["type"] == "http.response.start":
                left -= len((await self.receive()).get("body", b""))
            await send(message)

        return sending


async def _whole(receive: Receive) -> bytes | None:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _in_time(taking: Awaitable[Taken], scope: Scope, send: Send) -> Taken | None:
    """What comes of taking in a body; None, and that is said, where it does not come."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await taking
    except TimeoutError:
        message = _("The body did not come within {seconds} seconds. Send it anew.")
        late = InvalidRequest("BODY_TOO_SLOW", format_lazy(message, seconds=BODY_SECONDS))
        asking = ASGIRequest(scope, BytesIO())
        with translation.override(translation.get_language_from_request(asking)):
            response = refusal(late, Connection="close")
        await _send(send, response.status_code, _headers(response), response.content)
        return None


def _headers(response: HttpResponseBase) -> Headers:
    return [(name.encode(), value.encode()) for name, value in response.items()]


async def _send(send: Send, status: int, headers: Headers, content: bytes) -> None:
    length = (b"Content-Length", b"%d" % len(content))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": content})
