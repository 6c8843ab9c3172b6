"""What a tenant's schema shows of its funds."""

from datetime import date
from typing import Any

import graphene
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Permission
from linli_api.connections import Connection, Filter
from linli_api.fields import Bounded, ById, by_id
from linli_api.fund import mutations
from linli_api.fund.types import (
    Balance,
    Fund,
    LedgerEvent,
    Posting,
    Spending,
)
from linli_api.fund.what_if import WHAT_IF
from linli_api.inputs import IdOf
from linli_api.scalars import Date
from tenants.fund import selectors


class Query:
    fund = ById(Fund, description="One fund.")
    funds = Connection(
        Fund,
        filters={"community_id": Filter("community_id", IdOf("Community"))},
        description="The funds of this street office.",
    )
    balances = Bounded(
        Balance,
        most=1_000,
        less=_("Read the fund's accounts page by page, and their postings up to the day."),
        required=False,
        cost=50,  # every posting up to the day is summed
        fund_id=graphene.Argument(graphene.ID, required=True, description="Which fund."),
        on=Date(required=True, description="At the end of which day."),
        permission=Permission.FUND_READ,
        description="What each account of a fund held at the end of any day.",
    )
    postings = Connection(
        Posting,
        filters={
            "fund_id": Filter("debit__fund_id", IdOf("Fund")),
            "since": Filter(
                "happened_on__gte", Date(description="Of money that moved on this day or later.")
            ),
            "until": Filter(
                "happened_on__lte", Date(description="Of money that moved on this day or earlier.")
            ),
        },
        description="Every move of money.",
    )
    ledger_event = ById(LedgerEvent, description="One event of the ledger.")
    spending = ById(Spending, description="One spending.")
    spendings = Connection(
        Spending,
        filters={"fund_id": Filter("fund_id", IdOf("Fund"))},
        description="What was asked for, approved and paid.",
    )
    what_if = WHAT_IF

    @staticmethod
    def resolve_balances(root: None, info: Any, fund_id: str, on: date) -> list[selectors.Balance]:
        fund = by_id(Fund, fund_id, info.context.actor, field="fundId")
        return selectors.balances_on(fund=fund, day=on)


MUTATIONS = [
    mutations.OpenFund,
    mutations.ReceiveContribution,
    mutations.RecordIncome,
    mutations.ProposeSpending,
    mutations.ApproveSpending,
    mutations.PaySpending,
    mutations.ReverseEvent,
    mutations.ReceiveContributions,
    mutations.RecordIncomes,
]
