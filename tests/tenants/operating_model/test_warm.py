"""Rules that were looked up before: without a query, frozen, and right after whatever changed."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from pydantic import BaseModel

from linli.errors import NotFound
from linli.library.layers import Effective
from linli.registry.hosts import tenant_of_host
from linli.registry.models import RulesStamp, Tenant
from linli.tenancy.context import public_context, tenant_context
from linli.tenancy.unit import unit_of_work
from tenants.communities.models import Community
from tenants.operating_model import stamps, warm
from tenants.operating_model.models import Adoption, Layer, ModelVersion
from tenants.operating_model.policies import land_policies
from tenants.operating_model.rulebook import Rulebook, one_at_a_time
from tenants.operating_model.selectors import effective_rules, rules_timeline

from .conftest import (
    BOUNDS,
    DAY,
    MONTHS,
    RATE,
    START,
    TODAY,
    TOMORROW,
    adopt,
    community,
    document,
    issue,
    layer,
    write,
)


@contextmanager
def request(tenant):
    """A request to the tenant, as its host's look-up lets it in."""
    with public_context():
        found = tenant_of_host(f"{tenant.slug}.linli.localhost")
    with tenant_context(found), unit_of_work({found.schema_name: found.rules_stamp}):
        yield found


def elsewhere(work):
    """``work()`` on another connection, and committed."""

    def run():
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(timeout=30)


def queries(work):
    with CaptureQueriesContext(connection) as captured:
        work()
    return [one["sql"] for one in captured]


def rate(on=TODAY, community_id=None):
    return effective_rules(on, community_id).value(RATE)


@pytest.fixture
def committed(scratch_database):
    """Chezhan on its own version, committed."""
    street = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
    with tenant_context(street):
        adopt(street, write(street))
    return street


class TestWithoutAQuery:
    def test_within_a_request_nothing_is_asked(self, committed):
        with tenant_context(committed):
            chengnan = community(committed)
            effective_rules(TODAY, chengnan.pk)

        with request(committed):
            assert queries(lambda: effective_rules(TODAY)) == []
            assert queries(lambda: effective_rules(TOMORROW, chengnan.pk)) == []
            assert queries(lambda: rules_timeline(START, TODAY, chengnan.pk)) == []

    def test_outside_of_one_only_the_stamp_is_asked_for(self, running):
        effective_rules(TODAY)

        [asked] = queries(lambda: effective_rules(TODAY))
        assert "registry_rulesstamp" in asked
        with unit_of_work():
            assert len(queries(lambda: effective_rules(TODAY))) == 1
            assert queries(lambda: effective_rules(TODAY)) == []

    def test_also_within_a_transaction(self, committed):
        with tenant_context(committed):
            effective_rules(TODAY)
        with request(committed), transaction.atomic():
            assert queries(lambda: effective_rules(TODAY)) == []

    def test_a_community_of_a_transaction_that_was_undone_is_not_known(self, committed):
        with request(committed):
            with transaction.atomic():
                made = community(committed)
                assert rate(community_id=made.pk) == "0.03"
                transaction.set_rollback(True)
            with pytest.raises(NotFound):
                rate(community_id=made.pk)

    def test_the_rules_are_one_object_for_whoever_asks(self, running, at_street):
        own = community(at_street)
        layer(at_street, {RATE: "0.02"}, community=own)
        book = warm.rulebook()

        shared = {id(book.effective(TODAY, uuid4())) for _ in range(10_000)}
        assert shared == {id(effective_rules(TODAY))}
        assert book.effective(TODAY, own.pk).value(RATE) == "0.02"
        assert warm.rulebook() is book

    def test_the_next_day_comes_without_anybody_writing(self, running, at_street):
        layer(at_street, {RATE: "0.02"}, since=TOMORROW)
        with request(at_street):
            assert (rate(TODAY), rate(TOMORROW), rate(TODAY)) == ("0.03", "0.02", "0.03")


TITLE = "partners.contributions[stationed].title"


