"""Whose points a request uses."""

from hashlib import sha256
from ipaddress import ip_address
from uuid import UUID

from django.conf import settings


def of_address(address: str) -> UUID:
    """An anonymous caller's: a keyed hash, so that no address is kept.

    Of IPv6 the first 64 bits: one subscriber has all the rest.
    """
    try:
        ip = ip_address(address)
        place = str(ip) if ip.version == 4 else str(int(ip) >> 64)
    except ValueError:
        place = address
    key = f"linli.budget.callers\n{settings.SECRET_KEY}\n{place}"
    return UUID(bytes=sha256(key.encode()).digest()[:16])
