"""What is told of money. Whatever moves a fund's money is about the fund, so that all of it comes
in the order of the ledger."""

from linli.accounts.policy import Permission
from linli.events.types import EventType, Fields, Id, Value, register
from tenants.fund.models import Source, Spending

READ = Permission.FUND_READ

_SPENDING: Fields = {
    "fund": Id("Fund", "From which fund."),
    "amount_fen": Value("How much, in fen.", "Fen!"),
    "status": Value("How far it has come.", one_of=Spending.Status),
}
_EVENT = Id("LedgerEvent", "The event of the ledger: what was posted together.")
_AMOUNT = Value("How much, in fen.", "Fen!")
_DAY = Value("The day the money arrived.", "Date!")

register(
    EventType(
        "fund.opened",
        "Fund",
        READ,
        "A fund was opened.",
        {
            "community": Id("Community", "Whose; null for the street office's own.", "ID"),
            "opened_on": Value("Since when.", "Date!"),
        },
    ),
    EventType(
        "contribution.received",
        "Fund",
        READ,
        "Money of a partner's contribution arrived in the fund.",
        {
            "contribution": Id("Contribution", "Of which contribution."),
            "ledger_event": _EVENT,
            "amount_fen": _AMOUNT,
            "received_on": _DAY,
        },
    ),
    EventType(
        "income.recorded",
        "Fund",
        READ,
        "Other money arrived in the fund.",
        {
            "source": Value("Where it came from.", one_of=Source),
            "ledger_event": _EVENT,
            "amount_fen": _AMOUNT,
            "received_on": _DAY,
        },
    ),
    EventType(
        "ledger_event.reversed",
        "Fund",
        READ,
        "An event of the ledger was taken back by its opposite.",
        {"ledger_event": _EVENT, "reverses": Id("LedgerEvent", "The event that was taken back.")},
    ),
    EventType("spending.proposed", "Spending", READ, "Money was asked for.", _SPENDING),
    EventType("spending.approved", "Spending", READ, "The host charity said yes.", _SPENDING),
    EventType("spending.paid", "Spending", READ, "The cashier paid.", _SPENDING),
)
