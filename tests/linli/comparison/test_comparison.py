"""Supervisors compare rolled-up figures; what is missing is shown as missing (C1, C3)."""

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.comparison.actions import refresh_comparison
from linli.comparison.jobs import roll_up_every_tenant
from linli.comparison.measures import Direction, Unit, measures, register, the_measure
from linli.comparison.models import Figure
from linli.comparison.roll_up import roll_up
from linli.comparison.selectors import compare
from linli.errors import Refused
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community
from tests.support.calendar import on_day

DAY = date(2025, 6, 30)


def onboard(tenant: Tenant, *names: str, opened_on: date = date(2024, 1, 1)) -> None:
    with tenant_context(tenant):
        for name in names:
            add_community(actor=system_actor(tenant), name=name, opened_on=opened_on)


@pytest.fixture
def supervisor(city: Tenant, actor_as):
    return actor_as(None, Role.CITY_SUPERVISOR, held_at=city)


@pytest.fixture
def third_street(city: Tenant) -> Tenant:
    """One that stands under the city itself, and that has not been provisioned."""
    return Tenant.objects.create(
        slug="south", schema_name="t_south", name="南街道", kind=Tenant.Kind.STREET, parent=city
    )


def told(rows) -> list[tuple]:
    return [(row.rank, row.tenant.slug, row.value, row.as_of) for row in rows]


def test_the_five_measures_are_defined(db: None) -> None:
    assert [(m.key, m.unit, m.direction) for m in measures()] == [
        ("communities", Unit.COUNT, Direction.MORE),
        ("fund_balance_fen", Unit.FEN, Direction.MORE),
        ("fund_income_fen", Unit.FEN, Direction.MORE),
        ("partners_operating", Unit.COUNT, Direction.MORE),
        ("self_reliance_rate", Unit.SHARE, Direction.MORE),
    ]
    assert all(str(m.title) and str(m.definition) and str(m.source) for m in measures())
    with pytest.raises(ValueError, match="communities"):
        register(the_measure("communities"))


def test_a_roll_up_keeps_every_measure_and_what_is_missing_as_missing(street: Tenant) -> None:
    onboard(street, "城南社区", "工盛社区")
    onboard(street, "荣悦城社区", opened_on=date(2025, 7, 1))

    with on_day(date(2025, 7, 1)):
        roll_up(street, DAY)

    figures = {f.measure: (f.value, f.as_of) for f in Figure.objects.filter(tenant=street)}
    assert figures == {
        "communities": (Decimal(2), DAY),
        "fund_balance_fen": (Decimal(0), DAY),
        "fund_income_fen": (Decimal(0), DAY),
        "partners_operating": (Decimal(0), DAY),
        "self_reliance_rate": (None, DAY),
    }
    assert {f.rolled_up_at for f in Figure.objects.all()} == {datetime(2025, 7, 1, 4, tzinfo=UTC)}


def test_a_day_rolled_up_again_is_replaced_in_one_statement(
    street: Tenant, other_street: Tenant, django_assert_num_queries
) -> None:
    onboard(street, "城南社区")
    roll_up(other_street, DAY)
    roll_up(street, DAY)
    onboard(street, "工盛社区")

    with django_assert_num_queries(6) as counted:  # one a measure, one writes
        roll_up(street, DAY)

    writes = [q["sql"] for q in counted.captured_queries if q["sql"].startswith("INSERT")]
    assert len(writes) == 1
    assert Figure.objects.filter(tenant=street).count() == 5
    assert Figure.objects.get(tenant=street, measure="communities").value == 2
    assert Figure.objects.get(tenant=other_street, measure="communities").value == 0


def test_a_share_is_kept_to_six_places(street: Tenant, monkeypatch) -> None:
    monkeypatch.setitem(
        register.__globals__["_by_key"],
        "third",
        dataclasses.replace(
            the_measure("communities"), key="third", work_out=lambda _: Decimal(2) / 3
        ),
    )
    roll_up(street, DAY)

    assert Figure.objects.get(tenant=street, measure="third").value == Decimal("0.666667")


def test_a_district_reports_no_figures_of_communities(district: Tenant) -> None:
    roll_up(district, DAY)

    assert Figure.objects.count() == 0


