"""Reading communities."""

from datetime import date
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import NotFound
from tenants.communities.models import Community


def communities(*, actor: Actor) -> QuerySet[Community]:
    """Those the actor may read."""
    reach = actor.communities(Permission.COMMUNITIES_READ)
    every = Community.objects.all()
    return every if reach is None else every.filter(pk__in=reach)


def community_to_act_on(community_id: UUID, *, field: str = "communityId") -> Community:
    """The community an action names; the caller has checked the permission. Raises `NotFound`."""
    community = Community.objects.filter(pk=community_id).first()
    if community is None:
        raise NotFound(_("community"), field=field)
    return community


def communities_on(day: date) -> QuerySet[Community]:
    """Those that were on board on a day."""
    return Community.objects.filter(opened_on__lte=day)
