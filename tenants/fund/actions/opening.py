"""Opening a fund."""

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import Refused
from linli.events.emit import emit
from linli.rules import check_fields, upheld
from tenants.communities.selectors import community_to_act_on
from tenants.fund.models import Fund


@transaction.atomic
def open_fund(
    *,
    actor: Actor,
    community_id: UUID | None,
    host_charity: str,
    opened_on: date,
    sample: bool = False,
) -> Fund:
    """Open a community's fund, or the street's own (F1), held by ``host_charity``.

    Raises `Forbidden`, `NotFound`, `Refused` FUND_OPEN where there is one already, or the faults
    of fields.
    """
    actor.require(Permission.FUND_OPEN, community_id=community_id)
    if community_id is not None:
        community_to_act_on(community_id)
    fund = Fund(
        community_id=community_id,
        host_charity=host_charity.strip(),
        opened_on=opened_on,
        sample=sample,
    )
    check_fields(fund)
    with upheld(fund_one_a_community=_open_already):
        fund.save(force_insert=True)
    record(actor=actor, action="fund.open", obj=fund, before=None, after=snapshot(fund))
    emit(
        actor=actor,
        type="fund.opened",
        obj=fund,
        community_id=community_id,
        data={"community": community_id, "opened_on": opened_on},
    )
    return fund


def _open_already() -> Refused:
    message = _("There is a fund here already. Use that one.")
    return Refused("FUND_OPEN", message, field="communityId")
