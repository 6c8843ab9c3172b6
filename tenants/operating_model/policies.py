"""Policies from above, arriving in this tenant as frozen copies (M3).

A policy binds from its own day on, but never changes a day that is past: where rules are in force
and it arrives late, it binds from the day it arrives. One that clashes with what stands below it
changes nothing; it waits, and is tried again whenever what stands below changes. What was in force
before it stays so until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.utils import timezone

from linli.audit.record import Acting, record, snapshot
from linli.events.emit import emit
from linli.library.bounds import parse_bounds
from linli.library.layers import LayerSpec
from linli.library.models import Policy
from linli.library.selectors import policies_of
from linli.registry.models import Tenant
from tenants.operating_model.models import Layer
from tenants.operating_model.rulebook import Rulebook, one_at_a_time


def land_policies(tenant: Tenant, *, actor: Acting | None) -> list[Layer]:
    """Freeze every policy that binds this tenant and is not here yet. Again: changes nothing."""
    with one_at_a_time():
        book = Rulebook.load()
        landed = []
        for layer in arriving(tenant, book):
            if book.plus(layer).faults(layer.effective_from):
                layer.state = Layer.State.CLASHING
            else:
                book = book.plus(layer)
            layer.save(force_insert=True)
            record(
                actor=actor,
                action="models.land_policy",
                obj=layer,
                before=None,
                after=snapshot(layer),
                reason=layer.reason,
            )
            tell_layer(actor, "policy.landed", layer)
            landed.append(layer)
        if landed:
            settle_clashes(actor=actor)
    return landed


def settle_clashes(*, actor: Acting | None) -> list[Layer]:
    """Put each waiting policy in force that fits by now, from today or its own later day on.

    For actions that have just changed the rules, inside `one_at_a_time`.
    """
    book = Rulebook.load()
    for layer in waiting():
        before = snapshot(layer, "state", "effective_from")
        layer.state = Layer.State.IN_FORCE
        layer.effective_from = max(layer.effective_from, timezone.localdate())
        if book.plus(layer).faults(layer.effective_from):
            continue
        layer.save(update_fields=["state", "effective_from"])
        record(
            actor=actor,
            action="models.settle_clash",
            obj=layer,
            before=before,
            after=snapshot(layer, "state", "effective_from"),
        )
        tell_layer(actor, "policy.settled", layer)
        return [layer, *settle_clashes(actor=actor)]  # one more rule may let the next one in
    return []


def tell_layer(actor: Acting | None, type: str, layer: Layer) -> None:
    emit(
        actor=actor,
        type=type,
        obj=layer,
        community_id=layer.community_id,
        data={
            "kind": layer.kind,
            "community": layer.community_id,
            "effective_from": layer.effective_from,
            "state": layer.state,
        },
    )


def arriving(tenant: Tenant, book: Rulebook) -> Iterator[Layer]:
    """The policies of the city, the district and the tenant itself that are not here yet.

    As rows that are not saved. A policy replaced by a later one before it could bind is left out.
    """
    today = timezone.localdate()
    earliest = today if book.adoption(today) else date.min
    here = set(Layer.objects.exclude(policy_id=None).values_list("policy_id", flat=True))
    for issuer in (*reversed(tenant.ancestors()), tenant):
        policies = policies_of(issuer)
        for policy in policies:
            day = max(policy.effective_from, earliest)
            if policy.pk not in here and policy == current_policy(policies, day):
                yield Layer(
                    kind=issuer.kind,
                    set_by=issuer.name,
                    values=policy.values,
                    bounds=policy.bounds,
                    effective_from=day,
                    reason=policy.reason,
                    policy_id=policy.pk,
                )


def policies_above(tenant: Tenant, on: date) -> Iterator[LayerSpec]:
    """The policies of a day by which a tenant's own ones are bound, uppermost first."""
    for issuer in reversed(tenant.ancestors()):
        if policy := current_policy(policies_of(issuer), on):
            yield LayerSpec(
                kind=issuer.kind,
                name=issuer.name,
                values=policy.values,
                bounds=parse_bounds(policy.bounds),
                since=policy.effective_from,
                ref=policy.pk,
            )


def waiting() -> Iterator[Layer]:
    """Policies that clash and that no later one of the same issuer has replaced by now."""
    today = timezone.localdate()
    policies = Layer.objects.exclude(policy_id=None).order_by("effective_from", "decided_at", "id")
    for kind in (Layer.Kind.CITY, Layer.Kind.DISTRICT):
        here = [layer for layer in policies if layer.kind == kind]
        for position, layer in enumerate(here):
            day = max(layer.effective_from, today)
            replaced = any(later.effective_from <= day for later in here[position + 1 :])
            if layer.state == Layer.State.CLASHING and not replaced:
                yield layer


def current_policy(policies: list[Policy], day: date) -> Policy | None:
    """Of those of one issuer, in their order, the one that binds on a day."""
    return next((p for p in reversed(policies) if p.effective_from <= day), None)
