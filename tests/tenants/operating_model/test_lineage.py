"""M7: who runs which version, what they changed of it, and how they fare."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linli.accounts.policy import Role, system_actor
from linli.comparison.models import Figure
from linli.errors import Forbidden, NotFound, Refused
from linli.ids import uuid7
from linli.library.lineage import changes_of, relatives, runners
from linli.library.models import ChangeRecord, PublishedVersion
from linli.registry.models import Sandbox, Tenant
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community
from tenants.operating_model.actions import adopt_version
from tenants.operating_model.peers import peers

from .conftest import (
    DAY,
    MONTHS,
    RATE,
    START,
    TODAY,
    TOMORROW,
    YESTERDAY,
    adopt,
    document,
    layer,
    publish,
    write,
)

pytestmark = pytest.mark.django_db
EVERYBODY = system_actor(None)


@pytest.fixture
def model(street) -> list[PublishedVersion]:
    """Three versions of Chezhan's, of which the second was not published."""
    with tenant_context(street):
        made = [write(street, document(rent_free_months=months)) for months in (18, 12, 6)]
        return [publish(street, made[0]), publish(street, made[2])]


def run(tenant, published, since=START, **more):
    with tenant_context(tenant):
        adopt_version(
            actor=system_actor(tenant), published_id=published.pk, effective_from=since, **more
        )


def told(tenant):
    """Every row, in the order in which one replaces another."""
    rows = ChangeRecord.objects.filter(tenant=tenant).order_by("effective_from", "id")
    return [(one.effective_from, one.places, one.count, one.communities) for one in rows]


def here(path, model, value):
    return {"path": path, "model": model, "here": value}


class TestDescent:
    def test_a_version_came_from_the_last_one_published_before_it(self, model):
        first, third = model
        assert (first.derived_from, third.derived_from, third.number) == (None, first, 3)

    def test_another_key_and_another_author_begin_anew(self, model, street, other_street):
        for tenant, key in ((street, "another"), (other_street, "chengnan")):
            with tenant_context(tenant):
                assert publish(tenant, write(tenant, key=key)).derived_from is None

    def test_all_of_one_descent_are_found_from_any(self, model, other_street):
        with tenant_context(other_street):
            publish(other_street, write(other_street))
        for one in model:
            assert relatives(actor=EVERYBODY, version_id=one.pk) == model

    def test_one_that_is_not_there(self, model):
        with pytest.raises(NotFound):
            relatives(actor=EVERYBODY, version_id=uuid7())

    def test_not_for_who_may_not_read_the_library(self, model, street, actor_as):
        nobody = actor_as(None, Role.AUDITOR, held_at=street)
        nobody.person.memberships.update(ended_on=YESTERDAY)
        stranger = type(nobody)(nobody.person, None)
        for ask in (
            lambda: relatives(actor=stranger, version_id=model[0].pk),
            lambda: runners(actor=stranger, versions=model, on=TODAY),
            lambda: peers(
                actor=stranger, version_id=model[0].pk, measures=["communities"], on=TODAY
            ),
        ):
            with pytest.raises(Forbidden):
                ask()


