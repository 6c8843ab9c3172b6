"""Money going out: proposed by the community, approved by the charity, paid by its cashier."""

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.events.emit import emit
from linli.rules import check_fields
from tenants.fund import ledger
from tenants.fund.actions.common import event_of, fund_to_act_on, require_amount, require_day
from tenants.fund.allocation import held
from tenants.fund.ledger import Leg
from tenants.fund.models import Posting, Spending
from tenants.fund.selectors import narrowed
from tenants.operating_model.selectors import effective_rules

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


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
    """Ask for money from one share of the waterfall, for one of the model's uses.

    Raises `Forbidden`, `NotFound`, `Refused` NOT_IN_MODEL, AMOUNT_NOT_POSITIVE, faults of fields.
    """
    fund = fund_to_act_on(actor, Permission.FUND_PROPOSE, fund_id)
    rules = effective_rules(timezone.localdate(), fund.community_id).document.fund
    _require_key("share", share, [item.key for item in rules.waterfall])
    _require_key("use", use, [item.key for item in rules.uses])
    require_amount(amount_fen)
    spending = Spending(
        fund=fund,
        account_code=held(share),
        use=use,
        purpose=purpose.strip(),
        amount_fen=amount_fen,
        proposed_by_id=actor.principal_id,  # type: ignore[misc]  # nobody: check_fields refuses
        sample=sample,
    )
    check_fields(spending)
    spending.save(force_insert=True)
    record(actor=actor, action="fund.propose", obj=spending, before=None, after=snapshot(spending))
    _tell(actor, "spending.proposed", spending)
    return spending


@transaction.atomic
def approve_spending(*, actor: Actor, spending_id: UUID) -> Spending:
    """The host charity's approver says yes; never who proposed it (SAME_PERSON).

    Raises `Forbidden`, `NotFound`, `Refused` STEP_OUT_OF_ORDER.
    """
    spending = _locked(actor, Permission.FUND_APPROVE, spending_id)
    _require_status(spending, Spending.Status.PROPOSED)
    if actor.principal_id == spending.proposed_by_id:
        raise _same_person(_("Who proposes a spending does not approve it; ask a colleague."))
    before = snapshot(spending)
    spending.approved_by_id = actor.principal_id
    spending.status = Spending.Status.APPROVED
    spending.save(update_fields=["approved_by_id", "status"])
    record(
        actor=actor, action="fund.approve", obj=spending, before=before, after=snapshot(spending)
    )
    _tell(actor, "spending.approved", spending)
    return spending


@transaction.atomic
def pay_spending(*, actor: Actor, spending_id: UUID, paid_on: date) -> Spending:
    """The cashier pays what was approved, never who approved it (SAME_PERSON).

    Raises `Forbidden`, `NotFound`, `Refused` STEP_OUT_OF_ORDER, DAY_OUT_OF_RANGE, and
    BALANCE_TOO_LOW by the database where the account does not hold it.
    """
    spending = _locked(actor, Permission.FUND_PAY, spending_id)
    _require_status(spending, Spending.Status.APPROVED)
    require_day(spending.fund, paid_on, field="paidOn")
    if actor.principal_id == spending.approved_by_id:
        raise _same_person(_("Who approves a spending does not pay it; ask the cashier."))
    before = snapshot(spending)
    spending.paid_by_id = actor.principal_id
    spending.status = Spending.Status.PAID
    spending.save(update_fields=["paid_by_id", "status"])
    event = event_of(
        spending.fund,
        effective_rules(paid_on, spending.fund.community_id),
        actor=actor,
        happened_on=paid_on,
        spending_id=spending.pk,
    )
    use = f"use:{spending.use}"
    ledger.post(
        event, [Leg(spending.account_code, use, spending.amount_fen, Posting.Kind.SPENDING)]
    )
    record(actor=actor, action="fund.pay", obj=spending, before=before, after=snapshot(spending))
    _tell(actor, "spending.paid", spending)
    return spending


def _tell(actor: Actor, type: str, spending: Spending) -> None:
    emit(
        actor=actor,
        type=type,
        obj=spending,
        community_id=spending.fund.community_id,
        data={
            "fund": spending.fund_id,
            "amount_fen": spending.amount_fen,
            "status": spending.status,
        },
    )


def _locked(actor: Actor, permission: Permission, spending_id: UUID) -> Spending:
    actor.require_somewhere(permission)
    spending = (
        narrowed(Spending.objects.all(), actor, permission, "fund__community")
        .select_for_update(of=("self",), no_key=True)
        .select_related("fund")
        .filter(pk=spending_id)
        .first()
    )
    if spending is None:
        raise NotFound(_("spending"), field="spendingId")
    return spending


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


def _require_status(spending: Spending, status: Spending.Status) -> None:
    if spending.status != status:
        raise Refused(
            "STEP_OUT_OF_ORDER",
            format_lazy(
                _("This spending is {now}; this step takes one that is {needed}."),
                now=Spending.Status(spending.status).label,
                needed=status.label,
            ),
            field="spendingId",
        )


def _same_person(sentence: "StrOrPromise") -> Refused:
    return Refused("SAME_PERSON", sentence, field="spendingId")
