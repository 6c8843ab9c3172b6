"""Putting a mistake right: nothing is edited, its opposite is posted."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import NotFound, Refused
from linli.events.emit import emit
from linli.rules import is_blank
from tenants.fund import ledger
from tenants.fund.actions.common import event_of, record_event
from tenants.fund.ledger import Leg
from tenants.fund.models import Posting
from tenants.fund.selectors import narrowed
from tenants.operating_model.selectors import effective_rules

REVERSAL = Posting.Kind.REVERSAL
REASON_LENGTH = 200


@transaction.atomic
def reverse_event(*, actor: Actor, group_id: UUID, reason: str) -> UUID:
    """Post the opposite of every leg of an event, today; the new event's id.

    A paid spending stays paid; its reversal shows. Raises `Forbidden`, `NotFound`, `Refused`
    ALREADY_REVERSED, BALANCE_TOO_LOW (the money has been spent), REVERSAL_OF_REVERSAL (what was
    reversed wrongly is posted again), REASON_MISSING.
    """
    permission = Permission.FUND_REVERSE
    actor.require_somewhere(permission)
    if is_blank(reason) or len(reason.strip()) > REASON_LENGTH:
        message = _("Say why, in 200 characters at most: the reason is kept.")
        raise Refused("REASON_MISSING", message, field="reason")
    postings = list(
        narrowed(Posting.objects.all(), actor, permission, "debit__fund__community")
        .filter(group_id=group_id)
        .select_related("debit__fund", "credit")
        .order_by("-id")
    )
    if not postings:
        raise NotFound(_("ledger event"), field="ledgerEventId")
    first = postings[0]
    if first.kind == Posting.Kind.REVERSAL:
        message = _("A reversal is not reversed. Post what is right as a new event.")
        raise Refused("REVERSAL_OF_REVERSAL", message, field="ledgerEventId")
    fund, today = first.debit.fund, timezone.localdate()
    event = event_of(
        fund,
        effective_rules(today, fund.community_id),
        actor=actor,
        happened_on=today,
        contribution_id=first.contribution_id,
        spending_id=first.spending_id,
        note=reason.strip(),
    )
    opposite = [
        Leg(posting.credit.code, posting.debit.code, posting.amount_fen, REVERSAL, posting.pk)
        for posting in postings
    ]
    reversal_id = ledger.post(event, opposite)
    record_event(
        actor, "fund.reverse", fund, reversal_id, reason=reason.strip(), reverses=str(group_id)
    )
    emit(
        actor=actor,
        type="ledger_event.reversed",
        obj=fund,
        community_id=fund.community_id,
        data={"ledger_event": reversal_id, "reverses": group_id},
    )
    return reversal_id
