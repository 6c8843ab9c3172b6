"""Secrets of ours: made, shown once, kept as digests.

A secret has 256 bits from the system, so a plain hash of it tells nothing and takes no time; slow
hashes are for what people think up. The prefix lets scanners of source code know one for ours.
"""

from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

CLIENT_SECRET = "linli_cs_"
ACCESS_TOKEN = "linli_at_"
PERSONAL_TOKEN = "linli_pt_"


def new_secret(prefix: str) -> str:
    return prefix + token_urlsafe(32)


def digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def new_client_id() -> str:
    """What a client calls itself; no secret."""
    return f"linli_{token_urlsafe(12)}"


def new_access_token(request: Any) -> str:
    """ACCESS_TOKEN_GENERATOR of the OAuth library."""
    return new_secret(ACCESS_TOKEN)
