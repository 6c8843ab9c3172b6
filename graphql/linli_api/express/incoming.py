"""A request as ASGI hands it over, as far as the express looks at it."""

from collections.abc import Hashable
from functools import lru_cache
from typing import Any, NamedTuple

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host

from linli.budget.callers import of_address
from linli.clients import admission
from linli_api.door import PATH
from linli_api.limits import BODY_BYTES

Scope = dict[str, Any]
_NONE = b""
_OF_BODIES = (b"content-length", b"transfer-encoding")
# A longer header is nothing that is worth to be remembered.
LONGEST = 300


class Asked(NamedTuple):
    """host: the tenant's, as `linli.clients.admission` knows it; empty at the platform's."""

    scope: Scope
    host: str
    token: str


def asked_in(scope: Scope) -> Asked | None:
    """None for what is no program's plain POST; the whole way says what it is."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != PATH:
        return None
    headers = dict(scope["headers"])
    if len(headers) < len(scope["headers"]) or b"idempotency-key" in headers:
        return None
    if settings.SECURE_SSL_REDIRECT and scope["scheme"] != "https":
        return None
    scheme, _space, token = headers.get(b"authorization", _NONE).partition(b" ")
    length = headers.get(b"content-length", _NONE)
    if scheme.lower() != b"bearer" or not length.isdigit() or int(length) > BODY_BYTES:
        return None
    asked_at, content_type = headers.get(b"host", _NONE), headers.get(b"content-type", _NONE)
    if max(len(asked_at), len(content_type)) > LONGEST:
        return None
    host = _host(asked_at)
    if host is None or not _is_json(content_type) or not token.isascii():
        return None
    return Asked(scope, host.lower(), token.strip().decode())


def has_body(scope: Scope) -> bool:
    return any(name in _OF_BODIES for name, _value in scope["headers"])


def caller_of(scope: Scope) -> Hashable:
    """Whose share of the threads it takes: the person's or client's whose token is known, or else the
    address's."""
    headers = dict(scope["headers"])
    scheme, _space, token = headers.get(b"authorization", _NONE).partition(b" ")
    host = _host(headers.get(b"host", _NONE))
    if scheme.lower() == b"bearer" and host is not None and token.isascii():
        known = admission.known(host.lower(), token.strip().decode())
        if known is not None:
            return known.caller
    return address_of(scope)


def address_of(scope: Scope) -> int:
    """Of where it comes from, as whose points are counted who is not logged in."""
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    client, told = scope.get("client"), b",".join(forwarded)
    # One that is longer is no proxy's, and is not worth to be remembered.
    return _address(client[0] if client else "", told if len(told) <= LONGEST else b"")


@lru_cache(10_000)
def _address(client: str, forwarded: bytes) -> int:
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = client
    if forwarded:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded.decode("latin-1")
    try:
        return of_address(get_adapter(request).get_client_ip(request)).int
    except PermissionDenied:  # it tells none
        return of_address("").int


@lru_cache(1_000)
def _host(header: bytes) -> str | None:
    try:
        host, _port = split_domain_port(header.decode())
    except ValueError:
        return None
    if not host or not validate_host(host, settings.ALLOWED_HOSTS):
        return None
    return "" if host in settings.LINLI_PLATFORM_HOSTS else host


@lru_cache(1_000)
def _is_json(content_type: bytes) -> bool:
    return content_type.partition(b";")[0].strip().lower() == b"application/json"
