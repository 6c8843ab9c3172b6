"""Reading partners, their agreements and what they owe, in the communities the actor may read."""

from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from linli.accounts.policy import Actor, Permission
from tenants.partners.models import Agreement, Contribution, Declaration, Partner


def partners(*, actor: Actor) -> QuerySet[Partner]:
    return _within(Partner.objects.all(), "community", _readable(actor))


def agreements(*, actor: Actor) -> QuerySet[Agreement]:
    return _within(Agreement.objects.all(), "partner__community", _readable(actor))


def declarations(*, actor: Actor) -> QuerySet[Declaration]:
    return _within(Declaration.objects.all(), "agreement__partner__community", _readable(actor))


def contributions(*, actor: Actor) -> QuerySet[Contribution]:
    return _within(Contribution.objects.all(), "partner__community", _readable(actor))


def partners_to_act_on(actor: Actor, permission: Permission) -> QuerySet[Partner]:
    """Those of the communities in which the actor has the permission."""
    return _within(Partner.objects.all(), "community", actor.communities(permission))


def agreements_to_act_on(actor: Actor, permission: Permission) -> QuerySet[Agreement]:
    """Those of the communities in which the actor has the permission, each with its partner."""
    every = Agreement.objects.select_related("partner")
    return _within(every, "partner__community", actor.communities(permission))


def operating_on(day: date) -> QuerySet[Partner]:
    """Partners with an agreement in force on a day."""
    in_force = Agreement.objects.filter(starts_on__lte=day, ends_on__gt=day)
    return Partner.objects.filter(pk__in=in_force.values("partner"))


def _readable(actor: Actor) -> frozenset[UUID] | None:
    return actor.communities(Permission.PARTNERS_READ)


def _within(rows: QuerySet, path: str, communities: frozenset[UUID] | None) -> QuerySet:
    return rows if communities is None else rows.filter(**{f"{path}__in": communities})