class TestFrozen:
    def test_nothing_in_it_can_be_changed(self, running, at_street):
        bounds = {
            "fund.waterfall": {"locked": True},
            TITLE: {"one_of": [effective_rules(TODAY).value(TITLE)]},
        }
        layer(at_street, {MONTHS: 12, "partners.kinds": document()["partners"]["kinds"]}, bounds)
        rules = effective_rules(TODAY)
        before = rules.content(), rules.raw, rules.bound("fund.waterfall"), str(rules.in_force)

        tried = [try_to_change(one) for one in everything(rules)]
        assert len(tried) > 150

        assert before == (
            rules.content(),
            rules.raw,
            rules.bound("fund.waterfall"),
            str(rules.in_force),
        )
        assert effective_rules(TODAY) is rules

    def test_what_is_the_callers_own_affects_nobody(self, running, at_street):
        rules = effective_rules(TODAY)
        rules.raw["partners"]["rent_free_months"] = 99
        rules.raw["partners"]["kinds"].clear()
        rules.content()["document"].clear()

        assert effective_rules(TODAY).value(MONTHS) == 18
        assert effective_rules(TODAY).raw["partners"]["kinds"] != []


def everything(rules: Effective):
    """All that a look-up gives, level by level."""
    paths = ["partners", "partners.kinds", "fund.waterfall", "meetings.joint", RATE, MONTHS]
    given = [rules, *(rules.value(path) for path in paths), rules.value(TITLE)]
    given += [rules.bound(path) for path in ("fund.waterfall", TITLE)]
    given += [rules.origin(path) for path in paths]
    seen: dict[int, object] = {}
    while given:
        one = given.pop()
        if isinstance(one, str | int | Decimal | date | UUID | None) or id(one) in seen:
            continue
        seen[id(one)] = one
        if isinstance(one, BaseModel):
            given += [getattr(one, name) for name in type(one).model_fields]
        elif is_dataclass(one):
            given += [getattr(one, field.name) for field in fields(one)]
        elif hasattr(one, "values"):
            given += one.values()
        elif isinstance(one, tuple | list):
            given += one
        else:
            raise AssertionError(f"what is {type(one)}?")
    return list(seen.values())


def try_to_change(one):
    """Whatever its kind lets one try; each has to be refused."""
    refusals = (TypeError, AttributeError, ValueError)
    names = [field.name for field in fields(one)] if is_dataclass(one) else []
    names = list(type(one).model_fields) if isinstance(one, BaseModel) else names
    for name in names:
        with pytest.raises(refusals):
            setattr(one, name, None)
        with pytest.raises(refusals):
            delattr(one, name)
    if names:
        return
    key = next(iter(one), "x") if hasattr(one, "keys") else 0
    with pytest.raises(refusals):
        one[key] = None
    with pytest.raises(refusals):
        del one[key]
    calls = {"append": [1], "extend": [[1]], "insert": [0, 1], "remove": [1], "reverse": []}
    calls |= {"sort": [], "clear": [], "popitem": [], "setdefault": ["y", 1], "update": [{"y": 1}]}
    calls |= {"pop": [key], "__iadd__": [[1]], "__ior__": [{"y": 1}], "__imul__": [2]}
    for name, arguments in calls.items():
        if name == "__ior__" and not isinstance(one, dict):
            continue  # a mapping proxy makes a new one
        if hasattr(one, name):
            with pytest.raises(refusals):
                getattr(one, name)(*arguments)


