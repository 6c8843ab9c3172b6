"""What people do with a fund: open it, take money in, ask, approve, pay out, put right."""

from tenants.fund.actions.income import receive_contribution, record_income
from tenants.fund.actions.opening import open_fund
from tenants.fund.actions.reversal import reverse_event
from tenants.fund.actions.spending import approve_spending, pay_spending, propose_spending

__all__ = [
    "approve_spending",
    "open_fund",
    "pay_spending",
    "propose_spending",
    "receive_contribution",
    "record_income",
    "reverse_event",
]
