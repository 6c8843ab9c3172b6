"""One attempt to deliver, over HTTP. Nothing here touches the database: it runs in threads.

A receiver that trickles its answer must not hold a thread, and httpcore's time-outs are per read. So
the stream is wrapped: each read and write gets what is left of the attempt's whole time.
"""

import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore
from django.db import models
from django.utils.translation import gettext_lazy as _

from linli.events.addresses import (
    AddressRefused,
    GuardedBackend,
    NameUnknown,
    Network,
    Resolve,
    addresses_of,
)

BODY_BYTES = 4_096  # of an answer; what is longer is not read
IDLE_SECONDS = 5


class Failure(models.TextChoices):
    """Why an attempt failed."""

    STATUS = "status", _("the receiver answered with an error")
    REDIRECT = "redirect", _("the receiver answered with a redirect, which is not followed")
    TIMEOUT = "timeout", _("the receiver did not answer in time")
    CONNECTION = "connection", _("no connection, or it broke")
    TLS = "tls", _("no trustworthy TLS connection")
    NAME = "name", _("the host name is not known")
    ADDRESS = "address", _("the host name leads to an address that is not allowed")
    SECRET = "secret", _("the signing secret cannot be read any more")


@dataclass(frozen=True)
class Outcome:
    """failure: None where it was delivered. retry_after: seconds, as the receiver asks for."""

    status: int | None
    failure: Failure | None
    milliseconds: int
    retry_after: int | None = None


class Line:
    """The connections to one endpoint, kept alive between attempts. Used by several threads."""

    def __init__(
        self,
        url: str,
        networks: Sequence[Network],
        *,
        most: int,
        connect_ms: int,
        total_ms: int,
        resolve: Resolve = addresses_of,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.url, self._connect_ms, self._total_ms = url, connect_ms, total_ms
        backend = GuardedBackend(networks, plain=url.startswith("http://"), resolve=resolve)
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=most,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=_InTime(backend),
        )

    def send(self, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """POST it once. Redirects are not followed."""
        started = time.monotonic()
        _attempt.ends = started + self._total_ms / 1000
        waits = {"connect": self._connect_ms, "read": self._total_ms, "write": self._total_ms}
        timeout = {name: ms / 1000 for name, ms in (waits | {"pool": self._total_ms}).items()}
        status, failure, retry_after = None, None, None
        try:
            with self._pool.stream(
                "POST",
                self.url,
                headers=list(headers.items()),
                content=body,
                extensions={"timeout": timeout},
            ) as answer:
                status = answer.status
                failure, retry_after = _failure_of(status), _retry_after(answer.headers)
                _read_a_little(answer)
        except Exception as error:
            failure = _reason(error)
        return Outcome(status, failure, round((time.monotonic() - started) * 1000), retry_after)

    def close(self) -> None:
        self._pool.close()


_attempt = threading.local()


class _InTime(httpcore.NetworkBackend):
    """Streams of the backend, within what is left of the thread's attempt."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self, host: str, port: int, timeout: Any = None, *rest: Any, **more: Any
    ) -> Any:
        return _Stream(self._inner.connect_tcp(host, port, _limit(timeout), *rest, **more))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        return self._inner.read(max_bytes, _limit(timeout))

    def write(self, buffer: bytes, timeout: Any = None) -> None:
        self._inner.write(buffer, _limit(timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: Any = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _limit(timeout)))

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _limit(timeout: Any) -> Any:
    left = _attempt.ends - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return min(left, timeout) if timeout else left


def _failure_of(status: int) -> Failure | None:
    if 200 <= status < 300:
        return None
    return Failure.REDIRECT if 300 <= status < 400 else Failure.STATUS


def _read_a_little(answer: httpcore.Response) -> None:
    """So that the connection can be used again; one with more to say is closed instead. The status
    has been heard, so whatever happens here is no failure."""
    length = 0
    try:
        for part in answer.iter_stream():
            length += len(part)
            if length > BODY_BYTES:
                return
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        return


def _reason(error: Exception) -> Failure:
    causes = [error, error.__cause__, error.__context__]
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return Failure.TLS
    kinds = {
        AddressRefused: Failure.ADDRESS,
        NameUnknown: Failure.NAME,
        httpcore.TimeoutException: Failure.TIMEOUT,
    }
    found = (reason for kind, reason in kinds.items() if isinstance(error, kind))
    return next(found, Failure.CONNECTION)


def _retry_after(headers: Sequence[tuple[bytes, bytes]]) -> int | None:
    """In seconds or as a date; None for what is neither."""
    told = next((v.decode("latin-1") for k, v in headers if k.lower() == b"retry-after"), "")
    if told.isascii() and told.isdigit() and len(told) < 10:
        return int(told)
    try:
        return max(round((parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()), 0)
    except (ValueError, TypeError):
        return None
