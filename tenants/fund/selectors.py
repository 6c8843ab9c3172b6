"""What an actor may read of the funds; every query is narrowed to their communities."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Case, F, Q, QuerySet, Sum, When

from linli.accounts.policy import Actor, Permission
from tenants.fund.models import Account, Fund, Posting, Spending
from tenants.partners.models import Contribution


def funds(*, actor: Actor) -> QuerySet[Fund]:
    return narrowed(Fund.objects.all(), actor, Permission.FUND_READ, "community")


def accounts(*, actor: Actor) -> QuerySet[Account]:
    return narrowed(Account.objects.all(), actor, Permission.FUND_READ, "fund__community")


def postings(*, actor: Actor) -> QuerySet[Posting]:
    return narrowed(Posting.objects.all(), actor, Permission.FUND_READ, "debit__fund__community")


def spendings(*, actor: Actor) -> QuerySet[Spending]:
    return narrowed(Spending.objects.all(), actor, Permission.FUND_READ, "fund__community")


# What an account holds, and what a posting brought of a contribution: less than nothing when it
# took it back.
HELD = F("credits_fen") - F("debits_fen")
BROUGHT = Case(When(kind=Posting.Kind.CONTRIBUTION, then=F("amount_fen")), default=-F("amount_fen"))


def held(*, actor: Actor) -> QuerySet[Account]:
    """The accounts whose sum is what a fund holds."""
    return accounts(actor=actor).filter(kind=Account.Kind.HELD)


def arrivals(*, actor: Actor) -> QuerySet[Posting]:
    """What arrived of contributions and what of it was taken back, whichever fund holds it: they
    are part of the contribution, for whoever may read that."""
    of_contributions = Q(kind=Posting.Kind.CONTRIBUTION)
    taken_back = Q(reverses__kind=Posting.Kind.CONTRIBUTION)
    return Posting.objects.filter(of_contributions | taken_back)


def received_of(contribution: Contribution, *, actor: Actor) -> int:
    """What has arrived of it so far, in fen."""
    arrived = arrivals(actor=actor).filter(contribution=contribution)
    return int(arrived.aggregate(fen=Sum(BROUGHT))["fen"] or 0)


@dataclass(frozen=True)
class LedgerEvent:
    """The postings that were written together, in their order; never none."""

    pk: UUID
    postings: list[Posting]


def events(group_ids: Iterable[UUID], *, actor: Actor) -> dict[UUID, LedgerEvent]:
    """The events of the ledger that the actor may read, by their ids."""
    found: dict[UUID, LedgerEvent] = {}
    for posting in postings(actor=actor).filter(group_id__in=set(group_ids)).order_by("pk"):
        event = found.setdefault(posting.group_id, LedgerEvent(posting.group_id, []))
        event.postings.append(posting)
    return found


def event_that_paid(spending: Spending) -> UUID:
    """The event by which it was paid; there is exactly one."""
    paid = Posting.objects.filter(spending=spending, kind=Posting.Kind.SPENDING)
    return paid.values_list("group_id", flat=True).get()


@dataclass(frozen=True)
class Balance:
    """What an account held at the end of a day, in fen; negative for a source."""

    code: str
    balance_fen: int


def balances_on(*, fund: Fund, day: date) -> list[Balance]:
    """The balance of each account of a fund at the end of a day, from its postings (F2)."""
    postings = Posting.objects.filter(debit__fund=fund, happened_on__lte=day)
    balances: Counter[str] = Counter()
    for side, sign in (("credit", 1), ("debit", -1)):
        for code, moved in postings.values_list(f"{side}__code").annotate(Sum("amount_fen")):
            balances[code] += sign * int(moved)
    return [Balance(code, balances[code]) for code in sorted(balances)]


def fund_for(community_id: UUID) -> Fund | None:
    """The fund that takes a community's contributions: its own, else the street's (F1)."""
    own_or_streets = Q(community=community_id) | Q(community=None)
    return Fund.objects.filter(own_or_streets).order_by(F("community").asc(nulls_last=True)).first()


def narrowed(rows: QuerySet, actor: Actor, permission: Permission, path: str) -> QuerySet:
    """The rows of the communities in which the actor has a permission; ``path`` leads to one."""
    communities = actor.communities(permission)
    if communities is None:
        return rows
    return rows.filter(**{f"{path}__in": communities})
