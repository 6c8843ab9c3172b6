"""Identity: time-ordered UUIDs, as `uuid.UUID`, and the global ids that name a row outside."""

from base64 import b64encode
from typing import Any

from uuid_utils.compat import uuid7

__all__ = ["encode", "uuid7"]


def encode(type_name: str, key: Any) -> str:
    """The global id of a row: base64 of ``Partner:<key>``. It names no schema."""
    return b64encode(f"{type_name}:{key}".encode()).decode()
