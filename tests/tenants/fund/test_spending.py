"""F5, thin: proposed, approved, paid by three people, and never more than there is."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.errors import Forbidden, NotFound, Refused
from linli.tenancy.context import tenant_context
from tenants.fund.actions import (
    approve_spending,
    open_fund,
    pay_spending,
    propose_spending,
    record_income,
    reverse_event,
)
from tenants.fund.models import Account, Posting, Source, Spending

DAY = date(2025, 3, 1)


def _income(house, amount: int) -> None:
    record_income(
        actor=system_actor(house.street), fund_id=house.fund.pk, source=Source.DONATION,
        amount_fen=amount, received_on=DAY,
    )  # fmt: skip


def _proposed(house, amount: int = 1_000, **changed) -> Spending:
    asked = {"share": "services", "use": "activities", "purpose": "重阳节慰问"} | changed
    return propose_spending(
        actor=house.secretary, fund_id=house.fund.pk, amount_fen=amount, **asked
    )


def _approved(house, amount: int = 1_000) -> Spending:
    return approve_spending(actor=house.approver, spending_id=_proposed(house, amount).pk)


def _held(house, code: str = "held:services") -> int:
    return Account.objects.get(fund=house.fund, code=code).balance_fen


def test_three_people_take_a_spending_from_proposal_to_payment(house) -> None:
    _income(house, 10_000)
    before = Entry.objects.count()

    paid = pay_spending(actor=house.cashier, spending_id=_approved(house, 1_000).pk, paid_on=DAY)

    assert paid.status == Spending.Status.PAID
    assert (_held(house), _held(house, "use:activities")) == (4_000, 1_000)
    posting = Posting.objects.get(spending=paid)
    assert (posting.amount_fen, posting.posted_by_id) == (1_000, house.cashier.person_id)
    actions = list(Entry.objects.order_by("pk").values_list("action", flat=True))[before:]
    assert actions == ["fund.propose", "fund.approve", "fund.pay"]


def test_more_than_the_share_holds_is_refused_and_nothing_changes(house) -> None:
    _income(house, 1_000)
    spending = _approved(house, 501)
    before = (Entry.objects.count(), Posting.objects.count())

    with pytest.raises(Refused) as refused:
        pay_spending(actor=house.cashier, spending_id=spending.pk, paid_on=DAY)

    assert refused.value.code == "BALANCE_TOO_LOW"
    spending.refresh_from_db()
    assert spending.status == Spending.Status.APPROVED
    assert (Entry.objects.count(), Posting.objects.count()) == before


@pytest.mark.parametrize(
    ("role", "act"),
    [
        (Role.AUDITOR, lambda h, s, a: approve_spending(actor=a, spending_id=s)),
        (Role.CHARITY_CASHIER, lambda h, s, a: approve_spending(actor=a, spending_id=s)),
        (Role.CHARITY_APPROVER, lambda h, s, a: pay_spending(actor=a, spending_id=s, paid_on=DAY)),
        (Role.STREET_ADMINISTRATOR, lambda h, s, a: pay_spending(actor=a, spending_id=s, paid_on=DAY)),
        (Role.PLATFORM_OPERATOR, lambda h, s, a: pay_spending(actor=a, spending_id=s, paid_on=DAY)),
    ],
)  # fmt: skip
def test_the_wrong_role_is_refused(house, actor_as, role, act) -> None:
    spending = _proposed(house)
    held_at = None if role == Role.PLATFORM_OPERATOR else house.street
    actor = actor_as(house.street, role, held_at=held_at)
    before = Entry.objects.count()

    with pytest.raises(Forbidden):
        act(house, spending.pk, actor)

    spending.refresh_from_db()
    assert (spending.status, Entry.objects.count()) == (Spending.Status.PROPOSED, before)


def test_one_person_never_approves_and_pays_whatever_roles_they_hold(house, actor_as) -> None:
    """The action refuses it, and the database would if the action did not."""
    everything = system_actor(house.street)
    both = type(everything)(house.approver.person, house.street, everything.grants)
    _income(house, 10_000)
    approved = approve_spending(actor=both, spending_id=_proposed(house).pk)

    with pytest.raises(Refused) as refused:
        pay_spending(actor=both, spending_id=approved.pk, paid_on=DAY)
    assert refused.value.code == "SAME_PERSON"

    own = propose_spending(
        actor=both, fund_id=house.fund.pk, share="services", use="activities",
        purpose="?", amount_fen=1,
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        approve_spending(actor=both, spending_id=own.pk)
    assert refused.value.code == "SAME_PERSON"


def test_steps_come_in_their_order_and_once(house) -> None:
    _income(house, 10_000)
    spending = _proposed(house)
    with pytest.raises(Refused) as early:
        pay_spending(actor=house.cashier, spending_id=spending.pk, paid_on=DAY)
    assert early.value.code == "STEP_OUT_OF_ORDER"
    approve_spending(actor=house.approver, spending_id=spending.pk)
    pay_spending(actor=house.cashier, spending_id=spending.pk, paid_on=DAY)
    for again in (
        lambda: approve_spending(actor=house.approver, spending_id=spending.pk),
        lambda: pay_spending(actor=house.cashier, spending_id=spending.pk, paid_on=DAY),
    ):
        with pytest.raises(Refused) as late:
            again()
        assert late.value.code == "STEP_OUT_OF_ORDER"
    assert _held(house) == 4_000


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"share": "elsewhere"}, "NOT_IN_MODEL", "share"),
        ({"use": "salaries"}, "NOT_IN_MODEL", "use"),
        ({"amount": 0}, "AMOUNT_NOT_POSITIVE", "amountFen"),
        ({"amount": -5}, "AMOUNT_NOT_POSITIVE", "amountFen"),
    ],
)
def test_a_proposal_outside_the_model_is_refused(house, changed, code, field) -> None:
    with pytest.raises(Refused) as refused:
        _proposed(house, **changed)

    assert (refused.value.code, refused.value.field) == (code, field)
    assert Spending.objects.count() == 0


def test_a_day_that_has_not_come_is_refused(house) -> None:
    _income(house, 10_000)
    tomorrow = timezone.localdate() + timedelta(days=1)

    with pytest.raises(Refused) as refused:
        pay_spending(actor=house.cashier, spending_id=_approved(house).pk, paid_on=tomorrow)

    assert refused.value.code == "DAY_OUT_OF_RANGE"


def test_a_mistake_is_reversed_once_and_the_money_is_back(house) -> None:
    _income(house, 10_000)
    paid = pay_spending(actor=house.cashier, spending_id=_approved(house).pk, paid_on=DAY)
    event = Posting.objects.get(spending=paid).group_id

    reverse_event(actor=house.administrator, group_id=event, reason="付错对象")

    assert (_held(house), _held(house, "use:activities")) == (5_000, 0)
    with pytest.raises(Refused) as refused:
        reverse_event(actor=house.administrator, group_id=event, reason="再来一次")
    assert refused.value.code == "ALREADY_REVERSED"
    assert _held(house) == 5_000


def test_income_already_spent_cannot_be_reversed(house) -> None:
    _income(house, 10_000)
    income = Posting.objects.get(kind=Posting.Kind.INCOME).group_id
    pay_spending(actor=house.cashier, spending_id=_approved(house, 5_000).pk, paid_on=DAY)

    with pytest.raises(Refused) as refused:
        reverse_event(actor=house.administrator, group_id=income, reason="退款")

    assert refused.value.code == "BALANCE_TOO_LOW"


def test_money_is_not_paid_on_a_day_it_was_not_there(house) -> None:
    """Balances hold at any day (F2): today's total does not cover what a past day lacked."""
    _income(house, 10_000)
    spending = _approved(house, 1_000)
    before = Posting.objects.count()

    with pytest.raises(Refused) as refused:
        pay_spending(actor=house.cashier, spending_id=spending.pk, paid_on=DAY - timedelta(days=1))

    assert (refused.value.code, refused.value.field) == ("BALANCE_TOO_LOW_THEN", "paidOn")
    assert Posting.objects.count() == before
    pay_spending(actor=house.cashier, spending_id=spending.pk, paid_on=DAY)
    assert _held(house) == 4_000


