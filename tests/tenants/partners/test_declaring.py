"""What is declared is taken once, worked out by the rules of each day, and kept with them (P4)."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linli.accounts.policy import system_actor
from linli.audit.models import Entry
from linli.errors import Refused
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community
from tenants.operating_model.actions import set_layer
from tenants.operating_model.models import RuleSnapshot
from tenants.operating_model.selectors import effective_rules
from tenants.partners.actions import admit_partner, declare_income, sign_agreement
from tenants.partners.models import Contribution, Declaration
from tenants.partners.selectors import contributions, declarations
from tests.support.calendar import on_day
from tests.support.denials import denied
from tests.support.models import adopt_chengnan
from tests.tenants.partners.conftest import ADOPTED, signed

RATE = "partners.contributions[stationed].rate"
MARCH, APRIL = date(2025, 3, 1), date(2025, 4, 1)


def declared(house, agreement, starts_on=MARCH, ends_on=APRIL, **given) -> Contribution:
    given = given or {"income_yuan": "30000.17"}
    return declare_income(
        actor=house.administrator,
        agreement_id=agreement.pk,
        starts_on=starts_on,
        ends_on=ends_on,
        **given,
    )


def test_a_share_of_a_month(house) -> None:
    agreement = signed(house)

    contribution = declared(house, agreement)

    declaration = Declaration.objects.get()
    assert (declaration.income_fen, declaration.sessions) == (3_000_017, 0)
    kept = Contribution.objects.get()
    assert kept.pk == contribution.pk
    assert kept.amount_fen == 90_001  # 3 % of 30 000.17 = 900.0051
    rules = effective_rules(MARCH, house.chengnan.pk)
    assert kept.rules.digest == rules.digest
    assert [(line["rate"], line["amount_fen"], line["rule_digest"]) for line in kept.lines] == [
        ("0.03", 90_001, rules.digest)
    ]
    entry = Entry.objects.get(object_id=str(declaration.pk))
    assert (entry.action, entry.person_id) == (
        "partners.income_declared", house.administrator.person_id,
    )  # fmt: skip
    assert entry.after["amount_fen"] == 90_001
    assert entry.after["contribution_id"] == str(kept.pk)


def test_the_agreed_rate_and_an_income_in_fen(house) -> None:
    agreement = signed(house, agreed_rate="0.015")

    assert declared(house, agreement, income_fen=100_100).amount_fen == 1_502  # 1501.5 upwards


def test_a_fee_per_session(house) -> None:
    agreement = signed(house, mode="visiting", rule_key="visiting")

    contribution = declared(house, agreement, sessions=11)

    assert contribution.amount_fen == 55_000
    assert contribution.lines[0]["fee_fen"] == 5_000


def test_rent_free_months_owe_nothing_and_end_on_their_day(house) -> None:
    """Fourteen months from 2024-01-15: until 2025-03-15, so 14 of March's 31 days are free."""
    agreement = signed(house, starts_on=date(2024, 1, 15), rent_free_months=14)

    free = declared(house, agreement, date(2025, 2, 1), MARCH, income_fen=1_000_000)
    mixed = declared(house, agreement, income_fen=3_100_000)

    assert (free.amount_fen, [line["rent_free"] for line in free.lines]) == (0, [True])
    assert mixed.amount_fen == 51_000  # 3 % of 17/31
    assert [(line["ends_on"], line["rent_free"], line["amount_fen"]) for line in mixed.lines] == [
        ("2025-03-15", True, 0),
        ("2025-04-01", False, 51_000),
    ]


def test_one_look_and_one_write(committed_house) -> None:
    """The rules and their snapshot are known by then, and still those of the database."""
    agreement = signed(committed_house)
    declared(committed_house, agreement)

    with CaptureQueriesContext(connection) as captured:
        declared(committed_house, agreement, APRIL, date(2025, 5, 1))

    told = [query["sql"].split()[0] for query in captured]
    assert told == ["BEGIN", "SELECT", "INSERT", "COMMIT;"]
    assert "NOTIFY" in captured[-1]["sql"]


def test_rules_that_were_rolled_back_count_for_nothing(committed_house) -> None:
    house, agreement = committed_house, signed(committed_house)
    with transaction.atomic(), on_day(date(2025, 2, 1)):
        change = {"actor": house.administrator, "bounds": {}, "effective_from": date(2025, 2, 1)}
        set_layer(values={RATE: "0.02"}, **change)
        with on_day(APRIL):
            assert declared(house, agreement, income_fen=100_000).amount_fen == 2_000
        transaction.set_rollback(True)

    assert declared(house, agreement, income_fen=100_000).amount_fen == 3_000
    assert RuleSnapshot.objects.count() == 1


