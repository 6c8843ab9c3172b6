"""A version and the layers that come with it take effect: written, and told to whoever follows."""

from __future__ import annotations

from collections.abc import Sequence

from linli.accounts.policy import Actor
from linli.events.emit import emit
from linli.library import actions as library
from linli.library.selectors import published_from
from linli.registry.models import Tenant
from tenants.operating_model.models import Adoption, Layer
from tenants.operating_model.policies import tell_layer
from tenants.operating_model.telling import tell_changes


def take_effect(
    actor: Actor, tenant: Tenant, adoption: Adoption, layers: Sequence[Layer] = ()
) -> None:
    """Save rows that were worked out and checked; for actions that hold the tenant's rules.

    Told to integrators, to the library, which keeps who runs what, and to those on the same model.
    """
    adoption.save(force_insert=True)
    version = adoption.version
    for layer in layers:
        layer.save(force_insert=True)
        tell_layer(actor, "layer.set", layer)
    street = next((layer for layer in layers if layer.kind == Layer.Kind.STREET), None)
    emit(
        actor=actor,
        type="model_version.adopted",
        obj=adoption,
        data={
            "version": version.pk,
            "effective_from": adoption.effective_from,
            "layer": street.pk if street else None,
        },
    )
    library.record_adoption(
        actor=actor,
        tenant=tenant,
        adoption_id=adoption.pk,
        published=published_from(
            author_id=version.author_id, key=version.key, number=version.number
        ),
        effective_from=adoption.effective_from,
    )
    tell_changes(actor=actor, tenant=tenant, since=adoption.effective_from)
