"""What the actions of the fund share: finding what they act on, and the facts of an event."""

from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record
from linli.errors import NotFound, Refused
from linli.library.layers import Effective
from tenants.fund.ledger import Event
from tenants.fund.models import Fund
from tenants.fund.selectors import narrowed
from tenants.operating_model.actions import freeze_rules


def fund_to_act_on(actor: Actor, permission: Permission, fund_id: UUID) -> Fund:
    """Raises `Forbidden`; `NotFound` for one outside the actor's communities too."""
    actor.require_somewhere(permission)
    fund = narrowed(Fund.objects.all(), actor, permission, "community").filter(pk=fund_id).first()
    if fund is None:
        raise NotFound(_("fund"), field="fundId")
    return fund


def event_of(
    fund: Fund,
    rules: Effective,
    *,
    actor: Actor,
    happened_on: date,
    contribution_id: UUID | None = None,
    spending_id: UUID | None = None,
    note: str = "",
) -> Event:
    """What all postings of an event carry, the rules of its day among it."""
    return Event(
        fund_id=fund.pk,
        happened_on=happened_on,
        posted_by_id=actor.principal_id,
        rules_id=freeze_rules(rules).pk,
        contribution_id=contribution_id,
        spending_id=spending_id,
        note=note,
    )


def record_event(
    actor: Actor, action: str, fund: Fund, group_id: UUID, *, reason: str = "", **facts: Any
) -> None:
    """The trail's row for an event of the ledger; the postings themselves are found by its id."""
    after = {"event": str(group_id), **facts}
    record(actor=actor, action=action, obj=fund, before=None, after=after, reason=reason)


def require_amount(amount_fen: int) -> None:
    if amount_fen < 1:
        raise Refused(
            "AMOUNT_NOT_POSITIVE",
            _("The amount must be at least 1 fen (0.01 yuan)."),
            field="amountFen",
        )


def require_day(fund: Fund, day: date, *, field: str) -> None:
    """Money moves on a day of the fund's life, not in the future."""
    if not fund.opened_on <= day <= timezone.localdate():
        raise Refused(
            "DAY_OUT_OF_RANGE",
            format_lazy(
                _("The day must lie between the fund's opening on {opened} and today."),
                opened=fund.opened_on.isoformat(),
            ),
            field=field,
        )
