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
    by_reach: dict[frozenset | None, list[str]] = defaultdict(list)
    hears = actor.communities(Permission.EVENTS_READ)
    for one in event_types():
        reads = actor.communities(one.permission)
        both = hears if reads is None else reads if hears is None else hears & reads
        by_reach[both].append(one.name)
    visible = Q(pk=None)
    for communities, types in by_reach.items():
        if communities is None:
            visible |= Q(type__in=types)
        elif communities:
            visible |= Q(type__in=types, community_id__in=communities)
    return Event.objects.filter(visible, position__gt=0)


def endpoints(*, actor: Actor) -> QuerySet[WebhookEndpoint]:
    """For who may manage them in the whole tenant."""
    every = WebhookEndpoint.objects.filter(deleted_at=None)
    return every if actor.allows(Permission.WEBHOOKS_MANAGE) else every.none()


def deliveries(*, actor: Actor) -> QuerySet[Delivery]:
    every = Delivery.objects.all()
    return every if actor.allows(Permission.WEBHOOKS_MANAGE) else every.none()