def test_a_back_dated_payment_may_not_take_what_was_spent_since(house) -> None:
    _income(house, 10_000)  # services hold 5,000
    later = DAY + timedelta(days=10)
    pay_spending(actor=house.cashier, spending_id=_approved(house, 4_000).pk, paid_on=later)
    record_income(
        actor=system_actor(house.street), fund_id=house.fund.pk, source=Source.DONATION,
        amount_fen=10_000, received_on=later + timedelta(days=10),
    )  # fmt: skip

    with pytest.raises(Refused) as refused:
        pay_spending(actor=house.cashier, spending_id=_approved(house, 2_000).pk, paid_on=DAY)
    assert refused.value.code == "BALANCE_TOO_LOW_THEN"

    pay_spending(actor=house.cashier, spending_id=_approved(house, 1_000).pk, paid_on=DAY)
    assert _held(house) == 5_000


def test_a_second_fund_of_one_community_is_refused(house) -> None:
    with pytest.raises(Refused) as refused:
        open_fund(
            actor=house.administrator, community_id=house.community.pk,
            host_charity="另一家", opened_on=DAY,
        )  # fmt: skip
    assert refused.value.code == "FUND_OPEN"


def test_another_tenants_ids_are_unknown_here(house, other_street) -> None:
    spending = _approved(house)
    with tenant_context(other_street):
        stranger = system_actor(other_street)
        for pk in (spending.pk, uuid4()):
            with pytest.raises(NotFound) as refused:
                pay_spending(actor=stranger, spending_id=pk, paid_on=DAY)
            assert str(refused.value).startswith("NOT_FOUND")


def test_of_50_spends_at_once_on_a_balance_for_10_exactly_10_succeed(committed_house) -> None:
    house = committed_house
    _income(house, 20_000)  # services hold 10,000
    spendings = [_approved(house, 1_000).pk for _ in range(50)]
    start = threading.Barrier(50)

    def pay(spending_id) -> str:
        try:
            with tenant_context(house.street):
                start.wait()
                pay_spending(actor=house.cashier, spending_id=spending_id, paid_on=DAY)
                return "paid"
        except Refused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(pay, spendings))

    assert sorted(results) == ["BALANCE_TOO_LOW"] * 40 + ["paid"] * 10
    assert (_held(house), _held(house, "use:activities")) == (0, 10_000)
    assert Spending.objects.filter(status=Spending.Status.PAID).count() == 10
    assert Posting.objects.filter(kind=Posting.Kind.SPENDING).count() == 10