def test_best_first_and_who_has_not_reported_last_and_missing(
    supervisor, city, street, other_street, third_street, django_assert_num_queries
) -> None:
    onboard(street, "城南社区")
    onboard(other_street, "闻韶社区", "辛东社区")
    for tenant in (street, other_street):
        roll_up(tenant, DAY)

    # Out of the last tenant's schema, what the supervisor covers, the tenants, their figures.
    with django_assert_num_queries(4):
        rows = compare(actor=supervisor, measure="communities", under_id=city.pk)

    assert told(rows) == [
        (1, "wenshao", Decimal(2), DAY),
        (2, "chezhan", Decimal(1), DAY),
        (None, "south", None, None),
    ]
    assert rows[2].rolled_up_at is None
    assert (
        rows[0].rolled_up_at
        == Figure.objects.get(tenant=other_street, measure="communities").rolled_up_at
    )


def test_reported_without_a_value_is_missing_with_its_day(supervisor, city, street, other_street):
    roll_up(street, DAY)

    rows = compare(actor=supervisor, measure="self_reliance_rate", under_id=city.pk)

    assert told(rows) == [(None, "chezhan", None, DAY), (None, "wenshao", None, None)]


def test_equal_values_share_a_rank_and_zero_is_a_value(
    supervisor, city, street, other_street, third_street
) -> None:
    for tenant, value in ((street, 3), (third_street, 3), (other_street, 0)):
        _figure(tenant, "communities", value)

    assert told(compare(actor=supervisor, measure="communities", under_id=city.pk)) == [
        (1, "chezhan", Decimal(3), DAY),
        (1, "south", Decimal(3), DAY),
        (3, "wenshao", Decimal(0), DAY),
    ]


def test_where_less_is_better_the_least_leads(
    supervisor, city, street, other_street, monkeypatch
) -> None:
    late = dataclasses.replace(the_measure("communities"), key="late", direction=Direction.LESS)
    monkeypatch.setitem(register.__globals__["_by_key"], "late", late)
    _figure(street, "late", 5)
    _figure(other_street, "late", 2)

    assert told(compare(actor=supervisor, measure="late", under_id=city.pk)) == [
        (1, "wenshao", Decimal(2), DAY),
        (2, "chezhan", Decimal(5), DAY),
    ]


def test_the_latest_figure_counts_or_the_latest_up_to_a_day(supervisor, city, street) -> None:
    for day, value in ((date(2025, 1, 31), 1), (date(2025, 3, 31), 3), (date(2025, 2, 28), 2)):
        _figure(street, "communities", value, day)

    def value(as_of: date | None) -> tuple:
        row = compare(actor=supervisor, measure="communities", under_id=city.pk, as_of=as_of)[0]
        return row.value, row.as_of

    assert value(None) == (3, date(2025, 3, 31))
    assert value(date(2025, 3, 30)) == (2, date(2025, 2, 28))
    assert value(date(2025, 2, 28)) == (2, date(2025, 2, 28))
    assert value(date(2025, 1, 30)) == (None, None)


def test_each_sees_below_what_is_theirs_and_nothing_else(
    supervisor, city, other_city, district, other_district, street, other_street, actor_as
) -> None:
    for tenant in (street, other_street):
        roll_up(tenant, DAY)
    zhangdian = actor_as(None, Role.DISTRICT_ADMINISTRATOR, held_at=district)

    def slugs(actor, under: Tenant) -> list[str]:
        return [
            r.tenant.slug for r in compare(actor=actor, measure="communities", under_id=under.pk)
        ]

    assert slugs(supervisor, district) == ["chezhan"]
    assert slugs(zhangdian, district) == ["chezhan"]
    assert slugs(actor_as(None, Role.PLATFORM_OPERATOR), city) == ["chezhan", "wenshao"]
    assert slugs(actor_as(street, Role.STREET_ADMINISTRATOR), street) == []
    for actor, under in (
        (zhangdian, city),
        (zhangdian, other_district),
        (supervisor, other_city),
        (actor_as(street, Role.STREET_ADMINISTRATOR), district),
        (actor_as(None, Role.COMMUNITY_SECRETARY, held_at=street, community_id=street.pk), street),
    ):
        with pytest.raises(Refused, match="NOT_FOUND"):
            slugs(actor, under)
    with pytest.raises(Refused, match="NOT_FOUND"):
        compare(actor=supervisor, measure="communities", under_id=supervisor.person_id)
    with pytest.raises(Refused, match="FORBIDDEN"):
        slugs(actor_as(None, Role.PARTNER, held_at=street), street)


