"""The fund and its ledger, as the API shows them."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import graphene

from linli.accounts.policy import Actor, Permission
from linli_api.batches import together
from linli_api.communities.types import Community
from linli_api.connections import Connection
from linli_api.fields import Bounded, Computed, One, Total, Worked
from linli_api.guard import INHERITED
from linli_api.operating_model.types import RuleSnapshot
from linli_api.partners.types import Contribution
from linli_api.scalars import Date, DateTime, Fen, choices
from linli_api.types import Object, extends
from tenants.fund import models, selectors

PostingKind = choices(
    models.Posting.Kind,
    "PostingKind",
    CONTRIBUTION="What a partner owed the fund (反哺) arrived, from its source into the inflow.",
    INCOME="Money that no partner owed arrived, from its source into the inflow.",
    ALLOCATION="What arrived was split (资金分配): from the inflow into one of the accounts that hold.",
    SPENDING="The cashier paid (拨付): from an account that holds to a use.",
    REVERSAL="An earlier posting was taken back by its opposite (冲正).",
)


class Fund(Object):
    """A community development fund (社区发展基金), held by a charity."""

    class Meta:
        permission = Permission.FUND_READ
        model = models.Fund
        selector = selectors.funds

    community = One(
        Community, by="community_id", description="Null for the street office's own fund."
    )
    host_charity = graphene.String(
        required=True, description="The charity that legally holds the money (慈善总会)."
    )
    opened_on = Date(required=True, description="The day the fund was opened.")
    sample = graphene.Boolean(
        required=True, description="True for made-up sample data, false for what really happened."
    )
    balance_fen = Total(
        Fen,
        summed=selectors.held,
        by="fund_id",
        amount=selectors.HELD,
        required=True,
        description="What it holds now, in fen.",
    )
    accounts = Connection(
        lambda: Account, by="fund_id", description="Where its money comes from, is held, went."
    )
    spendings = Connection(
        lambda: Spending, by="fund_id", description="What was asked for, approved and paid."
    )


class Account(Object):
    """A place of money in the double-entry ledger."""

    class Meta:
        permission = Permission.FUND_READ
        model = models.Account
        selector = selectors.accounts
        orderings = {"CODE": ("code",)}

    code = graphene.String(
        required=True, description="Kind and name, such as source:stationed or held:services."
    )
    kind = graphene.Field(
        choices(
            models.Account.Kind,
            "AccountKind",
            SOURCE="Money came from there, such as from donations; it is without an end.",
            HELD="The fund's own money for a purpose; it is never overdrawn.",
            USE="Money went there, for what the model says that it may be spent on.",
        ),
        required=True,
        description="A source, money held, or a use.",
    )
    debits_fen = Fen(required=True, description="All that was taken out, in fen.")
    credits_fen = Fen(required=True, description="All that was put in, in fen.")
    balance_fen = Worked(
        Fen,
        of=selectors.HELD,
        required=True,
        description="What was put in less what was taken out; negative for a source.",
    )
    postings_in = Connection(
        lambda: Posting, by="credit_id", description="The postings that put money in."
    )
    postings_out = Connection(
        lambda: Posting, by="debit_id", description="The postings that took money out."
    )


class Posting(Object):
    """One move of money from one account to another; never edited, only reversed."""

    class Meta:
        permission = Permission.FUND_READ
        model = models.Posting
        selector = selectors.postings
        # By the day, as `since` and `until` ask: one index serves both.
        orderings = {"OLDEST": ("happened_on",), "NEWEST": ("-happened_on",)}

    event = Computed(
        lambda: LedgerEvent,
        load=lambda rows, actor: _event_by_posting(rows, actor),
        required=True,
        description="What it is part of.",
    )
    debit = One(Account, by="debit_id", description="The account the money was taken from.")
    credit = One(Account, by="credit_id", description="The account the money was put into.")
    amount_fen = Fen(required=True, description="How much, in fen.")
    kind = graphene.Field(PostingKind, required=True, description="Why it moved.")
    happened_on = Date(required=True, description="The day the money moved.")
    recorded_at = DateTime(required=True, description="When it was written down.")
    note = graphene.String(required=True, description="A remark; empty where there is none.")
    rules = One(
        RuleSnapshot, by="rules_id", description="The rules in force that it was worked out from."
    )
    contribution = One(
        Contribution, by="contribution_id", description="The contribution that arrived, if one did."
    )
    spending = One(
        lambda: Spending, by="spending_id", description="The spending it paid, if it paid one."
    )
    reverses = One(
        lambda: Posting, by="reverses_id", description="The posting this one takes back."
    )


class LedgerEvent(Object):
    """What moved money: the postings that were written together, and are reversed together."""

    class Meta:
        permission = Permission.FUND_READ
        shape = selectors.LedgerEvent
        found = staticmethod(lambda key, *, actor: ledger_event(key, actor=actor))

    kind = graphene.Field(
        PostingKind, required=True, description="Of its first posting: why money moved."
    )
    happened_on = Date(required=True, description="The day the money moved.")
    recorded_at = DateTime(required=True, description="When it was written down.")
    note = graphene.String(required=True, description="A remark; empty where there is none.")
    postings = Bounded(Posting, most=1_000, cost=1, description="Its moves, in their order.")

    @staticmethod
    def resolve_kind(event: selectors.LedgerEvent, info: graphene.ResolveInfo) -> str:
        return event.postings[0].kind

    @staticmethod
    def resolve_happened_on(event: selectors.LedgerEvent, info: graphene.ResolveInfo) -> date:
        return event.postings[0].happened_on

    @staticmethod
    def resolve_recorded_at(event: selectors.LedgerEvent, info: graphene.ResolveInfo) -> datetime:
        return event.postings[0].recorded_at

    @staticmethod
    def resolve_note(event: selectors.LedgerEvent, info: graphene.ResolveInfo) -> str:
        return event.postings[0].note


def ledger_event(key: UUID, *, actor: Actor) -> selectors.LedgerEvent | None:
    """The event with a key, if the actor may read it."""
    event = selectors.events([key], actor=actor).get(key)
    if event:
        together(event.postings)
    return event


def _event_by_posting(
    rows: Sequence[models.Posting], actor: Actor
) -> dict[UUID, selectors.LedgerEvent]:
    found = selectors.events((row.group_id for row in rows), actor=actor)
    together(posting for event in found.values() for posting in event.postings)
    return {row.pk: found[row.group_id] for row in rows}


class Spending(Object):
    """Money asked for, approved by the charity and paid by its cashier."""

    class Meta:
        permission = Permission.FUND_READ
        model = models.Spending
        selector = selectors.spendings

    fund = One(Fund, by="fund_id", description="The fund that pays.")
    account_code = graphene.String(required=True, description="The account that pays.")
    use = graphene.String(required=True, description="Key of one of the model's uses.")
    purpose = graphene.String(required=True, description="What it is for, in words.")
    amount_fen = Fen(required=True, description="How much, in fen.")
    status = graphene.Field(
        choices(
            models.Spending.Status,
            "SpendingStatus",
            PROPOSED="Asked for (用资申请) by the community; nothing has moved.",
            APPROVED="The host charity has said yes (审批), and its cashier may pay.",
            PAID="The money has left the fund (拨付); the posting shows it.",
        ),
        required=True,
        description="How far it has come.",
    )
    proposed_at = DateTime(required=True, description="When it was asked for.")
    sample = graphene.Boolean(
        required=True, description="True for made-up sample data, false for what really happened."
    )


class Balance(Object):
    """What one account held at the end of a day."""

    class Meta:
        permission = INHERITED

    code = graphene.String(required=True, description="The account's code.")
    balance_fen = Fen(required=True, description="In fen; negative for a source.")


@extends(Contribution)
class ContributionReceived:
    received_fen = Total(
        Fen,
        summed=selectors.arrivals,
        by="contribution_id",
        amount=selectors.BROUGHT,
        required=True,
        description="What has arrived in the fund of it, in fen.",
    )
