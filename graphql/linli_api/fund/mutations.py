"""What people do with a fund."""

from typing import Any

import graphene

from linli.accounts.policy import Actor, Permission
from linli_api.bulk import Bulk
from linli_api.fund.types import Fund, LedgerEvent, Spending, ledger_event
from linli_api.inputs import IdOf
from linli_api.mutation import Mutation
from linli_api.partners.types import Contribution
from linli_api.scalars import Date, Fen, choices
from linli_api.types import Object
from tenants.fund import actions, models, selectors

FundSource = choices(
    models.Source,
    "FundSource",
    STATIONED="Contributions (反哺) of partners that have a room of their own (常驻).",
    VISITING="Contributions (反哺) of partners that come by the session (流动).",
    MARKET="What a neighbourhood market (睦邻集市) brought in.",
    MICRO_WORKSHOP="The share that a micro-workshop (社区微业) pays back of its earnings.",
    SPACE_RENT="Rent for a space (空间) of the community's.",
    DONATION="Given by somebody, in money.",
    GUARANTEE="Paid in by the government, so that a community is sure of its means.",
    INCENTIVE="A bonus of the government for what a community has done well.",
)


def _event(description: str) -> graphene.Field:
    """Read when asked for; until then a payload holds its key."""

    def shown(payload: Any, info: Any) -> selectors.LedgerEvent | None:
        return ledger_event(payload.event, actor=info.context.actor) if payload.event else None

    return graphene.Field(LedgerEvent, resolver=shown, description=description)


def _row(type_: type[Object], name: str, description: str) -> graphene.Field:
    """The same for a row of a type."""

    def shown(payload: Any, info: Any) -> Any:
        rows = type_.rows_for(info.context.actor).filter(pk=getattr(payload, name))
        return rows.first()

    return graphene.Field(type_, resolver=shown, description=description)


class OpenFund(Mutation):
    """Opens a community's fund, or the street office's own, with the charity that holds it."""

    class Meta:
        permission = Permission.FUND_OPEN

    class Input:
        community_id = IdOf("Community", description="Left out for the street office's own fund.")
        host_charity = graphene.String(required=True, description="The charity's name.")
        opened_on = Date(required=True, description="The day it opens.")
        sample = graphene.Boolean(
            required=True, default_value=False, description="True for made-up sample data."
        )

    fund = graphene.Field(Fund, description="The new fund.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        values.setdefault("community_id", None)
        return {"fund": actions.open_fund(actor=actor, **values)}


class ReceiveContribution(Mutation):
    """Takes in money of a contribution and splits it by the model's waterfall."""

    class Meta:
        permission = Permission.PARTNERS_RECEIVE

    class Input:
        contribution_id = IdOf("Contribution", required=True, description="Which contribution.")
        amount_fen = Fen(required=True, description="How much arrived, in fen.")
        received_on = Date(required=True, description="The day it arrived.")

    contribution = _row(Contribution, "contribution", "The contribution, with what has arrived.")
    event = _event("What was posted.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        event = actions.receive_contribution(actor=actor, **values)
        return {"contribution": values["contribution_id"], "event": event}


class RecordIncome(Mutation):
    """Takes in other income, such as a donation, and splits it by the waterfall."""

    class Meta:
        permission = Permission.PARTNERS_RECEIVE

    class Input:
        fund_id = IdOf("Fund", required=True, description="Which fund.")
        source = FundSource(required=True, description="Where it comes from.")
        amount_fen = Fen(required=True, description="How much, in fen.")
        received_on = Date(required=True, description="The day it arrived.")
        note = graphene.String(required=True, default_value="", description="A remark.")

    fund = _row(Fund, "fund", "The fund, with what it holds now.")
    event = _event("What was posted.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        event = actions.record_income(actor=actor, **values)
        return {"fund": values["fund_id"], "event": event}


class ProposeSpending(Mutation):
    """Asks for money from one share of the waterfall, for one of the model's uses."""

    class Meta:
        permission = Permission.FUND_PROPOSE

    class Input:
        fund_id = IdOf("Fund", required=True, description="Which fund.")
        share = graphene.String(required=True, description="Key of a share of the waterfall.")
        use = graphene.String(required=True, description="Key of one of the model's uses.")
        purpose = graphene.String(required=True, description="What it is for, in words.")
        amount_fen = Fen(required=True, description="How much, in fen.")
        sample = graphene.Boolean(
            required=True, default_value=False, description="True for made-up sample data."
        )

    spending = graphene.Field(Spending, description="The proposal.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"spending": actions.propose_spending(actor=actor, **values)}


class ApproveSpending(Mutation):
    """The host charity's approver says yes; never who proposed it."""

    class Meta:
        permission = Permission.FUND_APPROVE

    class Input:
        spending_id = IdOf("Spending", required=True, description="Which spending.")

    spending = graphene.Field(Spending, description="The approved spending.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"spending": actions.approve_spending(actor=actor, **values)}


class PaySpending(Mutation):
    """The cashier pays what was approved, never who approved it and never over balance."""

    class Meta:
        permission = Permission.FUND_PAY

    class Input:
        spending_id = IdOf("Spending", required=True, description="Which spending.")
        paid_on = Date(required=True, description="The day it was paid.")

    spending = graphene.Field(Spending, description="The paid spending.")
    event = _event("What was posted.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        spending = actions.pay_spending(actor=actor, **values)
        return {"spending": spending, "event": selectors.event_that_paid(spending)}


class ReverseEvent(Mutation):
    """Takes back every posting of an event by its opposite, once."""

    class Meta:
        permission = Permission.FUND_REVERSE

    class Input:
        ledger_event_id = IdOf("LedgerEvent", required=True, description="The event to take back.")
        reason = graphene.String(required=True, description="Why it was wrong.")

    event = _event("The reversal; its postings name those they take back.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        group_id = values.pop("ledger_event_id")
        return {"event": actions.reverse_event(actor=actor, group_id=group_id, **values)}


class ReceiveContributions(Bulk):
    """Takes in money of many contributions, each as receiveContribution does."""

    of = ReceiveContribution


class RecordIncomes(Bulk):
    """Takes in many incomes, each as recordIncome does."""

    of = RecordIncome
