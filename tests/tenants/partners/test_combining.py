"""An agreement under a combined rule, signed and declared: every part of the model's counts (P4)."""

from datetime import date

import pytest
from django.utils import translation

from linli.accounts.policy import system_actor
from tenants.operating_model.actions import adopt_version, write_version
from tenants.partners.actions import declare_income
from tenants.partners.models import Contribution, Declaration
from tenants.partners.working import explain
from tests.support.calendar import on_day
from tests.support.denials import denied
from tests.support.models import chengnan
from tests.tenants.partners.conftest import signed

JULY, AUGUST = date(2025, 7, 1), date(2025, 8, 1)
YEARLY = {
    "key": "yearly", "title": {"zh": "固定反哺"}, "type": "fixed", "modes": ["stationed"],
    "fee_fen": 1_200_000,
}  # fmt: skip
CLINICS = {
    "key": "clinics", "title": {"zh": "义诊"}, "type": "in_kind", "modes": ["stationed"],
    "gives": {"zh": "每月两场义诊"}, "valued": {"zh": "按门诊价目"},
}  # fmt: skip
ALL = {
    "key": "all", "title": {"zh": "组合反哺"}, "type": "combined", "modes": ["stationed"],
    "of": ["yearly", "stationed", "clinics"], "maximum_fen": 5_000_000,
}  # fmt: skip


@pytest.fixture
def combining(house):
    """The house from 1 July 2025 on a version with combined rules, its share bounded to 1 %–5 %."""
    document = chengnan()
    document["partners"]["contributions"] += [YEARLY, CLINICS, ALL]
    with on_day(JULY):
        version = write_version(
            actor=system_actor(house.street),
            key="combined",
            title="组合",
            document=document,
            bounds={
                "partners.contributions[stationed].rate": {"minimum": "0.01", "maximum": "0.05"}
            },
        )
        adopt_version(actor=house.administrator, version_id=version.pk, effective_from=JULY)
        yield house


def declare(house, agreement, **given) -> Contribution:
    with on_day(date(2025, 9, 1)):
        return declare_income(
            actor=house.administrator,
            agreement_id=agreement.pk,
            starts_on=JULY,
            ends_on=AUGUST,
            **given,
        )


def test_all_parts_count_under_one_key(combining) -> None:
    agreement = signed(combining, rule_key="all", starts_on=JULY)

    with denied("INCOME_MISSING", "incomeFen"):
        declare(combining, agreement)
    contribution = declare(combining, agreement, income_fen=5_000_000)

    # 31 of 365 days of 12,000.00; 3 % of 50,000.00; nothing in money; at most 50,000.00 a year.
    assert [(line["rule_key"], line["amount_fen"]) for line in contribution.lines] == [
        ("yearly", 101_918), ("stationed", 150_000), ("clinics", 0), ("all", 0),
    ]  # fmt: skip
    assert Contribution.objects.get().amount_fen == 251_918
    with translation.override("zh-hans"):
        assert "每月两场义诊" in str(explain(Contribution.objects.get().lines[2]))


def test_an_agreed_rate_is_the_one_share_s_and_keeps_to_its_bounds(combining) -> None:
    with denied("OUTSIDE_BOUNDS", "agreedRate"):
        signed(combining, rule_key="all", starts_on=JULY, agreed_rate="0.06")
    with denied("RATE_NOT_FOR_RULE", "agreedRate"):
        signed(combining, rule_key="yearly", starts_on=JULY, agreed_rate="0.02")
    agreement = signed(combining, rule_key="all", starts_on=JULY, agreed_rate="0.02")

    lines = declare(combining, agreement, income_fen=5_000_000).lines
    assert [line["amount_fen"] for line in lines] == [101_918, 100_000, 0, 0]


def test_a_fixed_fee_needs_nothing_declared_but_the_days(combining) -> None:
    agreement = signed(combining, rule_key="yearly", starts_on=JULY)

    assert declare(combining, agreement).amount_fen == 101_918
    assert Declaration.objects.values_list("income_fen", "sessions").get() == (0, 0)


def test_in_kind_owes_nothing_in_money(combining) -> None:
    agreement = signed(combining, rule_key="clinics", starts_on=JULY)

    contribution = declare(combining, agreement)
    assert (contribution.amount_fen, contribution.lines[0]["gives"]) == (
        0, {"zh": "每月两场义诊", "en": None},
    )  # fmt: skip
