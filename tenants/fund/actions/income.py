"""Money coming in: posted and allocated in one event."""

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import NotFound, Refused
from linli.events.emit import emit
from linli.money import yuan
from tenants.fund import ledger
from tenants.fund.actions.common import (
    event_of,
    fund_to_act_on,
    record_event,
    require_amount,
    require_day,
)
from tenants.fund.allocation import INFLOW, waterfall_legs, waterfall_of
from tenants.fund.ledger import Leg
from tenants.fund.models import Fund, Posting, Source
from tenants.fund.selectors import fund_for, narrowed, received_of
from tenants.operating_model.selectors import effective_rules
from tenants.partners.models import Contribution

NOTE_LENGTH = 200


@transaction.atomic
def receive_contribution(
    *, actor: Actor, contribution_id: UUID, amount_fen: int, received_on: date
) -> UUID:
    """Money of a contribution arrived: post it and allocate it; the event's id.

    Into the community's fund, or the street's where the community has none. It may arrive in
    parts; more than is still owed is refused (MORE_THAN_OWED), and so is a repeated request.
    Raises `Forbidden`, `NotFound`, `Refused` NO_FUND, DAY_OUT_OF_RANGE.
    """
    contribution = _locked(actor, contribution_id)
    agreement = contribution.declaration.agreement
    fund = fund_for(agreement.partner.community_id)
    if fund is None:
        message = _("This community has no fund yet. Open one first.")
        raise Refused("NO_FUND", message, field="contributionId")
    require_day(fund, received_on, field="receivedOn")
    received = received_of(contribution, actor=actor)
    open_fen = contribution.amount_fen - received
    if not 0 < amount_fen <= open_fen:
        raise Refused(
            "MORE_THAN_OWED",
            format_lazy(
                _("Of this contribution {open} yuan are still owed; take in no more than that."),
                open=yuan(open_fen),
            ),
            field="amountFen",
            open_fen=open_fen,
        )
    group_id = _take_in(
        fund,
        Leg(f"source:{agreement.mode}", INFLOW, amount_fen, Posting.Kind.CONTRIBUTION),
        actor=actor,
        happened_on=received_on,
        contribution_id=contribution.pk,
    )
    record_event(actor, "fund.receive", fund, group_id, amount_fen=amount_fen)
    emit(
        actor=actor,
        type="contribution.received",
        obj=fund,
        community_id=fund.community_id,
        data={
            "contribution": contribution.pk,
            "ledger_event": group_id,
            "amount_fen": amount_fen,
            "received_on": received_on,
        },
    )
    return group_id


@transaction.atomic
def record_income(
    *,
    actor: Actor,
    fund_id: UUID,
    source: str,
    amount_fen: int,
    received_on: date,
    note: str = "",
) -> UUID:
    """Other income (F1: a donation, a market's proceeds …): post and allocate it; the event's id.

    ``source`` is one of `Source`; what partners owe comes in by `receive_contribution` and is
    refused here (INCOME_IS_CONTRIBUTION). Raises `Forbidden`, `NotFound`, `Refused`
    DAY_OUT_OF_RANGE, AMOUNT_NOT_POSITIVE, NOTE_TOO_LONG.
    """
    fund = fund_to_act_on(actor, Permission.PARTNERS_RECEIVE, fund_id)
    require_day(fund, received_on, field="receivedOn")
    require_amount(amount_fen)
    if len(note) > NOTE_LENGTH:
        message = _("A note has 200 characters at most.")
        raise Refused("NOTE_TOO_LONG", message, field="note")
    if source in (Source.STATIONED, Source.VISITING):
        raise Refused(
            "INCOME_IS_CONTRIBUTION",
            _("What a partner owes is taken in against its declaration, not as other income."),
            field="source",
        )
    group_id = _take_in(
        fund,
        Leg(f"source:{Source(source).value}", INFLOW, amount_fen, Posting.Kind.INCOME),
        actor=actor,
        happened_on=received_on,
        note=note,
    )
    record_event(actor, "fund.income", fund, group_id, amount_fen=amount_fen)
    emit(
        actor=actor,
        type="income.recorded",
        obj=fund,
        community_id=fund.community_id,
        data={
            "source": source,
            "ledger_event": group_id,
            "amount_fen": amount_fen,
            "received_on": received_on,
        },
    )
    return group_id


def _take_in(
    fund: Fund,
    arrival: Leg,
    *,
    actor: Actor,
    happened_on: date,
    contribution_id: UUID | None = None,
    note: str = "",
) -> UUID:
    rules = effective_rules(happened_on, fund.community_id)
    event = event_of(
        fund,
        rules,
        actor=actor,
        happened_on=happened_on,
        contribution_id=contribution_id,
        note=note,
    )
    waterfall = waterfall_of(rules.document.fund)
    return ledger.post(event, [arrival, *waterfall_legs(arrival.amount_fen, waterfall)])


def _locked(actor: Actor, contribution_id: UUID) -> Contribution:
    """Locked, so that two receipts of one contribution wait for each other."""
    permission = Permission.PARTNERS_RECEIVE
    actor.require_somewhere(permission)
    within = "partner__community"
    contribution = (
        narrowed(Contribution.objects.all(), actor, permission, within)
        .select_for_update(of=("self",), no_key=True)
        .select_related("declaration__agreement", "partner")
        .filter(pk=contribution_id)
        .first()
    )
    if contribution is None:
        raise NotFound(_("contribution"), field="contributionId")
    return contribution
