"""What an actor may read of the funds; every query is narrowed to their communities."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db.models import Case, F, Q, QuerySet, Sum, When

from linli.accounts.policy import Actor, Permission
from tenants.fund.models import Account, Fund, Posting, Spending
from tenants.partners.models import Contribution


def funds(*, actor: Actor) -> QuerySet[Fund]:
    return _narrowed(Fund.objects.all(), actor, "community")


def accounts(*, actor: Actor) -> QuerySet[Account]:
    return _narrowed(Account.objects.all(), actor, "fund__community")


def postings(*, actor: Actor) -> QuerySet[Posting]:
    return _narrowed(Posting.objects.all(), actor, "debit__fund__community")


def spendings(*, actor: Actor) -> QuerySet[Spending]:
    return _narrowed(Spending.objects.all(), actor, "fund__community")


def balance_by_fund(rows: Sequence[Fund], actor: Actor) -> dict[UUID, int]:
    """What each fund holds now, in fen: 0 for one that never held anything."""
    held = Account.objects.filter(fund__in=rows, kind=Account.Kind.HELD)
    balances = dict.fromkeys((fund.pk for fund in rows), 0)
    for fund_id, balance in held.values_list("fund").annotate(
        balance=Sum(F("credits_fen") - F("debits_fen"))
    ):
        balances[fund_id] = int(balance)
    return balances


def received_by_contribution(rows: Sequence[Contribution], actor: Actor) -> dict[UUID, int]:
    """What arrived of each contribution, in fen, less what was reversed."""
    received = dict.fromkeys((row.pk for row in rows), 0)
    arrived = Q(kind=Posting.Kind.CONTRIBUTION)
    taken_back = Q(reverses__kind=Posting.Kind.CONTRIBUTION)
    moved = Posting.objects.filter(arrived | taken_back, contribution__in=rows)
    for contribution_id, amount in moved.values_list("contribution").annotate(
        amount=Sum(Case(When(arrived, then=F("amount_fen")), default=-F("amount_fen")))
    ):
        received[contribution_id] = int(amount)
    return received


def balances_on(fund: Fund, day: date) -> dict[str, int]:
    """The balance of each account at the end of a day, from the postings (F2)."""
    balances: dict[str, int] = {}
    for debit, credit, amount in Posting.objects.filter(
        debit__fund=fund, happened_on__lte=day
    ).values_list("debit__code", "credit__code", "amount_fen"):
        balances[debit] = balances.get(debit, 0) - amount
        balances[credit] = balances.get(credit, 0) + amount
    return balances


def _narrowed(rows: QuerySet, actor: Actor, path: str) -> QuerySet:
    communities = actor.communities(Permission.FUND_READ)
    if communities is None:
        return rows
    return rows.filter(**{f"{path}__in": communities})
