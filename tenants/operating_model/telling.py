"""What a tenant's own rules change of the version it runs, told to those on the same model (M7)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from linli import sizes
from linli.accounts.policy import Actor
from linli.library import paths
from linli.library.actions import record_changes
from linli.library.document import canonical, parse_document, plain
from linli.library.models import ChangeRecord
from linli.library.personal import looks_like
from linli.library.places import is_worded
from linli.registry.models import Tenant
from tenants.operating_model.models import Layer
from tenants.operating_model.rulebook import Rulebook

# Bytes of a value that is told; a larger one is a section, for which the place says enough.
VALUE_BYTES = 2_048
PLACES_BYTES = sizes.DOCUMENT


def tell_changes(*, actor: Actor, tenant: Tenant, since: date) -> None:
    """Record what differs from ``since`` on, as the rules stand now; for actions that have just
    changed them, inside `one_at_a_time`.

    On each later day on which something was decided before, too: what differs then may be
    something else now.
    """
    book = Rulebook.load()
    decided = {one.effective_from for one in book.adoptions}
    decided |= {one.effective_from for one in book.layers}
    days = sorted({since, *(day for day in decided if day > since)})
    record_changes(actor=actor, told=list(_told(tenant, book, days)))


def _told(tenant: Tenant, book: Rulebook, days: list[date]) -> Iterator[ChangeRecord]:
    """A row for each day on which it differs from what is told of that day by now."""
    stands = _standing(tenant, days)
    last: ChangeRecord | None = None
    for day in days:
        standing = stands[day]
        # Rows of one day overrule each other, and those of earlier days.
        if last and (standing is None or standing.effective_from <= last.effective_from):
            standing = last
        found = _record(tenant, book, day)
        if _differs(standing, found):
            yield found
            last = found


def _standing(tenant: Tenant, days: list[date]) -> dict[date, ChangeRecord | None]:
    """What is told of each of these days, in one statement."""
    told = list(
        ChangeRecord.objects.filter(tenant=tenant, effective_from__lte=days[-1]).order_by(
            "effective_from", "id"
        )
    )
    return {
        day: next((one for one in reversed(told) if one.effective_from <= day), None)
        for day in days
    }


def _differs(standing: ChangeRecord | None, found: ChangeRecord) -> bool:
    if standing is None:
        return bool(found.count or found.communities)
    before = (standing.places, standing.count, standing.communities)
    return canonical(before) != canonical((found.places, found.count, found.communities))


def _record(tenant: Tenant, book: Rulebook, day: date) -> ChangeRecord:
    adoption = book.adoption(day)
    street = book.layer(Layer.Kind.STREET, None, day)
    values = street.values if street and adoption else {}
    model = plain(parse_document(adoption.version.document)) if adoption and values else {}
    return ChangeRecord(
        tenant=tenant,
        effective_from=day,
        places=_places(model, values),
        count=len(values),
        communities=_communities(book, day),
    )


def _places(model: dict[str, Any], values: dict[str, Any]) -> list[dict[str, Any]]:
    """Numbers, rates and choices are told to everybody on the model; of what somebody worded, where it
    stands and no more, for nobody has looked through it before it leaves."""
    places, room = [], PLACES_BYTES
    for path in sorted(values):
        before = paths.get(model, path) if paths.exists(model, path) else None
        if looks_like(path):  # an item's key may be anything
            continue
        both = {"path": path, "model": before, "here": values[path]}
        size = sizes.size_of(both)
        if size > VALUE_BYTES or is_worded(path, before) or is_worded(path, values[path]):
            both = {"path": path}
            size = sizes.size_of(both)
        if size > room:
            break
        room -= size
        places.append(both)
    return places


def _communities(book: Rulebook, day: date) -> int:
    """How many have a layer that sets or bounds anything on that day."""
    of: dict[UUID, bool] = {}
    for layer in book.layers:
        if layer.community_id is not None and layer.effective_from <= day:
            of[layer.community_id] = bool(layer.values or layer.bounds)
    return sum(of.values())
