"""Reading what happened, and how telling it went."""

from collections import defaultdict

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


def endpoints(*, actor: Actor) -> QuerySet[WebhookEndpoint]:
    """For who may manage them in the whole tenant."""
    every = WebhookEndpoint.objects.filter(deleted_at=None)
    return every if actor.allows(Permission.WEBHOOKS_MANAGE) else every.none()


def deliveries(*, actor: Actor) -> QuerySet[Delivery]:
    every = Delivery.objects.all()
    return every if actor.allows(Permission.WEBHOOKS_MANAGE) else every.none()
