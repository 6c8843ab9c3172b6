"""Measures and comparison through the platform's API."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from linli.accounts.policy import Role
from linli.comparison.models import Figure
from linli.registry.models import Tenant
from linli_api import ids
from tests.support.api import ask, done, errors, refused, statements

COMPARISON = """query($measure: String!, $under: ID!, $asOf: Date) {
    comparison(measure: $measure, underId: $under, asOf: $asOf) {
        measure { key unit direction }
        rows { tenant { slug } value text missing asOf rolledUpAt rank }
    }
}"""
NOON = datetime(2026, 6, 2, 4, tzinfo=UTC)
NOBODY = ids.encode("Tenant", "00000000-0000-7000-8000-000000000000")


def global_id(tenant: Tenant) -> str:
    return ids.encode("Tenant", tenant.pk)


def figure(tenant: Tenant, value: str | None, as_of=date(2026, 6, 1), measure="communities"):
    return Figure.objects.create(
        tenant=tenant,
        measure=measure,
        as_of=as_of,
        value=None if value is None else Decimal(value),
        rolled_up_at=NOON,
    )


def compared(actor, under: Tenant, measure="communities", **arguments):
    given = {"measure": measure, "under": global_id(under), **arguments}
    return ask(actor, COMPARISON, **given)["comparison"]


@pytest.fixture
def supervisor(city, actor_as):
    return actor_as(None, Role.CITY_SUPERVISOR, held_at=city)


def test_every_measure_says_what_it_is(supervisor):
    query = "{ measures { key title definition unit direction source kinds } }"
    found = {one["key"]: one for one in ask(supervisor, query)["measures"]}
    assert len(found) >= 5
    assert found["communities"] == {
        "key": "communities",
        "title": "Communities on board",
        "definition": "Communities and villages on board on the day.",
        "unit": "COUNT",
        "direction": "MORE",
        "source": "the tenant's register of communities",
        "kinds": ["CITY", "STREET"],
    }


class TestComparison:
    def test_ranked_and_missing_as_missing(self, city, street, other_street, supervisor):
        figure(other_street, "12")
        figure(street, None)
        assert compared(supervisor, city) == {
            "measure": {"key": "communities", "unit": "COUNT", "direction": "MORE"},
            "rows": [
                {
                    "tenant": {"slug": "wenshao"},
                    "value": "12",
                    "text": "12",
                    "missing": False,
                    "asOf": "2026-06-01",
                    "rolledUpAt": NOON.isoformat(),
                    "rank": 1,
                },
                {
                    "tenant": {"slug": "chezhan"},
                    "value": None,
                    "text": None,
                    "missing": True,
                    "asOf": "2026-06-01",
                    "rolledUpAt": NOON.isoformat(),
                    "rank": None,
                },
            ],
        }

    @pytest.mark.parametrize(
        ("kept", "shown"), [("1200", "1200"), ("0.125", "0.125"), ("0", "0"), ("-3.5", "-3.5")]
    )
    def test_values_are_exact_and_plain(self, city, street, supervisor, kept, shown):
        figure(street, kept)
        rows = compared(supervisor, city)["rows"]
        assert rows[0]["value"] == shown

    @pytest.mark.parametrize(
        ("measure", "kept", "text"),
        [
            ("fund_balance_fen", "8520045", "85,200.45"),
            ("fund_balance_fen", "-5", "-0.05"),
            ("self_reliance_rate", "0.125", "12.5 %"),
            ("self_reliance_rate", "1", "100 %"),
            ("communities", "12000", "12,000"),
        ],
    )
    def test_each_unit_as_people_read_it(self, city, street, supervisor, measure, kept, text):
        figure(street, kept, measure=measure)
        assert compared(supervisor, city, measure=measure)["rows"][0]["text"] == text

    def test_as_of_an_earlier_day(self, city, street, other_street, supervisor):
        figure(street, "5", date(2026, 5, 1))
        figure(street, "9", date(2026, 6, 1))
        rows = compared(supervisor, city, asOf="2026-05-20")["rows"]
        assert [(r["tenant"]["slug"], r["value"], r["asOf"]) for r in rows] == [
            ("chezhan", "5", "2026-05-01"),
            ("wenshao", None, None),
        ]

    def test_only_where_the_caller_supervises(
        self, city, district, other_district, other_street, actor_as
    ):
        administrator = actor_as(None, Role.DISTRICT_ADMINISTRATOR, held_at=district)
        figure(other_street, "12")
        slugs = [r["tenant"]["slug"] for r in compared(administrator, district)["rows"]]
        assert slugs == ["chezhan"]
        for under in (global_id(other_district), global_id(city), NOBODY):
            assert errors(administrator, COMPARISON, measure="communities", under=under) == [
                ("NOT_FOUND", "underId")
            ]

    def test_a_measure_there_is_not(self, city, supervisor):
        given = {"measure": "happiness", "under": global_id(city)}
        assert errors(supervisor, COMPARISON, **given) == [("MEASURE_UNKNOWN", "measure")]

    def test_the_wrong_role(self, street, city, actor_as):
        partner = actor_as(None, Role.PARTNER, held_at=street)
        given = {"measure": "communities", "under": global_id(street)}
        assert errors(partner, COMPARISON, **given) == [("FORBIDDEN", None)]
        assert errors(partner, "{ measures { key } }") == [("FORBIDDEN", None)]

    def test_statements_do_not_grow_with_the_rows(
        self, city, district, street, other_street, actor_as
    ):
        operator = actor_as(None, Role.PLATFORM_OPERATOR)
        query = """query($under: ID!) { comparison(measure: "communities", underId: $under) {
            rows { value tenant { host brand { title } parent { name } division { name } } } } }"""
        few = statements(operator, query, under=global_id(district))
        assert statements(operator, query, under=global_id(city)) == few


class TestRefreshing:
    def test_one_job_for_each_tenant(self, city, district, street, supervisor):
        given = {"underId": global_id(city), "asOf": "2026-06-01"}
        assert done(supervisor, "refreshComparison", "refreshing", **given) == 5
        jobs = ProcrastinateJob.objects.filter(task_name__endswith="roll_up_tenant")
        assert [job.args["as_of"] for job in jobs] == ["2026-06-01"] * 5

    def test_anothers_tenant_is_none(self, city, other_city, supervisor):
        for under in (global_id(other_city), NOBODY):
            assert refused(supervisor, "refreshComparison", underId=under) == [
                ("NOT_FOUND", "underId")
            ]

    def test_the_wrong_role(self, city, actor_as):
        auditor = actor_as(None, Role.AUDITOR, held_at=city)
        assert refused(auditor, "refreshComparison", underId=global_id(city)) == [
            ("FORBIDDEN", None)
        ]
