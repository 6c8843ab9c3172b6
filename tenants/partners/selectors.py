"""Reading partners, their agreements and what they owe, in the communities the actor may read."""

from datetime import date
from uuid import UUID

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import Refused
from tenants.operating_model.dependents import Unfit
from tenants.operating_model.rulebook import Rulebook
from tenants.partners.fitting import not_fitting
from tenants.partners.models import Agreement, Contribution, Declaration, Partner

MOST_DAYS = 3 * 366  # of which to sum up months at once


def partners(*, actor: Actor) -> QuerySet[Partner]:
    return _within(Partner.objects.all(), "community", _readable(actor))


def agreements(*, actor: Actor) -> QuerySet[Agreement]:
    return _within(Agreement.objects.all(), "partner__community", _readable(actor))


def declarations(*, actor: Actor) -> QuerySet[Declaration]:
    return _within(Declaration.objects.all(), "agreement__partner__community", _readable(actor))


def contributions(*, actor: Actor) -> QuerySet[Contribution]:
    return _within(Contribution.objects.all(), "partner__community", _readable(actor))


def contribution_months(
    *, actor: Actor, since: date, until: date, community_id: UUID | None = None
) -> QuerySet:
    """What was worked out to be owed, by community and month, for periods that start on the days
    [since, until): ``community_id``, ``month`` (its first day), ``owed_fen``, ``declarations``."""
    period = {"declaration__starts_on__gte": since, "declaration__starts_on__lt": until}
    rows = contributions(actor=actor).filter(**period)
    if community_id is not None:
        rows = rows.filter(partner__community=community_id)
    return (
        rows.values(
            community_id=F("partner__community_id"), month=TruncMonth("declaration__starts_on")
        )
        .annotate(owed_fen=Sum("amount_fen"), declarations=Count("pk"))
        .order_by("month", "community_id")
    )


def check_months(*, since: date, until: date, community_id: UUID | None = None) -> None:
    """Raises `Refused` PERIOD_INVALID, PERIOD_TOO_LONG."""
    if until <= since:
        message = _("It must end after it starts; the end is the first day not included.")
        raise Refused("PERIOD_INVALID", message, field="until")
    if (until - since).days > MOST_DAYS:
        message = _("Ask for {most} days at most at a time.")
        raise Refused("PERIOD_TOO_LONG", format_lazy(message, most=MOST_DAYS), field="until")


def unfit_agreements(*, actor: Actor, community_id: UUID | None = None) -> list[Unfit]:
    """The agreements running today that do not fit the rules in force today (P3)."""
    actor.require_somewhere(Permission.PARTNERS_READ)
    reach = _readable(actor)
    if community_id is not None:
        reach = frozenset({community_id}) & (reach if reach is not None else {community_id})
    return not_fitting(Rulebook.load(), timezone.localdate(), reach)


def partners_to_act_on(actor: Actor, permission: Permission) -> QuerySet[Partner]:
    """Those of the communities in which the actor has the permission."""
    return _within(Partner.objects.all(), "community", actor.communities(permission))


def operating_on(day: date) -> QuerySet[Partner]:
    """Partners with an agreement in force on a day."""
    in_force = Agreement.objects.filter(starts_on__lte=day, ends_on__gt=day)
    return Partner.objects.filter(pk__in=in_force.values("partner"))


def _readable(actor: Actor) -> frozenset[UUID] | None:
    return actor.communities(Permission.PARTNERS_READ)


def _within(rows: QuerySet, path: str, communities: frozenset[UUID] | None) -> QuerySet:
    return rows if communities is None else rows.filter(**{f"{path}__in": communities})
