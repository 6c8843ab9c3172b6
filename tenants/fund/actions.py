"""What people do with a fund: open it, take money in, ask, approve, pay out, put right."""

from datetime import date
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.library.layers import Effective
from linli.money import yuan
from tenants.communities.selectors import community_to_act_on
from tenants.fund import ledger
from tenants.fund.allocation import INFLOW, held, waterfall_legs
from tenants.fund.ledger import Event, Leg
from tenants.fund.models import Fund, Posting, Source, Spending
from tenants.fund.selectors import received_by_contribution
from tenants.operating_model.actions import freeze_rules
from tenants.operating_model.selectors import effective_rules
from tenants.partners.models import Contribution


@transaction.atomic
def open_fund(
    *, actor: Actor, community_id: UUID | None, host_charity: str, opened_on: date
) -> Fund:
    """Open a community's fund, or the street's own (F1), held by ``host_charity``.

    Refused FUND_OPEN where there is one already.
    """
    actor.require(Permission.FUND_OPEN, community_id=community_id)
    if community_id is not None:
        community_to_act_on(community_id)
    fund = Fund(community_id=community_id, host_charity=host_charity, opened_on=opened_on)
    try:
        with transaction.atomic():
            fund.save(force_insert=True)
    except IntegrityError as error:
        raise Refused(
            "FUND_OPEN",
            _("There is a fund here already. Use that one."),
            field="communityId",
        ) from error
    record(actor=actor, action="fund.open", obj=fund, before=None, after=snapshot(fund))
    return fund


@transaction.atomic
def receive_contribution(
    *, actor: Actor, contribution_id: UUID, amount_fen: int, received_on: date
) -> UUID:
    """Money of a contribution arrived: post it and allocate it; the event's id.

    Into the community's fund, or the street's where the community has none. It may arrive in
    parts; more than is still owed is refused (MORE_THAN_OWED), and so is a repeated request.
    """
    contribution = _locked_contribution(contribution_id)
    agreement = contribution.declaration.agreement
    community_id = agreement.partner.community_id
    actor.require(Permission.PARTNERS_RECEIVE, community_id=community_id)
    fund = fund_of(community_id)
    _require_past(fund, received_on)
    received = received_by_contribution([contribution], actor)[contribution.pk]
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
    _record_event(actor, "fund.receive", fund, group_id, amount_fen=amount_fen)
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

    What partners owe comes in by `receive_contribution` and is refused here.
    """
    fund = the_fund(fund_id)
    actor.require(Permission.PARTNERS_RECEIVE, community_id=fund.community_id)
    _require_past(fund, received_on)
    if source in (Source.STATIONED, Source.VISITING):
        raise Refused(
            "INCOME_IS_CONTRIBUTION",
            _("What a partner owes is taken in against its declaration, not as other income."),
            field="source",
        )
    _require_amount(amount_fen)
    group_id = _take_in(
        fund,
        Leg(f"source:{Source(source).value}", INFLOW, amount_fen, Posting.Kind.INCOME),
        actor=actor,
        happened_on=received_on,
        note=note,
    )
    _record_event(actor, "fund.income", fund, group_id, amount_fen=amount_fen)
    return group_id


@transaction.atomic
def propose_spending(
    *,
    actor: Actor,
    fund_id: UUID,
    share: str,
    use: str,
    purpose: str,
    amount_fen: int,
    sample: bool = False,
) -> Spending:
    """Ask for money from one share of the waterfall, for one of the model's uses."""
    fund = the_fund(fund_id)
    actor.require(Permission.FUND_PROPOSE, community_id=fund.community_id)
    rules = effective_rules(timezone.localdate(), fund.community_id).document.fund
    _require_key("share", share, [item.key for item in rules.waterfall])
    _require_key("use", use, [item.key for item in rules.uses])
    _require_amount(amount_fen)
    spending = Spending.objects.create(
        fund=fund,
        account_code=held(share),
        use=use,
        purpose=purpose,
        amount_fen=amount_fen,
        proposed_by_id=actor.person_id,
        sample=sample,
    )
    record(
        actor=actor, action="fund.propose", obj=spending, before=None, after=snapshot(spending)
    )
    return spending


