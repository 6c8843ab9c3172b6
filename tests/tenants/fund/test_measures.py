"""What a fund reports of itself: by the day, in exact fen, reversals taken off (C1)."""

from datetime import date
from decimal import Decimal

import pytest

from linli.accounts.policy import system_actor
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community, update_community
from tenants.fund.actions import (
    approve_spending,
    open_fund,
    pay_spending,
    propose_spending,
    receive_contribution,
    record_income,
    reverse_event,
)
from tenants.fund.measures import balance_fen, income_fen, self_reliance
from tenants.fund.models import Source
from tenants.partners.actions import admit_partner, declare_income, sign_agreement
from tests.support.calendar import on_day


def _income(house, amount_fen: int, day: date, source=Source.MARKET, fund=None):
    return record_income(
        actor=house.administrator,
        fund_id=(fund or house.fund).pk,
        source=source,
        amount_fen=amount_fen,
        received_on=day,
    )


def test_income_counts_from_new_year_and_balance_from_the_beginning(house) -> None:
    _income(house, 10_000, date(2024, 12, 31))
    _income(house, 300, date(2025, 1, 1), Source.DONATION)
    _income(house, 20, date(2025, 3, 1))
    _income(house, 1, date(2025, 3, 2))

    assert [income_fen(date(2024, 12, 30)), balance_fen(date(2024, 12, 30))] == [0, 0]
    assert [income_fen(date(2024, 12, 31)), balance_fen(date(2024, 12, 31))] == [10_000, 10_000]
    assert [income_fen(date(2025, 1, 1)), balance_fen(date(2025, 1, 1))] == [300, 10_300]
    assert [income_fen(date(2025, 3, 1)), balance_fen(date(2025, 3, 1))] == [320, 10_320]


def test_a_reversal_is_taken_off_on_its_day(house) -> None:
    wrong = _income(house, 500, date(2025, 3, 1))
    with on_day(date(2025, 4, 1)):
        reverse_event(actor=house.administrator, group_id=wrong, reason="typed twice")
    _income(house, 70, date(2025, 4, 2))

    assert [income_fen(date(2025, 3, 31)), balance_fen(date(2025, 3, 31))] == [500, 500]
    assert [income_fen(date(2025, 4, 1)), balance_fen(date(2025, 4, 1))] == [0, 0]
    assert [income_fen(date(2025, 4, 2)), balance_fen(date(2025, 4, 2))] == [70, 70]


def test_spending_lessens_the_balance_and_not_the_income(house) -> None:
    _income(house, 10_000, date(2025, 1, 1))
    spending = propose_spending(
        actor=house.secretary,
        fund_id=house.fund.pk,
        share="services",
        use="activities",
        purpose="重阳节",
        amount_fen=4_000,
    )
    approve_spending(actor=house.approver, spending_id=spending.pk)
    pay_spending(actor=house.cashier, spending_id=spending.pk, paid_on=date(2025, 2, 1))

    assert [income_fen(date(2025, 2, 1)), balance_fen(date(2025, 2, 1))] == [10_000, 6_000]
    assert balance_fen(date(2025, 1, 31)) == 10_000


def _cost(house, fen: int | None, community=None) -> None:
    update_community(
        actor=house.administrator,
        community_id=(community or house.community).pk,
        operating_cost_fen=fen,
    )


def test_self_reliance_is_missing_without_any_cost(house) -> None:
    _income(house, 10_000, date(2025, 1, 1))

    assert self_reliance(date(2025, 12, 31)) is None
    _cost(house, 0)
    assert self_reliance(date(2025, 12, 31)) is None


def test_self_reliance_is_own_income_over_the_cost_of_as_many_days(house) -> None:
    _cost(house, 36_500)  # 100 fen a day
    _income(house, 9_999, date(2024, 12, 31))
    _income(house, 600, date(2025, 1, 1))
    _income(house, 400, date(2025, 1, 20), Source.SPACE_RENT)
    _income(house, 8_000, date(2025, 1, 20), Source.DONATION)
    _income(house, 8_000, date(2025, 1, 20), Source.INCENTIVE)

    assert self_reliance(date(2025, 1, 1)) == Decimal(6)
    assert self_reliance(date(2025, 1, 20)) == Decimal("0.5")
    assert self_reliance(date(2025, 12, 31)) == Decimal(1000) / Decimal(36_500)


def test_a_community_without_a_cost_counts_on_neither_side(house) -> None:
    system = system_actor(house.street)
    other = add_community(actor=system, name="工盛社区", opened_on=date(2024, 1, 1))
    fund = open_fund(
        actor=system, community_id=other.pk, host_charity="慈善总会", opened_on=date(2024, 1, 1)
    )
    _cost(house, 36_500)
    _income(house, 500, date(2025, 1, 1))
    _income(house, 700, date(2025, 1, 1), fund=fund)

    assert self_reliance(date(2025, 1, 1)) == Decimal(5)
    _cost(house, 36_500, other)
    assert self_reliance(date(2025, 1, 1)) == Decimal(6)


def test_in_a_streets_fund_it_is_what_the_partners_of_the_community_contributed(house) -> None:
    system = system_actor(house.street)
    other = add_community(actor=system, name="工盛社区", opened_on=date(2024, 1, 1))
    streets = open_fund(
        actor=system, community_id=None, host_charity="慈善总会", opened_on=date(2024, 1, 1)
    )
    partner = admit_partner(actor=system, community_id=other.pk, name="城市书房", kind="enterprise")
    agreement = sign_agreement(
        actor=system,
        partner_id=partner.pk,
        mode="visiting",
        rule_key="visiting",
        starts_on=date(2024, 1, 1),
        ends_on=date(2026, 1, 1),
    )
    contribution = declare_income(
        actor=system,
        agreement_id=agreement.pk,
        starts_on=date(2024, 12, 1),
        ends_on=date(2025, 1, 1),
        sessions=1,
    )
    receive_contribution(
        actor=system,
        contribution_id=contribution.pk,
        amount_fen=5_000,
        received_on=date(2025, 1, 1),
    )
    _income(house, 900, date(2025, 1, 1), fund=streets)  # the street's market: nobody's own
    _cost(house, 36_500)
    assert self_reliance(date(2025, 1, 1)) == Decimal(0)

    _cost(house, 36_500, other)

    assert self_reliance(date(2025, 1, 1)) == Decimal(25)


def test_a_tenant_without_a_fund_has_a_balance_of_nothing(in_other_street) -> None:
    assert [income_fen(date(2025, 1, 1)), balance_fen(date(2025, 1, 1))] == [0, 0]
    assert self_reliance(date(2025, 1, 1)) is None


@pytest.fixture
def in_other_street(other_street):
    with tenant_context(other_street):
        yield