class TestRightAfterAChange:
    def test_the_next_request_sees_it(self, committed):
        for value in ("0.02", "0.04", "0.03"):
            with request(committed):
                layer(committed, {RATE: value})
                assert rate() == value
            with request(committed):
                assert rate() == value
                assert queries(rate) == []

    def test_a_request_sees_what_others_changed_before_it_began(self, committed):
        with request(committed):
            assert rate() == "0.03"
        elsewhere(lambda: _set(committed, "0.02"))
        with request(committed):
            assert rate() == "0.02"

    def test_who_asked_for_a_lock_sees_what_was_changed_while_it_waited(self, committed):
        with tenant_context(committed):
            community(committed)
        with request(committed), transaction.atomic():
            assert rate() == "0.03"
            elsewhere(lambda: _set(committed, "0.02"))
            Community.objects.select_for_update().get()
            assert rate() == "0.02"

    def test_outside_of_requests_every_look_up_sees_it(self, committed):
        with tenant_context(committed):
            assert rate() == "0.03"
            elsewhere(lambda: _set(committed, "0.02"))
            assert rate() == "0.02"

    def test_who_decides_sees_each_row_at_once(self, committed):
        with tenant_context(committed):
            assert rate() == "0.03"  # it is in memory
        with request(committed), one_at_a_time():
            assert rate() == "0.03"
            layer(committed, {RATE: "0.02"})
            assert rate() == "0.02"
            layer(committed, {RATE: "0.04"})
            assert rate() == "0.04"

    def test_of_what_was_rolled_back_nothing_is_left(self, committed):
        with request(committed):
            with transaction.atomic():
                layer(committed, {RATE: "0.02"})
                assert rate() == "0.02"
                assert elsewhere(lambda: _rate(committed)) == "0.03"
                transaction.set_rollback(True)
            assert rate() == "0.03"
        with request(committed):
            assert rate() == "0.03"

    def test_nor_of_a_part_of_a_transaction(self, committed):
        with request(committed), transaction.atomic():
            layer(committed, {RATE: "0.02"})
            with transaction.atomic():
                layer(committed, {RATE: "0.04"})
                assert rate() == "0.04"
                transaction.set_rollback(True)
            assert rate() == "0.02"
        with request(committed):
            assert rate() == "0.02"

    def test_a_change_in_a_unit_within_is_seen_by_the_one_around_it(self, committed):
        with request(committed):
            assert rate() == "0.03"
            with request(committed):
                layer(committed, {RATE: "0.02"})
            assert rate() == "0.02"

    def test_two_queries_with_a_change_between_are_no_rulebook(self, committed):
        """A version and the layer that fits it only: read apart, they would not fit."""
        strict = document()
        strict["partners"]["rent_free_months"] = 6

        def change():
            with tenant_context(committed):
                version = write(committed, strict, {**BOUNDS, MONTHS: {"maximum": 6}})
                adopt(committed, version, TODAY, values={MONTHS: 3})

        done = []

        def between(execute, sql, params, many, context):
            if "operating_model_layer" in sql and "md5" not in sql and not done:
                done.append(elsewhere(change))
            return execute(sql, params, many, context)

        _set(committed, "0.02")  # so that nothing of it is in memory yet
        warm._books.__init__(1_000, 5_000_000, Rulebook.weight)
        with tenant_context(committed), connection.execute_wrapper(between):
            book = warm.rulebook()

        assert done == [None]
        assert (len(book.adoptions), len(book.layers)) == (2, 2)
        assert book.effective(TODAY).value(MONTHS) == 3
        with tenant_context(committed):
            assert warm.rulebook() is book

    def test_a_policy_that_the_workers_job_lands(self, committed, scratch_database):
        with request(committed):
            assert effective_rules(TODAY).value(DAY) == 25
        issue(committed.parent, {DAY: 10})
        with request(committed):
            assert effective_rules(TODAY).value(DAY) == 25

        worker = scratch_database.run(
            "manage.py", "procrastinate", "worker", "--queues", "app", "--one-shot", login="app"
        )
        assert worker.returncode == 0, worker.stderr

        with request(committed):
            assert effective_rules(TODAY).value(DAY) == 10

    def test_a_policy_that_clashed_and_was_settled(self, running, at_street, district):
        layer(at_street, {RATE: "0.04"})
        issue(district, bounds={RATE: {"maximum": "0.03"}})
        land_policies(at_street, actor=None)
        with request(at_street):
            assert effective_rules(TODAY).bound(RATE).maximum == "0.05"
        layer(at_street, {RATE: "0.03"})
        with request(at_street):
            assert effective_rules(TODAY).bound(RATE).maximum == "0.03"


