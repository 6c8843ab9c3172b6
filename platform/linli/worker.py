"""gunicorn's worker: uvicorn's, with httptools for HTTP and uvloop for the loop, and what those lack.

Heads have limits, as gunicorn's own workers give them. Whether a request came by TLS is believed from
the proxies that gunicorn trusts, and from nobody else; who asks is not rewritten (that is
LINLI_TRUSTED_PROXIES' affair).
"""

import os
import signal
from asyncio import AbstractEventLoop, TimerHandle
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn_worker import UvicornWorker

# A request's line and headers beyond these are nobody's honest request.
HEAD_BYTES = 32_000
HEADERS = 100
# For a head, from the connection or its first byte on; whoever takes longer is not waited for.
HEAD_SECONDS = 15
# Bytes of an answer that wait for the end of a turn.
MOST_HELD = 64_000
PARENT_SECONDS = 1
TOO_LARGE = "The head of the request is too large."


class HeadTooLarge(Exception):
    """Raised within the parser, which answers 400 and closes."""


class Gathering:
    """A transport for which what is written in one turn of the loop is sent at once: uvicorn writes
    head and body of an answer apart, and each would be a packet."""

    def __init__(self, transport: Any, loop: AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []
        self._held = 0

    def write(self, part: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(part)
        self._held += len(part)
        if self._held > MOST_HELD:  # whether the client keeps up is known below only
            self._send()

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._parts:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()
            self._held = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """One connection."""

    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    any_proxy = False

    _late: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(Gathering(transport, self.loop))  # type: ignore[arg-type]
        self._unfinished: int | None = None  # bytes so far of a head that is not whole yet
        self._by_proxy = self.any_proxy or self._is_proxy(self.client)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._unfinished is not None:
            self._unfinished += len(data)
            self._wait_for_head()
            if self._unfinished > HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response(TOO_LARGE)
        elif self.cycle is None or self.cycle.response_complete:
            # A line's end and no more: no head begins, but uvicorn waits no longer for one.
            self._wait_for_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._unfinished = self._bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._bytes += len(name) + len(value)
        if len(self.headers) >= HEADERS or self._bytes + len(self.url) > HEAD_BYTES:
            raise HeadTooLarge
        if b"_" in name:  # to WSGI it is one with another's name
            return
        if self._by_proxy and name.lower() == b"x-forwarded-proto" and value == b"https":
            self.scope["scheme"] = "https"
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._unfinished = None
        self._wait_no_more()
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _unsupported_upgrade_warning(self) -> None:
        """Whoever offers another protocol is answered in this one: nothing to be warned of."""

    def _is_proxy(self, client: tuple[str, int] | None) -> bool:
        # Through a socket of the machine's file system comes nobody but its proxy.
        return client is None or any(ip_address(client[0]) in proxy for proxy in self.proxies)


class Worker(UvicornWorker):
    CONFIG_KWARGS = {
        "loop": "uvloop",
        "ws": "none",
        "lifespan": "off",
        "interface": "asgi3",
        "proxy_headers": False,
        "server_header": False,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.config.http = type("Believing", (Protocol,), self._believed())
        self.config.timeout_graceful_shutdown = self.cfg.graceful_timeout
        self.config.timeout_notify = PARENT_SECONDS

    def notify(self) -> None:
        """Every PARENT_SECONDS: gunicorn hears that this worker lives, and this worker whether gunicorn
        does. One that was killed outright ends none of its workers, which would keep its port for ever."""
        super().notify()
        if os.getppid() != self.ppid:
            signal.raise_signal(signal.SIGTERM)

    def _believed(self) -> dict[str, Any]:
        return {
            "any_proxy": "*" in self.cfg.forwarded_allow_ips,
            "proxies": tuple(self.cfg.forwarded_allow_networks()),
        }
