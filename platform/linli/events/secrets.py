"""Signing secrets of endpoints: made, kept sealed, used.

A password is hashed; a signing secret must be read again to sign, so it is kept encrypted under a key
derived from LINLI_SECRET_KEY.
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import sha256
from hmac import new as hmac
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils import timezone

from linli.ids import uuid7

HEADER = "Linli-Signature"
LIVE = 2


def new_secret() -> tuple[str, dict[str, Any]]:
    """A secret as the integrator is told it, once, and as it is kept."""
    told = "whsec_" + secrets.token_urlsafe(32)
    kept = {
        "id": str(uuid7()),
        "sealed": _fernet().encrypt(told.encode()).decode(),
        "created_at": timezone.now().isoformat(),
    }
    return told, kept


@lru_cache(maxsize=10_000)
def opened(sealed: str) -> str:
    """Raises `cryptography.fernet.InvalidToken` where it was sealed under another key."""
    return _fernet().decrypt(sealed.encode()).decode()


def signature(live: Sequence[str], timestamp: int, body: bytes) -> str:
    """The header's value: ``t=…,v1=…``, with one ``v1`` for each live secret."""
    signed = f"{timestamp}.".encode() + body
    marks = [hmac(secret.encode(), signed, sha256).hexdigest() for secret in live]
    return ",".join([f"t={timestamp}", *(f"v1={mark}" for mark in marks)])


@cache
def _fernet() -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"linli.events.secrets")
    return Fernet(urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())))
