"""Tenants at which something failed, such as one whose schema lags behind because a migration failed.

Each is left alone for a second, then twice as long each time, at most a minute: so it stops no other,
does not keep the process busy, and goes on soon after it is mended.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from linli.events.sequencing import Busy
from linli.registry.models import Tenant

FIRST_MS = 1_000
LONGEST_MS = 60_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Faults:
    """In a row, and until when to leave it alone: milliseconds of the monotonic clock."""

    count: int
    until: int


class Aside:
    def __init__(self) -> None:
        self._faults: dict[UUID, Faults] = {}

    @contextmanager
    def what_fails(self, tenant: Tenant) -> Iterator[None]:
        """Around what is done for one tenant: where it fails, the tenant is put aside and named.

        Raises `Busy`, which is none of its faults, and what a lost connection to the database raises,
        which is not the tenant's.
        """
        try:
            yield
        except Busy:
            raise
        except Exception as error:
            if not connection.is_usable():
                raise
            self._put(tenant, error)

    def __contains__(self, tenant_id: UUID) -> bool:
        faults = self._faults.get(tenant_id)
        return faults is not None and faults.until > _milliseconds()

    def tenants(self) -> set[UUID]:
        return {pk for pk in self._faults if pk in self}

    def is_well(self, tenant_id: UUID) -> None:
        self._faults.pop(tenant_id, None)

    def _put(self, tenant: Tenant, error: Exception) -> None:
        before = self._faults.get(tenant.pk)
        count = before.count + 1 if before else 1
        wait = min(FIRST_MS * 2 ** min(count - 1, 20), LONGEST_MS)
        self._faults[tenant.pk] = Faults(count, _milliseconds() + wait)
        # The whole stack once: what follows is most often the same.
        logger.error(
            "webhooks of %s are left alone for %s s, after faults in a row: %s, the last: %r",
            tenant.schema_name, wait // 1000, count, error, exc_info=error if count == 1 else None,
        )  # fmt: skip


def _milliseconds() -> int:
    return time.monotonic_ns() // 1_000_000