def test_rules_that_another_process_changed_count_at_once(committed_house) -> None:
    house, agreement = committed_house, signed(committed_house)
    declared(house, agreement, income_fen=100_000)
    another = f"""
import django
django.setup()
from datetime import date
from linli.accounts.policy import system_actor
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import set_layer
from tests.support.calendar import on_day
street = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
with tenant_context(street), on_day(date(2025, 4, 1)):
    set_layer(actor=system_actor(street), values={{"{RATE}": "0.02"}}, bounds={{}},
              effective_from=date(2025, 4, 1))
"""
    done = house.database.run("-c", another, login="app")
    assert done.returncode == 0, done.stderr

    after = declared(house, agreement, APRIL, date(2025, 5, 1), income_fen=100_000)

    assert after.amount_fen == 2_000


def test_in_rent_free_days_nothing_needs_to_be_declared(house) -> None:
    agreement = signed(house, rent_free_months=18)

    contribution = declared(house, agreement, sessions=0)

    assert (contribution.amount_fen, Declaration.objects.get().income_fen) == (0, 0)


def test_a_rule_changed_within_the_period_counts_from_its_day(house) -> None:
    agreement = signed(house)
    with on_day(date(2025, 3, 10)):
        set_layer(
            actor=house.administrator,
            community_id=house.chengnan.pk,
            values={RATE: "0.02"},
            bounds={},
            effective_from=date(2025, 3, 11),
        )

    contribution = declared(house, agreement, income_fen=3_100_000)

    assert [
        (line["starts_on"], line["base_fen"], line["rate"], line["amount_fen"])
        for line in contribution.lines
    ] == [
        ("2025-03-01", 1_000_000, "0.03", 30_000),
        ("2025-03-11", 2_100_000, "0.02", 42_000),
    ]
    assert contribution.amount_fen == 72_000
    first, second = (line["rule_digest"] for line in contribution.lines)
    assert (first != second, contribution.rules.digest) == (True, second)
    assert set(RuleSnapshot.objects.values_list("digest", flat=True)) == {first, second}


def test_an_agreed_rate_stays_within_bounds_that_came_later(house) -> None:
    agreement = signed(house, agreed_rate="0.05")
    with on_day(MARCH):
        set_layer(
            actor=house.administrator,
            values={},
            bounds={RATE: {"maximum": "0.04"}},
            effective_from=date(2025, 3, 20),
            despite_agreements=True,
            reason="与合伙人另行商定",
        )

    assert declared(house, agreement, MARCH, date(2025, 3, 20), income_fen=100).amount_fen == 5
    with denied("OUTSIDE_BOUNDS", "agreedRate") as caught:
        declared(house, agreement, date(2025, 3, 20), APRIL, income_fen=100)
    assert caught.refused.data["set_by"]["name"] == "车站街道"


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "refusal", "field"),
    [
        (APRIL, MARCH, "PERIOD_INVALID", "endsOn"),
        (MARCH, MARCH, "PERIOD_INVALID", "endsOn"),
        (date(2024, 12, 31), APRIL, "DECLARED_OUTSIDE_TERM", "startsOn"),
        (MARCH, date(2025, 7, 2), "DECLARED_OUTSIDE_TERM", "endsOn"),
    ],
)
def test_the_days_lie_in_the_term(house, starts_on, ends_on, refusal: str, field: str) -> None:
    agreement = signed(house, starts_on=date(2025, 1, 1), ends_on=date(2025, 7, 1))

    with denied(refusal, field):
        declared(house, agreement, starts_on, ends_on)


def test_the_whole_term_may_be_declared(house) -> None:
    agreement = signed(house, starts_on=date(2025, 1, 1), ends_on=date(2025, 7, 1))

    assert declared(house, agreement, date(2025, 1, 1), date(2025, 7, 1)).amount_fen == 90_001


def test_the_period_must_be_over(house) -> None:
    agreement = signed(house, ends_on=date(2099, 1, 1))
    today = timezone.localdate()

    with denied("DECLARED_TOO_EARLY", "endsOn"):
        declared(house, agreement, today, today + timedelta(days=1))
    assert declared(house, agreement, today - timedelta(days=1), today).amount_fen == 90_001


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [
        (MARCH, APRIL),
        (date(2025, 3, 31), date(2025, 4, 2)),
        (date(2025, 2, 1), date(2025, 3, 2)),
        (date(2025, 3, 10), date(2025, 3, 11)),
        (date(2025, 1, 1), date(2025, 6, 1)),
    ],
)
def test_no_day_is_declared_twice_and_the_earlier_period_is_named(
    house, starts_on: date, ends_on: date
) -> None:
    agreement = signed(house)
    declared(house, agreement)

    with denied("DECLARED_TWICE", "startsOn") as caught:
        declared(house, agreement, starts_on, ends_on, income_fen=1)

    assert caught.refused.data == {"starts_on": "2025-03-01", "ends_on": "2025-04-01"}
    assert "2025-03-01" in str(caught.refused.message)


def test_neighbouring_periods_and_other_agreements_do_not_overlap(house) -> None:
    one, other = signed(house), signed(house, mode="visiting", rule_key="visiting")

    declared(house, one)
    declared(house, one, APRIL, date(2025, 5, 1))
    declared(house, one, date(2025, 2, 1), MARCH)
    declared(house, other, sessions=2)

    assert Declaration.objects.count() == 4


