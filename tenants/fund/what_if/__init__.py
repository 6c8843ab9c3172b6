"""What a past period's real declarations would have brought under other rules (M8). Pure: nothing is
written, no rules are frozen, the ledger is not touched."""

from tenants.fund.what_if.asking import what_if
from tenants.fund.what_if.outcome import (
    AccountOutcome,
    Crossing,
    NotWorkedOut,
    Outcome,
    PartnerOutcome,
)

__all__ = [
    "AccountOutcome",
    "Crossing",
    "NotWorkedOut",
    "Outcome",
    "PartnerOutcome",
    "what_if",
]