@transaction.atomic
def approve_spending(*, actor: Actor, spending_id: UUID) -> Spending:
    """The host charity's approver says yes; never who proposed it (SAME_PERSON)."""
    spending = _locked_spending(spending_id)
    actor.require(Permission.FUND_APPROVE, community_id=spending.fund.community_id)
    before = snapshot(spending)
    _require_status(spending, Spending.Status.PROPOSED)
    if actor.person_id == spending.proposed_by_id:
        raise _same_person(_("Who proposes a spending does not approve it; ask a colleague."))
    spending.approved_by_id = actor.person_id
    spending.status = Spending.Status.APPROVED
    spending.save(update_fields=["approved_by_id", "status"])
    record(
        actor=actor, action="fund.approve", obj=spending, before=before, after=snapshot(spending)
    )
    return spending


@transaction.atomic
def pay_spending(*, actor: Actor, spending_id: UUID, paid_on: date) -> Spending:
    """The cashier pays what was approved, never who approved it (SAME_PERSON).

    Refused BALANCE_TOO_LOW by the database where the account does not hold it.
    """
    spending = _locked_spending(spending_id)
    actor.require(Permission.FUND_PAY, community_id=spending.fund.community_id)
    before = snapshot(spending)
    _require_status(spending, Spending.Status.APPROVED)
    _require_past(spending.fund, paid_on)
    if actor.person_id == spending.approved_by_id:
        raise _same_person(_("Who approves a spending does not pay it; ask the cashier."))
    spending.paid_by_id = actor.person_id
    spending.status = Spending.Status.PAID
    spending.save(update_fields=["paid_by_id", "status"])
    rules = effective_rules(paid_on, spending.fund.community_id)
    event = _event(
        spending.fund, rules, actor=actor, happened_on=paid_on, spending_id=spending.pk
    )
    ledger.post(
        event,
        [
            Leg(
                spending.account_code,
                f"use:{spending.use}",
                spending.amount_fen,
                Posting.Kind.SPENDING,
            )
        ],
    )
    record(actor=actor, action="fund.pay", obj=spending, before=before, after=snapshot(spending))
    return spending


@transaction.atomic
def reverse_event(*, actor: Actor, group_id: UUID, reason: str) -> UUID:
    """Put a mistake right: post the opposite of every leg of an event, today; the new event's id.

    Refused ALREADY_REVERSED, BALANCE_TOO_LOW (the money has been spent), and REVERSAL_OF_REVERSAL:
    what was reversed wrongly is posted again. A paid spending stays paid; its reversal shows.
    """
    postings = list(
        Posting.objects.filter(group_id=group_id).select_related("debit", "credit").order_by("-id")
    )
    if not postings:
        raise NotFound(_("event of the ledger"), field="eventId")
    fund = postings[0].debit.fund
    actor.require(Permission.FUND_REVERSE, community_id=fund.community_id)
    if postings[0].kind == Posting.Kind.REVERSAL:
        raise Refused(
            "REVERSAL_OF_REVERSAL",
            _("A reversal is not reversed. Post what is right as a new event."),
            field="eventId",
        )
    first = postings[0]
    today = timezone.localdate()
    event = _event(
        fund,
        effective_rules(today, fund.community_id),
        actor=actor,
        happened_on=today,
        contribution_id=first.contribution_id,
        spending_id=first.spending_id,
        note=reason[:200],
    )
    reversal_id = ledger.post(
        event,
        [
            Leg(p.credit.code, p.debit.code, p.amount_fen, Posting.Kind.REVERSAL, p.pk)
            for p in postings
        ],
    )
    _record_event(actor, "fund.reverse", fund, reversal_id, reason=reason, reverses=str(group_id))
    return reversal_id