class TestRunners:
    def found(self, model, on=TODAY, **more):
        return [
            (one.tenant.name, one.version_id, one.since)
            for one in runners(actor=EVERYBODY, versions=model, on=on, **more)
        ]

    def test_since_when_and_by_day(self, model, street, other_street):
        first, third = model
        run(street, first)
        run(other_street, first)
        run(other_street, third, TOMORROW)
        assert self.found(model) == [
            ("车站街道", first.pk, START), ("闻韶街道", first.pk, START),
        ]  # fmt: skip
        assert self.found(model, TOMORROW) == [
            ("车站街道", first.pk, START), ("闻韶街道", third.pk, TOMORROW),
        ]  # fmt: skip
        assert self.found(model, START - timedelta(days=1)) == []

    def test_values_of_ones_own_do_not_begin_it_anew(self, model, street):
        run(street, model[0])
        run(street, model[0], TODAY, values={RATE: "0.02"})
        assert self.found(model) == [("车站街道", model[0].pk, START)]

    def test_of_several_for_one_day_the_last_counts(self, model, street):
        first, third = model
        run(street, first)
        run(street, third, TOMORROW)
        run(street, first, TOMORROW, values={RATE: "0.02"})
        assert self.found(model, TOMORROW) == [("车站街道", first.pk, START)]

    def test_who_has_gone_over_to_a_model_of_their_own(self, model, street):
        run(street, model[0])
        with tenant_context(street):
            own = write(street, document(rent_free_months=1))
            adopt(street, own, TODAY)
        assert self.found(model) == []
        assert self.found(model, YESTERDAY) == [("车站街道", model[0].pk, START)]

    def test_sandboxes_and_archived_units_are_none(self, model, street, other_street, district):
        for tenant in (street, other_street):
            run(tenant, model[0])
        Sandbox.objects.create(tenant=street, under=district)
        Tenant.objects.filter(pk=other_street.pk).update(status=Tenant.Status.ARCHIVED)
        assert self.found(model) == []

    def test_below_one_district(self, model, street, other_street, district, city, other_city):
        for tenant in (street, other_street):
            run(tenant, model[0])
        assert len(self.found(model, under_id=city.pk)) == 2
        assert [name for name, *_rest in self.found(model, under_id=district.pk)] == ["车站街道"]
        assert self.found(model, under_id=other_city.pk) == []

    def test_a_district_that_is_not_theirs_is_none(self, model, district, other_city, actor_as):
        supervisor = actor_as(None, Role.CITY_SUPERVISOR, held_at=other_city)
        for under in (district.pk, uuid7()):
            with pytest.raises(NotFound) as caught:
                runners(actor=supervisor, versions=model, on=TODAY, under_id=under)
            assert caught.value.field == "underId"


