"""Reading what happened, and how telling it went."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from linli.accounts.policy import Actor, Permission
from linli.events.models import Delivery, Event, WebhookEndpoint
from linli.events.types import event_types


def events(*, actor: Actor) -> QuerySet[Event]:
    """The sequenced events of the domains the actor may read; who may in some communities only
    sees what happened in these."""
    actor.require_somewhere(Permission.EVENTS_READ)
    types: dict[Permission, list[str]] = defaultdict(list)
    for one in event_types():
        types[one.permission].append(one.name)
    hears = actor.communities(Permission.EVENTS_READ)
    visible = Q(pk=None)
    for permission, names in types.items():
        heard = Q(type__in=names)
        for communities in (hears, actor.communities(permission)):
            if communities is not None:
                heard &= Q(community_id__in=communities)
        visible |= heard
    return Event.objects.filter(visible, position__gt=0)


def endpoints(
    *, actor: Actor, permission: Permission = Permission.WEBHOOKS_READ
) -> QuerySet[WebhookEndpoint]:
    """For who has the permission in the whole tenant."""
    every = WebhookEndpoint.objects.filter(deleted_at=None)
    return every if actor.allows(permission) else every.none()


@dataclass(frozen=True)
class LiveSecret:
    """A signing secret as it may be shown: never what it is."""

    pk: UUID
    created_at: datetime


def live_secrets(endpoint: WebhookEndpoint) -> list[LiveSecret]:
    """The one or two of an endpoint, the older first."""
    return [
        LiveSecret(UUID(kept["id"]), datetime.fromisoformat(kept["created_at"]))
        for kept in endpoint.secrets
    ]


def live_secret(key: UUID, *, actor: Actor) -> LiveSecret | None:
    """One of any endpoint; a unit has few."""
    every = (secret for endpoint in endpoints(actor=actor) for secret in live_secrets(endpoint))
    return next((secret for secret in every if secret.pk == key), None)


def deliveries(*, actor: Actor) -> QuerySet[Delivery]:
    every = Delivery.objects.all()
    return every if actor.allows(Permission.WEBHOOKS_READ) else every.none()