def fund_of(community_id: UUID) -> Fund:
    """The fund that takes a community's contributions: its own, else the street's (F1)."""
    funds = list(Fund.objects.filter(community=community_id)) or list(
        Fund.objects.filter(community=None)
    )
    if not funds:
        raise Refused(
            "NO_FUND", _("This community has no fund yet. Open one first."), field="communityId"
        )
    return funds[0]


def the_fund(fund_id: UUID) -> Fund:
    """Raises `NotFound`."""
    fund = Fund.objects.filter(pk=fund_id).first()
    if fund is None:
        raise NotFound(_("fund"), field="fundId")
    return fund


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
    event = _event(
        fund,
        rules,
        actor=actor,
        happened_on=happened_on,
        contribution_id=contribution_id,
        note=note,
    )
    return ledger.post(
        event, [arrival, *waterfall_legs(arrival.amount_fen, rules.document.fund.waterfall)]
    )


def _event(
    fund: Fund,
    rules: Effective,
    *,
    actor: Actor,
    happened_on: date,
    contribution_id: UUID | None = None,
    spending_id: UUID | None = None,
    note: str = "",
) -> Event:
    return Event(
        fund_id=fund.pk,
        happened_on=happened_on,
        posted_by_id=actor.person_id,
        rules_id=freeze_rules(rules).pk,
        contribution_id=contribution_id,
        spending_id=spending_id,
        note=note,
    )


def _record_event(
    actor: Actor, action: str, fund: Fund, group_id: UUID, *, reason: str = "", **facts: object
) -> None:
    after = {"event": str(group_id), **facts}
    record(actor=actor, action=action, obj=fund, before=None, after=after, reason=reason)


def _locked_contribution(contribution_id: UUID) -> Contribution:
    """Locked, so that two receipts of one contribution wait for each other."""
    contribution = (
        Contribution.objects.select_for_update(of=("self",))
        .select_related("declaration__agreement__partner")
        .filter(pk=contribution_id)
        .first()
    )
    if contribution is None:
        raise NotFound(_("contribution"), field="contributionId")
    return contribution


def _locked_spending(spending_id: UUID) -> Spending:
    spending = (
        Spending.objects.select_for_update(of=("self",))
        .select_related("fund")
        .filter(pk=spending_id)
        .first()
    )
    if spending is None:
        raise NotFound(_("spending"), field="spendingId")
    return spending


def _require_amount(amount_fen: int) -> None:
    if amount_fen < 1:
        raise Refused(
            "AMOUNT_NOT_POSITIVE",
            _("The amount must be at least 1 fen (0.01 yuan)."),
            field="amountFen",
        )


def _require_key(field: str, key: str, allowed: list[str]) -> None:
    if key not in allowed:
        raise Refused(
            "NOT_IN_MODEL",
            format_lazy(
                _("The model in force has no “{key}” here. It allows: {allowed}."),
                key=key,
                allowed=", ".join(allowed),
            ),
            field=field,
            allowed=allowed,
        )


def _require_past(fund: Fund, day: date) -> None:
    """Money moves on a day of the fund's life, not in the future."""
    if not fund.opened_on <= day <= timezone.localdate():
        raise Refused(
            "DAY_OUT_OF_RANGE",
            format_lazy(
                _("The day must lie between the fund's opening on {opened} and today."),
                opened=fund.opened_on.isoformat(),
            ),
            field="day",
        )


def _require_status(spending: Spending, status: Spending.Status) -> None:
    if spending.status != status:
        raise Refused(
            "STEP_OUT_OF_ORDER",
            format_lazy(
                _("This spending is {now}; this step takes one that is {needed}."),
                now=spending.get_status_display(),
                needed=status.label,
            ),
            field="spendingId",
        )


def _same_person(sentence: str) -> Refused:
    return Refused("SAME_PERSON", sentence, field="spendingId")