class TestChanges:
    def test_each_change_is_a_row_with_both_values(self, model, street):
        run(street, model[0], values={RATE: "0.02"})
        with tenant_context(street):
            layer(street, {RATE: "0.02", MONTHS: 3}, since=TOMORROW)
        rate, months = here(RATE, "0.03", "0.02"), here(MONTHS, 18, 3)
        assert told(street) == [
            (START, [rate], 1, 0),
            (TOMORROW, [rate, months], 2, 0),
        ]

    def test_nothing_of_ones_own_is_no_row(self, model, street):
        run(street, model[0])
        assert told(street) == []

    def test_taking_it_back_is_a_row(self, model, street):
        run(street, model[0], values={RATE: "0.02"})
        with tenant_context(street):
            layer(street, {}, since=TODAY)
        assert told(street)[-1] == (TODAY, [], 0, 0)

    def test_a_later_version_changes_what_later_layers_differ_from(self, model, street):
        first, third = model
        run(street, first)
        later = TODAY + timedelta(days=5)
        with tenant_context(street):
            layer(street, {MONTHS: 3}, since=TODAY)
            layer(street, {MONTHS: 4}, since=later)
        run(street, third, TOMORROW, values={MONTHS: 3})
        assert told(street) == [
            (TODAY, [here(MONTHS, 18, 3)], 1, 0),
            (TOMORROW, [here(MONTHS, 6, 3)], 1, 0),
            (later, [here(MONTHS, 18, 4)], 1, 0),
            (later, [here(MONTHS, 6, 4)], 1, 0),
        ]

    def test_what_a_later_day_has_of_its_own_is_told_again_after_an_earlier_one(
        self, model, street
    ):
        """A row of tomorrow does not hide that from the day after on it is what it was."""
        run(street, model[0])
        later = TODAY + timedelta(days=5)
        with tenant_context(street):
            layer(street, {DAY: 3}, since=TODAY)
            layer(street, {}, since=later)
            layer(street, {DAY: 4}, since=TOMORROW)
        assert told(street) == [
            (TODAY, [here(DAY, 25, 3)], 1, 0),
            (TOMORROW, [here(DAY, 25, 4)], 1, 0),
            (later, [], 0, 0),
        ]

    def test_communities_are_counted_not_named(self, model, street):
        run(street, model[0])
        with tenant_context(street):
            one, other = (
                add_community(actor=system_actor(street), name=name, opened_on=START)
                for name in ("城南社区", "城北社区")
            )
            layer(street, {RATE: "0.02"}, community=one)
            layer(street, {}, {RATE: {"minimum": "0.02"}}, community=other, since=TOMORROW)
            later = TODAY + timedelta(days=5)
            layer(street, {}, community=one, since=later)
        assert told(street) == [(TODAY, [], 0, 1), (TOMORROW, [], 0, 2), (later, [], 0, 1)]

    def test_what_was_added_and_taken_away(self, model, street):
        added = "partners.kinds[choir]"
        run(street, model[0])
        with tenant_context(street):
            kind = {"key": "choir", "title": {"zh": "合唱团"}, "tier": "extended"}
            layer(street, {added: kind, "partners.kinds[enterprise].title": {"zh": "企业"}})
        places = [{"path": added}, {"path": "partners.kinds[enterprise].title"}]
        assert told(street) == [(TODAY, places, 2, 0)]

    def test_what_somebody_worded_is_named_and_not_told(self, model, street):
        run(street, model[0])
        title = "partners.kinds[enterprise].title"
        kind = {"key": "wang_13800138000", "title": {"zh": "王医生"}, "tier": "extended"}
        with tenant_context(street):
            layer(
                street,
                {
                    title: {"zh": "王医生13800138000", "en": None},
                    "partners.kinds[wang_13800138000]": kind,
                    MONTHS: 3,
                },
            )
        assert told(street) == [(TODAY, [{"path": title}, here(MONTHS, 18, 3)], 3, 0)]

    def test_a_whole_section_is_named_and_not_told(self, model, street):
        run(street, model[0])
        with tenant_context(street):
            uses = document()["fund"]["uses"]
            layer(street, {"fund.uses": [*uses, *_uses(40)]})
        assert told(street) == [(TODAY, [{"path": "fund.uses"}], 1, 0)]

    def test_what_is_told_of_a_day(self, model, street, other_street):
        for tenant in (street, other_street):
            run(tenant, model[0])
        with tenant_context(street):
            layer(street, {DAY: 3}, since=TODAY)
            layer(street, {DAY: 4}, since=TOMORROW)
        for day, value in ((YESTERDAY, None), (TODAY, 3), (TOMORROW, 4)):
            found = changes_of(runners(actor=EVERYBODY, versions=model, on=day))
            values = {key: one.places[0]["here"] for key, one in found.items()}
            assert values == ({street.pk: value} if value else {})

    def test_a_refused_change_tells_nothing(self, model, street):
        run(street, model[0])
        with tenant_context(street), pytest.raises(Refused):
            layer(street, {RATE: "0.5"})
        assert told(street) == []

    def test_no_row_is_ever_changed(self, model, street):
        run(street, model[0], values={RATE: "0.02"})
        for write_ in (
            lambda: ChangeRecord.objects.update(places=[]),
            lambda: ChangeRecord.objects.all()._raw_delete("default"),
        ):
            with pytest.raises(ProgrammingError), transaction.atomic():
                write_()


def _uses(count):
    return [{"key": f"use_{n}", "title": {"zh": "用途" * 20}} for n in range(count)]


def report(tenant, value, measure="communities", as_of=YESTERDAY):
    Figure.objects.create(
        tenant=tenant, measure=measure, as_of=as_of, value=value, rolled_up_at=timezone.now()
    )