@pytest.mark.parametrize(
    ("given", "refusal", "field"),
    [
        ({"income_yuan": "0.005"}, "AMOUNT_NOT_WHOLE_FEN", "incomeYuan"),
        ({"income_yuan": "many"}, "AMOUNT_NOT_A_NUMBER", "incomeYuan"),
        ({"income_yuan": "1e30"}, "AMOUNT_NOT_A_NUMBER", "incomeYuan"),
        ({"income_yuan": Decimal("1e15")}, "AMOUNT_OUT_OF_RANGE", "incomeYuan"),
        ({"income_yuan": "-1"}, "DECLARED_NEGATIVE", "incomeYuan"),
        ({"income_fen": -1}, "DECLARED_NEGATIVE", "incomeFen"),
        ({"income_fen": 2**53}, "AMOUNT_OUT_OF_RANGE", "incomeFen"),
        ({"income_fen": 1, "income_yuan": "0.01"}, "INCOME_TWICE", "incomeYuan"),
        ({"sessions": 3}, "INCOME_MISSING", "incomeFen"),
        ({"income_fen": 1, "sessions": -1}, "DECLARED_NEGATIVE", "sessions"),
        ({"income_fen": 1, "sessions": 2**31}, "SESSIONS_INVALID", "sessions"),
    ],
)
def test_what_is_declared_must_make_sense(house, given: dict, refusal: str, field: str) -> None:
    agreement = signed(house)

    with denied(refusal, field):
        declared(house, agreement, **given)


def test_a_fee_needs_the_sessions(house) -> None:
    agreement = signed(house, mode="visiting", rule_key="visiting")

    with denied("SESSIONS_MISSING", "sessions"):
        declared(house, agreement, income_fen=1)


def test_what_is_owed_fits_too(house) -> None:
    """The dearest fee the model allows, and more sessions than could be owed for."""
    set_fee = {"partners.contributions[visiting].fee_fen": 10**9}
    with on_day(MARCH):
        set_layer(actor=house.administrator, values=set_fee, bounds={}, effective_from=MARCH)
    agreement = signed(house, mode="visiting", rule_key="visiting")

    with denied("AMOUNT_OUT_OF_RANGE", "sessions"):
        declared(house, agreement, sessions=10**7)
    assert declared(house, agreement, sessions=9_000_000).amount_fen == 9 * 10**15


@pytest.mark.parametrize(
    ("who", "refusal", "field"),
    [("auditor", "FORBIDDEN", None), ("elsewhere", "NOT_FOUND", "agreementId")],
)
def test_only_who_declares_there_declares(house, who: str, refusal: str, field) -> None:
    agreement = signed(house)

    with denied(refusal, field):
        declare_income(
            actor=getattr(house, who),
            agreement_id=agreement.pk,
            starts_on=MARCH,
            ends_on=APRIL,
            income_fen=1,
        )


def test_another_tenants_agreement_is_not_found(house, other_street) -> None:
    with tenant_context(other_street):
        system = system_actor(other_street)
        theirs = add_community(actor=system, name="闻韶社区", opened_on=ADOPTED)
        adopt_chengnan(other_street, effective_from=ADOPTED)
        partner = admit_partner(
            actor=system, community_id=theirs.pk, name="中康颐养", kind="enterprise"
        )
        agreement = sign_agreement(
            actor=system,
            partner_id=partner.pk,
            mode="stationed",
            rule_key="stationed",
            starts_on=ADOPTED,
            ends_on=date(2027, 1, 1),
        )

    with denied("NOT_FOUND", "agreementId"):
        declared(house, agreement)
    with tenant_context(other_street):
        assert Declaration.objects.count() == 0


def test_readers_see_what_their_communities_owe(house) -> None:
    contribution = declared(house, signed(house))

    for who in (house.administrator, house.auditor, house.secretary):
        assert list(contributions(actor=who)) == [contribution]
        assert list(declarations(actor=who)) == [contribution.declaration]
    assert list(contributions(actor=house.elsewhere)) == []
    assert list(declarations(actor=house.elsewhere)) == []


def test_of_eight_declarations_at_once_one_stands(committed_house) -> None:
    house = committed_house
    agreement = signed(house)
    together = threading.Barrier(8)
    outcomes: list[str] = []

    def declare(day: int) -> None:
        """Days that all contain the 8th, no two periods alike."""
        try:
            with tenant_context(house.street):
                together.wait()
                declared(
                    house, agreement, date(2025, 3, day), date(2025, 3, 8 + day), income_fen=800
                )
                outcomes.append("stands")
        except Refused as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=declare, args=[day]) for day in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["DECLARED_TWICE"] * 7 + ["stands"]
    assert (Declaration.objects.count(), Contribution.objects.count()) == (1, 1)
    assert Entry.objects.filter(action="partners.income_declared").count() == 1
    assert Contribution.objects.get().amount_fen == 24
