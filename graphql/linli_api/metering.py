"""The points of whoever sends a request; what one costs is `linli_api.limits.cost`."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest

from linli.budget import lease
from linli.budget.callers import of_address
from linli.budget.headers import headers


class Meter:
    """Counts one request. principal_id: the person or client who answers for it; None: nobody is
    logged in, and the address counts."""

    def __init__(self, request: HttpRequest, principal_id: UUID | None) -> None:
        self.lease: lease.Lease | None = None
        self.limit = settings.LINLI_POINTS_A_MINUTE
        if principal_id is None:
            self.limit = settings.LINLI_POINTS_A_MINUTE_ANONYMOUS
            self.caller = of_address(get_adapter(request).get_client_ip(request))
        else:
            self.caller = principal_id

    def open(self) -> None:
        """Raises RateLimited, before a document is read, for who is known to have nothing left."""
        used_up = lease.used_up(self.caller)
        if used_up:
            self.lease = used_up
            raise lease.RateLimited(used_up)

    def spend(self, points: int) -> None:
        """Raises RateLimited; what else it raises is a fault, and nobody is waved through."""
        try:
            self.lease = lease.spend(self.caller, points, limit=self.limit)
        except lease.RateLimited as refused:
            self.lease = refused.lease
            raise

    def told(self) -> dict[str, Any]:
        """For the answer's extensions."""
        assert self.lease is not None
        return told(self.lease)

    def headers(self, status: int) -> Iterator[tuple[str, str]]:
        if self.lease is not None:
            yield from headers(self.lease, status)


def told(held: lease.Lease) -> dict[str, Any]:
    """What the answer's extensions tell of a caller's minute."""
    return {
        "limitPerMinute": held.limit,
        "remaining": held.remaining,
        "resetsInSeconds": held.seconds_left,
    }