class TestPeers:
    @pytest.fixture
    def streets(self, model, street, other_street, district, other_city):
        """Five units on the model, two of them on its third version; one lies in Datong."""
        made = [street, other_street]
        for number, parent in enumerate((district, district, other_city)):
            made.append(
                Tenant.objects.create(
                    slug=f"more-{number}", schema_name=f"t_more_{number}", name=f"第{number}街道",
                    kind=Tenant.Kind.STREET, parent=parent, status=Tenant.Status.ACTIVE,
                )
            )  # fmt: skip
        first, third = model
        for tenant, version in zip(made, (first, third, first, first, third), strict=True):
            tenant.adoptions.create(id=uuid7(), version=version, effective_from=START)
        return made

    def ask(self, model, actor=EVERYBODY, measures=("communities",), on=TODAY, **more):
        return peers(actor=actor, version_id=model[1].pk, measures=list(measures), on=on, **more)

    def test_the_latest_figures_side_by_side(self, model, streets):
        street, other = streets[:2]
        report(street, 3, as_of=START)
        report(street, 5)
        report(street, None, "fund_balance_fen")
        report(other, 7, as_of=TOMORROW)
        ChangeRecord.objects.create(
            tenant=street, effective_from=START, places=[], count=4, communities=2
        )
        found = self.ask(model, measures=["communities", "fund_balance_fen"])
        shown = [
            (
                one.runner.tenant.name,
                one.version.number,
                one.changes,
                one.communities,
                [(f.value, f.as_of) for f in one.figures],
            )
            for one in found.units
        ]
        nothing = [(None, None), (None, None)]
        assert shown == [
            ("第0街道", 1, 0, 0, nothing),
            ("第1街道", 1, 0, 0, nothing),
            ("车站街道", 1, 4, 2, [(Decimal(5), YESTERDAY), (None, YESTERDAY)]),
            ("第2街道", 3, 0, 0, nothing),
            ("闻韶街道", 3, 0, 0, nothing),
        ]

    def test_the_median_of_those_that_reported(self, model, streets):
        for tenant, value in zip(streets, (2, 50, 9, 4, 60), strict=True):
            report(tenant, value)
        [first, third] = self.ask(model).versions
        assert (first.version.number, first.units) == (1, 3)
        assert [(one.value, one.reported) for one in first.medians] == [(Decimal(4), 3)]
        # Two alone would tell each other's.
        assert [(one.value, one.reported) for one in third.medians] == [(None, 2)]

    def test_missing_is_not_zero_in_a_median(self, model, streets):
        for tenant, value in zip(streets, (2, 50, None, 4, 60), strict=True):
            report(tenant, value)
        [first, _third] = self.ask(model).versions
        assert [(one.value, one.reported) for one in first.medians] == [(None, 2)]

    def test_by_name_only_those_whose_figures_one_may_read(self, model, streets, actor_as):
        for tenant, value in zip(streets, (2, 50, 9, 4, 60), strict=True):
            report(tenant, value)
        of_district = actor_as(None, Role.DISTRICT_ADMINISTRATOR, held_at=streets[0].parent)
        of_street = actor_as(None, Role.STREET_ADMINISTRATOR, held_at=streets[0])
        names = {
            actor: [one.runner.tenant.name for one in self.ask(model, actor).units]
            for actor in (of_district, of_street)
        }
        assert names[of_district] == ["第0街道", "第1街道", "车站街道"]
        assert names[of_street] == ["车站街道"]
        [first, _third] = self.ask(model, of_street).versions
        assert [one.value for one in first.medians] == [Decimal(4)]

    @pytest.mark.parametrize(
        ("measures", "code", "field"),
        [
            ([], "MEASURES_INVALID", "measures"),
            (["communities"] * 2, "MEASURES_INVALID", "measures"),
            ([f"m{n}" for n in range(11)], "MEASURES_INVALID", "measures"),
            (["communities", "x"], "MEASURE_UNKNOWN", "measures.1"),
        ],
    )
    def test_what_is_no_question(self, model, measures, code, field):
        with pytest.raises(Refused) as caught:
            self.ask(model, measures=measures)
        assert (caught.value.code, caught.value.field) == (code, field)

    def test_statements_do_not_grow(self, model, streets):
        def count():
            with CaptureQueriesContext(connection) as captured:
                self.ask(model)
            return len(captured)

        before = count()
        for number in range(5):
            tenant = Tenant.objects.create(
                slug=f"yet-{number}", schema_name=f"t_yet_{number}", name=f"又{number}街道",
                kind=Tenant.Kind.STREET, parent=streets[0].parent, status=Tenant.Status.ACTIVE,
            )  # fmt: skip
            tenant.adoptions.create(id=uuid7(), version=model[0], effective_from=START)
            report(tenant, number)
        assert len(self.ask(model).units) == 10
        assert count() == before
