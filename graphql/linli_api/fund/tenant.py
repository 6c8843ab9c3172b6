"""What a tenant's schema shows of its funds."""

from linli_api.connections import Connection, Filter
from linli_api.fields import ById
from linli_api.fund import mutations
from linli_api.fund.types import Fund, Posting, Spending
from linli_api.inputs import IdOf
from linli_api.scalars import Date


class Query:
    fund = ById(Fund, description="One fund.")
    funds = Connection(
        Fund,
        filters={"community_id": Filter("community_id", IdOf("Community"))},
        description="The funds of this street office.",
    )
    postings = Connection(
        Posting,
        filters={
            "fund_id": Filter("debit__fund_id", IdOf("Fund")),
            "since": Filter("happened_on__gte", Date()),
            "until": Filter("happened_on__lte", Date()),
        },
        description="Every move of money.",
    )
    spending = ById(Spending, description="One spending.")
    spendings = Connection(
        Spending,
        filters={"fund_id": Filter("fund_id", IdOf("Fund"))},
        description="What was asked for, approved and paid.",
    )


MUTATIONS = [
    mutations.OpenFund,
    mutations.ReceiveContribution,
    mutations.RecordIncome,
    mutations.ProposeSpending,
    mutations.ApproveSpending,
    mutations.PaySpending,
    mutations.ReverseEvent,
]