def test_who_has_left_is_not_compared(supervisor, city, street, other_street) -> None:
    street.status = Tenant.Status.ARCHIVED
    street.save()

    rows = compare(actor=supervisor, measure="communities", under_id=city.pk)

    assert [row.tenant for row in rows] == [other_street]


def test_an_unknown_measure_is_refused_with_those_there_are(supervisor, city) -> None:
    with pytest.raises(Refused) as caught:
        compare(actor=supervisor, measure="happiness", under_id=city.pk)

    assert (caught.value.code, caught.value.field) == ("MEASURE_UNKNOWN", "measure")
    assert "communities" in caught.value.data["allowed"]


def test_a_refresh_defers_one_job_for_each_served_tenant_below(
    supervisor, city, district, third_street
) -> None:
    count = refresh_comparison(actor=supervisor, under=city)

    today = timezone.localdate().isoformat()
    served = ["zibo", "zhangdian", "linzi", "chezhan", "wenshao"]
    assert count == len(served)
    assert _jobs() == {(slug, today) for slug in served}
    entry = Entry.objects.get(action="comparison.refreshed")
    assert (entry.object_id, entry.person_id) == (str(city.pk), supervisor.person_id)
    assert entry.after == {"as_of": today, "tenants": 5}


def test_only_who_answers_for_a_tenant_refreshes_it(
    supervisor, city, other_city, district, street, actor_as
) -> None:
    before = Entry.objects.count()
    administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
    for actor, under, code in (
        (supervisor, other_city, "NOT_FOUND"),
        (administrator, city, "NOT_FOUND"),
        (actor_as(None, Role.AUDITOR, held_at=city), city, "FORBIDDEN"),
    ):
        with pytest.raises(Refused, match=code):
            refresh_comparison(actor=actor, under=under)
    with pytest.raises(Refused, match="DAY_IN_FUTURE"):
        refresh_comparison(actor=administrator, under=street, as_of=date(2099, 1, 1))
    assert (_jobs(), Entry.objects.count()) == (set(), before)

    assert refresh_comparison(actor=administrator, under=street, as_of=DAY) == 1
    assert _jobs() == {("chezhan", DAY.isoformat())}


def test_every_night_each_served_tenant_is_rolled_up_as_of_the_day_before(
    city, street, third_street
) -> None:
    street.status = Tenant.Status.SUSPENDED  # still read, so still compared
    street.save()
    half_past_one = datetime(2025, 6, 30, 17, 30, tzinfo=UTC)  # of 1 July, in Shanghai

    roll_up_every_tenant(timestamp=int(half_past_one.timestamp()))

    served = ["zibo", "zhangdian", "linzi", "chezhan", "wenshao", "datong"]
    assert _jobs() == {(slug, "2025-06-30") for slug in served}


def test_the_worker_rolls_up_in_each_tenants_own_schema(scratch_database) -> None:
    street, other = (Tenant.objects.get(slug=slug) for slug in ("chezhan", "wenshao"))
    onboard(street, "城南社区")
    onboard(other, "闻韶社区", "辛东社区")
    refresh_comparison(actor=system_actor(None), under=Tenant.objects.get(slug="zibo"))

    worker = scratch_database.run(
        "manage.py", "procrastinate", "worker", "--queues", "app", "--one-shot", login="app"
    )

    assert worker.returncode == 0, worker.stderr
    jobs = ProcrastinateJob.objects.filter(task_name="linli.comparison.jobs.roll_up_tenant")
    assert {job.status for job in jobs} == {"succeeded"}
    figures = Figure.objects.filter(measure="communities", as_of=timezone.localdate())
    assert {f.tenant.slug: f.value for f in figures} == {"zibo": 0, "chezhan": 1, "wenshao": 2}


def _figure(tenant: Tenant, measure: str, value: int, as_of: date = DAY) -> None:
    Figure.objects.create(
        tenant=tenant, measure=measure, as_of=as_of, value=value, rolled_up_at=timezone.now()
    )


def _jobs() -> set[tuple[str, str]]:
    slugs = {str(tenant.pk): tenant.slug for tenant in Tenant.objects.all()}
    jobs = ProcrastinateJob.objects.filter(task_name="linli.comparison.jobs.roll_up_tenant")
    return {(slugs[job.args["tenant_id"]], job.args["as_of"]) for job in jobs}
