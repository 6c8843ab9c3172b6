"""An agreement says what the rules in force let it say (P3, M3)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from linli.accounts.policy import system_actor
from linli.audit.models import Entry
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community
from tenants.operating_model.actions import set_layer
from tenants.partners.actions import admit_partner, sign_agreement
from tenants.partners.models import Agreement
from tenants.partners.selectors import agreements, operating_on
from tenants.partners.terms import add_months
from tests.support.denials import denied
from tests.support.models import adopt_chengnan
from tests.tenants.partners.conftest import ADOPTED, signed

RATE = "partners.contributions[stationed].rate"


def test_an_agreement_is_kept_as_signed(house) -> None:
    agreement = signed(
        house,
        agreed_rate="0.02",
        services="门诊，每周三次",
        spaces="二楼 120 m²",
        utilities_borne_by="partner",
        rent_free_months=18,
    )

    kept = Agreement.objects.get()
    assert (kept.pk, kept.partner, kept.mode, kept.rule_key) == (
        agreement.pk, house.clinic, "stationed", "stationed",
    )  # fmt: skip
    assert (kept.agreed_rate, kept.rent_free_months) == (Decimal("0.02"), 18)
    assert (kept.starts_on, kept.ends_on) == (ADOPTED, date(2027, 1, 1))
    entry = Entry.objects.get(object_id=str(agreement.pk))
    assert (entry.action, entry.after["agreed_rate"]) == ("partners.agreement_signed", "0.02")
    assert entry.person_id == house.administrator.person_id


@pytest.mark.parametrize(
    ("given", "refusal", "field"),
    [
        ({"rule_key": "tithe"}, "RULE_UNKNOWN", "ruleKey"),
        ({"mode": "visiting"}, "RULE_NOT_FOR_MODE", "ruleKey"),
        ({"mode": "wandering"}, "RULE_NOT_FOR_MODE", "ruleKey"),
        ({"agreed_rate": "three"}, "RATE_INVALID", "agreedRate"),
        ({"agreed_rate": "1.01"}, "RATE_INVALID", "agreedRate"),
        ({"agreed_rate": "-0.01"}, "RATE_INVALID", "agreedRate"),
        ({"agreed_rate": "NaN"}, "RATE_INVALID", "agreedRate"),
        ({"agreed_rate": "0.0300001"}, "RATE_INVALID", "agreedRate"),
        ({"rent_free_months": 19}, "RENT_FREE_TOO_LONG", "rentFreeMonths"),
        ({"rent_free_months": -1}, "RENT_FREE_MONTHS_INVALID", "rentFreeMonths"),
        ({"ends_on": ADOPTED}, "TERM_INVALID", "endsOn"),
        ({"utilities_borne_by": "nobody"}, "UTILITIES_BORNE_BY_INVALID", "utilitiesBorneBy"),
        (
            {"mode": "visiting", "rule_key": "visiting", "agreed_rate": "0.03"},
            "RATE_NOT_FOR_RULE",
            "agreedRate",
        ),
        (
            {"starts_on": date(2020, 1, 1), "ends_on": date(2023, 12, 31)},
            "NO_MODEL_IN_FORCE",
            None,
        ),
    ],
)
def test_what_the_rules_do_not_have_is_refused(house, given: dict, refusal: str, field) -> None:
    with denied(refusal, field):
        signed(house, **given)


@pytest.mark.parametrize(("rate", "bound"), [("0.06", " 5 %"), ("0.009999", " 1 %")])
def test_a_rate_outside_the_authors_bounds_names_the_bound_and_the_author(
    house, rate: str, bound: str
) -> None:
    with denied("OUTSIDE_BOUNDS", "agreedRate") as caught:
        signed(house, agreed_rate=rate)

    refused = caught.refused
    assert bound in str(refused.message)
    assert "车站街道" in str(refused.message)
    assert (refused.data["minimum"], refused.data["maximum"]) == ("0.01", "0.05")
    assert refused.data["set_by"]["kind"] == "model"


@pytest.mark.parametrize("rate", ["0.01", "0.05", "0.050000", Decimal("0.05")])
def test_the_bounds_themselves_are_inside(house, rate) -> None:
    assert signed(house, agreed_rate=rate).agreed_rate == Decimal(rate)


def test_a_communitys_narrower_bound_holds_there_and_names_the_community(house) -> None:
    set_layer(
        actor=house.administrator,
        community_id=house.chengnan.pk,
        values={},
        bounds={RATE: {"maximum": "0.04"}},
        effective_from=timezone.localdate(),
    )

    with denied("OUTSIDE_BOUNDS", "agreedRate") as caught:
        signed(house, agreed_rate="0.045")

    assert caught.refused.data["set_by"]["name"] == "城南社区"
    assert caught.refused.data["maximum"] == "0.04"
    elsewhere = admit_partner(
        actor=house.administrator,
        community_id=house.gongsheng.pk,
        name="城市书房",
        kind="enterprise",
    )
    agreement = sign_agreement(
        actor=house.administrator,
        partner_id=elsewhere.pk,
        mode="stationed",
        rule_key="stationed",
        agreed_rate="0.045",
        starts_on=ADOPTED,
        ends_on=date(2027, 1, 1),
    )
    assert agreement.agreed_rate == Decimal("0.045")


def test_it_is_held_against_the_rules_of_the_day_it_starts(house) -> None:
    """A bound that comes into force next month does not bind what ends before."""
    month = timezone.localdate() + timedelta(days=30)
    set_layer(
        actor=house.administrator,
        values={},
        bounds={RATE: {"maximum": "0.04"}},
        effective_from=month,
    )

    assert signed(house, agreed_rate="0.05", ends_on=month)
    with denied("OUTSIDE_BOUNDS", "agreedRate"):
        signed(house, agreed_rate="0.05", starts_on=month, ends_on=month + timedelta(days=1))


@pytest.mark.parametrize(
    ("who", "refusal", "field"),
    [("auditor", "FORBIDDEN", None), ("elsewhere", "NOT_FOUND", "partnerId")],
)
def test_only_who_signs_there_signs(house, who: str, refusal: str, field) -> None:
    with denied(refusal, field):
        sign_agreement(
            actor=getattr(house, who),
            partner_id=house.clinic.pk,
            mode="stationed",
            rule_key="stationed",
            starts_on=ADOPTED,
            ends_on=date(2027, 1, 1),
        )


def test_another_tenants_partner_is_not_found(house, other_street) -> None:
    with tenant_context(other_street):
        system = system_actor(other_street)
        theirs = add_community(actor=system, name="闻韶社区", opened_on=ADOPTED)
        adopt_chengnan(other_street, effective_from=ADOPTED)
        partner = admit_partner(
            actor=system, community_id=theirs.pk, name="中康颐养", kind="enterprise"
        )

    with denied("NOT_FOUND", "partnerId"):
        sign_agreement(
            actor=house.administrator,
            partner_id=partner.pk,
            mode="stationed",
            rule_key="stationed",
            starts_on=ADOPTED,
            ends_on=date(2027, 1, 1),
        )
    with tenant_context(other_street):
        assert Agreement.objects.count() == 0


def test_one_rule_is_not_agreed_twice_for_the_same_days(house) -> None:
    """Else the same income could be declared under each."""
    signed(house, ends_on=date(2025, 1, 1))

    for starts_on, ends_on in (
        (date(2024, 1, 1), date(2025, 1, 1)),
        (date(2024, 12, 31), date(2026, 1, 1)),
    ):
        with denied("AGREED_ALREADY", "startsOn"):
            signed(house, starts_on=starts_on, ends_on=ends_on)

    signed(house, starts_on=date(2025, 1, 1), ends_on=date(2026, 1, 1))  # the renewal


def test_a_partner_operates_on_the_days_of_its_agreements(house) -> None:
    signed(house, ends_on=date(2025, 1, 1))
    visiting = {"mode": "visiting", "rule_key": "visiting"}
    signed(house, starts_on=date(2024, 6, 1), ends_on=date(2025, 1, 1), **visiting)

    def operating(day: date) -> list:
        return list(operating_on(day))

    assert operating(date(2023, 12, 31)) == []
    assert operating(date(2024, 1, 1)) == [house.clinic]
    assert operating(date(2024, 12, 31)) == [house.clinic]
    assert operating(date(2025, 1, 1)) == []
    assert agreements(actor=house.secretary).count() == 2
    assert agreements(actor=house.elsewhere).count() == 0


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2025, 1, 31), 1, date(2025, 2, 28)),
        (date(2024, 12, 1), 1, date(2025, 1, 1)),
        (date(2024, 7, 15), 18, date(2026, 1, 15)),
        (date(2024, 7, 15), 0, date(2024, 7, 15)),
    ],
)
def test_months_are_counted_by_the_calendar(day: date, months: int, later: date) -> None:
    assert add_months(day, months) == later