class TestTenantsNeverMix:
    def test_equal_stamps_of_two_tenants(self, street, other_street):
        """Rows of the same ids, as a copy of a tenant has: one stamp, and other rules."""
        ids = uuid4(), uuid4()
        for tenant, months in ((street, 12), (other_street, 6)):
            with tenant_context(tenant):
                version = write(tenant, document(rent_free_months=months))
                with one_at_a_time():
                    copy = ModelVersion.objects.get(pk=version.pk)
                    copy.pk, copy.number, copy._state.adding = ids[0], 2, True
                    copy.save(force_insert=True)
                    Adoption(pk=ids[1], version=copy, effective_from=START).save(force_insert=True)

        told = dict(RulesStamp.objects.values_list("tenant__slug", "stamp"))
        assert told["chezhan"] == told["wenshao"]
        for _again in range(2):
            for tenant, months in ((street, 12), (other_street, 6)):
                with request(tenant):
                    assert effective_rules(TODAY).value(MONTHS) == months

    def test_one_request_in_two_tenants(self, street, other_street):
        for tenant, months in ((street, 12), (other_street, 6)):
            with tenant_context(tenant):
                adopt(tenant, write(tenant, document(rent_free_months=months)))

        with request(street):
            assert effective_rules(TODAY).value(MONTHS) == 12
            with tenant_context(other_street):
                assert effective_rules(TODAY).value(MONTHS) == 6
            assert effective_rules(TODAY).value(MONTHS) == 12


class TestTheStamp:
    def test_python_and_sql_say_the_same(self, running, at_street, district):
        layer(at_street, {RATE: "0.04"}, since=date(2099, 1, 2), community=community(at_street))
        issue(district, bounds={RATE: {"maximum": "0.03"}}, since=date(2099, 1, 1))
        land_policies(at_street, actor=None)
        assert [one.state for one in Layer.objects.order_by("pk")] == ["in_force", "clashing"]

        assert Rulebook.load().stamp == stamps.stamp_anew()
        with public_context():
            kept = RulesStamp.objects.get(tenant=at_street).stamp
        assert kept == stamps.stamp_anew() == Rulebook.load().stamp

    def test_it_moves_once_and_only_if_rules_changed(self, running, at_street):
        def moves(sqls):
            return len([one for one in sqls if "INSERT INTO public.registry_rulesstamp" in one])

        before = stamps.stamp()
        assert moves(queries(lambda: write(at_street, document(rent_free_months=7)))) == 1
        assert stamps.stamp() == before
        assert moves(queries(lambda: layer(at_street, {RATE: "0.02"}))) == 1
        assert stamps.stamp() != before

    def test_without_one_the_rules_are_read_as_they_are(self, running, at_street):
        """As in a tenant whose rules were written by hand, once its stamp was taken away."""
        layer(at_street, {RATE: "0.02"})
        with public_context():
            RulesStamp.objects.all().delete()
        with request(at_street):
            assert rate() == "0.02"
            assert queries(lambda: effective_rules(TODAY)) == []
        layer(at_street, {RATE: "0.03"})
        with public_context():
            assert RulesStamp.objects.count() == 1

    def test_a_stamp_that_is_wrong_costs_time_and_tells_nothing_wrong(self, running, caplog):
        with public_context():
            RulesStamp.objects.update(stamp="wrong")
        assert rate() == "0.03"
        assert "do not have the stamp" in caplog.text

    def test_rows_of_rules_are_written_by_who_decides_only(self, running, at_street):
        row = Layer(
            kind="street", set_by="x", values={}, bounds={}, effective_from=TODAY, reason=""
        )
        for write_it in (
            lambda: row.save(force_insert=True),
            lambda: Layer.objects.bulk_create([row]),
            lambda: Layer.objects.create(kind="street", set_by="x", effective_from=TODAY),
            lambda: Layer.objects.update(effective_from=TODAY),
            lambda: Adoption.objects.get().delete(),
            lambda: Adoption.objects.all().delete(),
        ):
            with pytest.raises(RuntimeError, match="one_at_a_time"):
                write_it()
        assert (Layer.objects.count(), Adoption.objects.count()) == (0, 1)


def _set(street, value):
    with tenant_context(street):
        layer(street, {RATE: value})


def _rate(street):
    with tenant_context(street):
        return rate()
