"""Asking for fresh figures."""

from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission, covered
from linli.audit.record import record
from linli.comparison.jobs import defer_roll_ups
from linli.errors import NotFound, Refused
from linli.registry.models import Tenant
from linli.tenancy.context import public_context


def refresh_comparison(*, actor: Actor, under: Tenant, as_of: date | None = None) -> int:
    """Have the figures of a tenant and of all below it worked out anew, as of a day (today).

    Enqueues one job for each that is served, and returns their number. Raises `Forbidden`,
    `NotFound` for a tenant whose figures are not the actor's to refresh, `Refused` DAY_IN_FUTURE.
    """
    actor.require_somewhere(Permission.COMPARISON_REFRESH)
    day = as_of or timezone.localdate()
    if day > timezone.localdate():
        message = _("This day has not come yet. Choose today or an earlier one.")
        raise Refused("DAY_IN_FUTURE", message, field="asOf")
    with public_context(), transaction.atomic():
        if not covered(actor, Permission.COMPARISON_REFRESH).filter(pk=under.pk).exists():
            raise NotFound(_("tenant"), field="underId")
        count = defer_roll_ups([under, *under.descendants()], day)
        record(
            actor=actor,
            action="comparison.refreshed",
            obj=under,
            before=None,
            after={"as_of": day, "tenants": count},
        )
    return count
