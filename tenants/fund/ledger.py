"""The only hand that writes accounts and postings: it calls ``fund_post`` of the schema (F2)."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.ids import uuid7
from tenants.fund.models import Posting


@dataclass(frozen=True)
class Event:
    """What all legs of one event share."""

    fund_id: UUID
    happened_on: date
    posted_by_id: UUID | None
    rules_id: UUID
    contribution_id: UUID | None = None
    spending_id: UUID | None = None
    note: str = ""


@dataclass(frozen=True)
class Leg:
    """``amount_fen`` moves from account ``debit`` to account ``credit``, both codes of the fund."""

    debit: str
    credit: str
    amount_fen: int
    kind: Posting.Kind
    reverses_id: UUID | None = None


def post(event: Event, legs: Sequence[Leg]) -> UUID:
    """Write one event, whole or not at all; the id its postings share.

    Refused BALANCE_TOO_LOW where a held account would be overdrawn, BALANCE_TOO_LOW_THEN where it
    would have been on the event's day, ALREADY_REVERSED where a
    posting has been reversed before: both are the database's word, not this code's.
    """
    group_id = uuid7()
    rows = [_row(group_id, event, leg) for leg in legs]
    with _refusals(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT fund_post(%s::jsonb)", [json.dumps(rows, default=str)])
    return group_id


def _row(group_id: UUID, event: Event, leg: Leg) -> dict[str, Any]:
    return {"id": uuid7(), "group_id": group_id, **vars(event), **vars(leg)}


@contextmanager
def _refusals() -> Iterator[None]:
    """The database's constraints, said as sentences."""
    try:
        yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if name == "account_not_overdrawn":
            raise Refused(
                "BALANCE_TOO_LOW",
                _("The account does not hold that much. Ask for no more than its balance."),
                field="amountFen",
            ) from error
        if name == "account_not_overdrawn_then":
            raise Refused(
                "BALANCE_TOO_LOW_THEN",
                _(
                    "The account did not hold that much on that day. "
                    "Choose a later day, or a smaller amount."
                ),
                field="paidOn",
            ) from error
        if name == "fund_posting_reverses_id_key":
            raise Refused(
                "ALREADY_REVERSED",
                _("This has been reversed already; that cannot be done twice."),
                field="ledgerEventId",
            ) from error
        if name in ("account_debits_range", "account_credits_range", "posting_amount_range"):
            raise Refused(
                "AMOUNT_OUT_OF_RANGE",
                _("The account's total would pass what can be counted exactly (2^53 − 1 fen)."),
                field="amountFen",
            ) from error
        raise
