"""Cursors: where a row stands in one ordering of one type.

A cursor holds the row's values of the ordering's columns and a checksum made with the server's
secret over them, the type and the ordering. A changed cursor, or one of another list, is refused
with CURSOR_INVALID. It grants nothing: rows are narrowed whatever it says.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from linli.errors import Refused
from linli_api import scalars

CHECKSUM = 8
LONGEST = 4_000


def encode(scope: str, values: Sequence[Any]) -> str:
    body = json.dumps([_plain(value) for value in values], ensure_ascii=False).encode()
    return urlsafe_b64encode(_checksum(scope, body) + body).decode()


def decode(scope: str, cursor: str, *, field: str) -> list[Any]:
    """The values in a cursor of this scope ("Partner:NAME")."""
    try:
        raw = urlsafe_b64decode(cursor[:LONGEST].encode())
    except ValueError:
        raw = b""
    checksum, body = raw[:CHECKSUM], raw[CHECKSUM:]
    if not compare_digest(checksum, _checksum(scope, body)):
        message = _("This cursor is not one of this list in this order. Start from the first page.")
        raise Refused("CURSOR_INVALID", message, field=field)
    return json.loads(body)


@cache
def key_of(scope: str) -> bytes:
    """What the checksums of a scope start from. The planner hands it to PostgreSQL, which makes
    cursors as `encode` does; it tells nothing of the secret."""
    return sha256(f"linli_api.cursors\n{settings.SECRET_KEY}\n{scope}\n".encode()).digest()


def _checksum(scope: str, body: bytes) -> bytes:
    return sha256(key_of(scope) + body).digest()[:CHECKSUM]


def _plain(value: Any) -> int | str:
    """As PostgreSQL writes it in JSON."""
    if isinstance(value, datetime):
        return scalars.instant(value)
    return value if isinstance(value, int | str) else str(value)
