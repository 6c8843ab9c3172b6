"""Cursors: where a row stands in one ordering of one type, at one host.

A cursor holds the row's values of the ordering's columns and a checksum made with the server's
secret over them, the tenant, the type and the ordering. A changed cursor, one of another list or of
another tenant's is refused with CURSOR_INVALID. It grants nothing: rows are narrowed whatever it says.

scope: type and ordering ("Partner:NAME"). tenant_id: None at the platform's host.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from linli.errors import Refused
from linli_api import scalars

CHECKSUM = 8
LONGEST = 4_000


def encode(scope: str, tenant_id: UUID | None, values: Sequence[Any]) -> str:
    body = json.dumps([_plain(value) for value in values], ensure_ascii=False).encode()
    return urlsafe_b64encode(_checksum(scope, tenant_id, body) + body).decode()


def decode(scope: str, tenant_id: UUID | None, cursor: str, *, field: str) -> list[Any]:
    """The values in a cursor of this scope and tenant."""
    try:
        raw = urlsafe_b64decode(cursor[:LONGEST].encode())
    except ValueError:
        raw = b""
    checksum, body = raw[:CHECKSUM], raw[CHECKSUM:]
    if not compare_digest(checksum, _checksum(scope, tenant_id, body)):
        message = _("This cursor is not one of this list in this order. Start from the first page.")
        raise Refused("CURSOR_INVALID", message, field=field)
    return json.loads(body)


@lru_cache(4096)
def key_of(scope: str, tenant_id: UUID | None) -> bytes:
    """What the checksums of a scope of a tenant start from. The planner hands it to PostgreSQL, which
    makes cursors as `encode` does; it tells nothing of the secret."""
    of = f"linli_api.cursors\n{settings.SECRET_KEY}\n{scope}\n{tenant_id or ''}\n"
    return sha256(of.encode()).digest()


def _checksum(scope: str, tenant_id: UUID | None, body: bytes) -> bytes:
    return sha256(key_of(scope, tenant_id) + body).digest()[:CHECKSUM]


def _plain(value: Any) -> int | str:
    """As PostgreSQL writes it in JSON."""
    if isinstance(value, datetime):
        return scalars.instant(value)
    return value if isinstance(value, int | str) else str(value)
