"""A request has its time: its SQL is cancelled, its Python noticed, nothing of a mutation left."""

import time

import graphene
import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from graphql import OperationType

from linli.accounts.policy import Role, actor_for, system_actor
from linli.registry.models import Division, Tenant
from linli_api.execution import Request
from linli_api.fields import Field
from linli_api.guard import INHERITED, PUBLIC
from linli_api.limits import deadline
from linli_api.limits.deadline import TimedOut, check, within
from linli_api.metering import Meter
from linli_api.mutation import Mutation
from linli_api.repeats import run_once
from linli_api.schema import assemble
from linli_api.types import Object
from tests.support.rows import checksums

STREET = "chezhan.linli.localhost"


class Row(Object):
    class Meta:
        permission = INHERITED

    number = graphene.Int()

    @staticmethod
    def resolve_number(root, info):
        time.sleep(0.01)
        return root


class Query:
    rows = Field(graphene.List(Row), permission=PUBLIC)
    sleeps = Field(graphene.Int, seconds=graphene.Float(), permission=PUBLIC)
    sleeps_often = Field(graphene.Int, permission=PUBLIC)

    @staticmethod
    def resolve_rows(root, info):
        return range(100_000)

    @staticmethod
    def resolve_sleeps(root, info, seconds):
        return _sleep(seconds)

    @staticmethod
    def resolve_sleeps_often(root, info):
        for _ in range(1_000):
            _sleep(0.1)


class Dawdle(Mutation):
    """Writes, then takes too long."""

    class Meta:
        permission = PUBLIC

    @classmethod
    def act(cls, *, actor, **values):
        Division.objects.filter(pk="3703").update(name="某市")
        with transaction.atomic():  # an inner one, whose savepoint is rolled back too
            _sleep(60)


class Rename(Mutation):
    """Writes in time; its answer is asked for late."""

    class Meta:
        permission = PUBLIC

    slow = graphene.Int()

    def resolve_slow(self, info):
        return _sleep(60)

    @classmethod
    def act(cls, *, actor, **values):
        Division.objects.filter(pk="3703").update(name="某市")
        return {}


SCHEMA = assemble([Query], [Dawdle, Rename])


def _sleep(seconds):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


@pytest.fixture(autouse=True)
def _one_second(settings, scratch_database, rf):
    """Outside of any transaction, as a request is."""
    settings.LINLI_READ_SECONDS = settings.LINLI_WRITE_SECONDS = 1
    yield
    connection.close()  # what ceiling it had is not the next test's


def ask(rf, document, *, key=None, person=None):
    meter = Meter(rf.get("/"), None)
    actor = actor_for(person, None) if person else system_actor(None)
    with override("en"):
        return run_once(SCHEMA, Request(document), actor, key, meter)


def faults(answer):
    return [(one["extensions"]["code"], one.get("path")) for one in answer.body["errors"]]


def timeout():
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0]


def test_a_statement_is_cancelled(rf):
    answer = ask(rf, "{ sleeps(seconds: 60) }")
    assert faults(answer) == [("TIMED_OUT", ["sleeps"])]
    assert answer.ran
    assert answer.body["data"] == {"sleeps": None}
    assert timeout() == "1s"  # the connection serves on
    assert ask(rf, "{ sleeps(seconds: 0) }").body.get("errors") is None


def test_many_short_statements_are_ended_too(rf):
    with CaptureQueriesContext(connection) as captured:
        answer = ask(rf, "{ sleepsOften }")
    assert faults(answer) == [("TIMED_OUT", ["sleepsOften"])]
    assert len(captured) < 50
    assert timeout() == "1s"


def test_after_the_time_no_statement_starts(rf):
    answer = ask(rf, "{ a: sleeps(seconds: 60) b: sleeps(seconds: 0) }")
    assert faults(answer) == [("TIMED_OUT", ["a"]), ("TIMED_OUT", ["b"])]


def test_work_in_python_is_noticed_between_fields(rf):
    answer = ask(rf, "{ rows { number } }")
    assert {code for code, _path in faults(answer)} == {"TIMED_OUT"}
    assert len(answer.body["errors"]) <= 100


def _all_but_points():
    """What the public schema holds. Points are taken before anything runs, and a minute may turn."""
    found = checksums("public")
    del found["public", "budget_account"]
    return found


def test_nothing_of_a_mutation_is_left(rf):
    before = _all_but_points()
    answer = ask(rf, "mutation { dawdle { errors { code message } } }")
    assert _all_but_points() == before
    assert "errors" not in answer.body
    [error] = answer.body["data"]["dawdle"]["errors"]
    assert error["code"] == "TIMED_OUT"
    assert timeout() == "1s"


def test_a_mutation_has_its_own_time_and_tells_it(rf, settings):
    """Not a query's, though that is what the connection was last used for."""
    settings.LINLI_WRITE_SECONDS = 3
    assert ask(rf, "{ sleeps(seconds: 0) }").body["data"]
    begun = time.monotonic()
    answer = ask(rf, "mutation { dawdle { errors { code message } } }")
    took = time.monotonic() - begun
    [error] = answer.body["data"]["dawdle"]["errors"]
    assert error == {
        "code": "TIMED_OUT",
        "message": "This took longer than the 3 seconds it may. Ask for less at once.",
    }
    assert took >= 3
    begun = time.monotonic()
    answer = ask(rf, "{ sleeps(seconds: 60) }")
    assert "the 1 seconds" in answer.body["errors"][0]["message"]
    assert time.monotonic() - begun < 3


def test_the_ceiling_is_that_of_the_last_request(rf, settings):
    settings.LINLI_WRITE_SECONDS = 3
    shown = []
    for document in ("{ sleeps(seconds: 0) }", "mutation { rename { errors { code } } }") * 2:
        ask(rf, document)
        shown.append(timeout())
    assert shown == ["1s", "3s", "1s", "3s"]


def test_with_a_key_nothing_of_it_is_left_and_the_key_is_free(rf, street_of_scratch):
    """Also what was done in time, for all of it is one request."""
    both = "mutation { rename { errors { code } } dawdle { errors { code } } }"
    before = _all_but_points()
    answer = ask(rf, both, key="k1", person=street_of_scratch)
    assert _all_but_points() == before
    assert answer.body["data"] is None
    assert faults(answer) == [("TIMED_OUT", None)]
    assert timeout() == "1s"
    again = ask(rf, both, key="k1", person=street_of_scratch)
    assert not again.replayed
    assert faults(again) == [("TIMED_OUT", None)]


def test_with_a_key_what_was_done_but_told_late_is_undone(rf, street_of_scratch):
    late = "mutation { rename { errors { code } slow } }"
    answer = ask(rf, late, key="k1", person=street_of_scratch)
    assert (answer.body["data"], faults(answer)) == (None, [("TIMED_OUT", None)])
    assert Division.objects.get(pk="3703").name != "某市"


def test_what_was_done_is_told_though_its_answer_is_late(rf):
    answer = ask(rf, "mutation { rename { errors { code } slow } }")
    assert faults(answer) == [("TIMED_OUT", ["rename", "slow"])]
    assert answer.body["data"] == {"rename": {"errors": [], "slow": None}}
    assert Division.objects.get(pk="3703").name == "某市"


def test_a_fast_request_sends_nothing_more(rf):
    ask(rf, "{ sleeps(seconds: 0) }")
    with CaptureQueriesContext(connection) as captured:
        ask(rf, "{ sleeps(seconds: 0) }")
    assert len([one for one in captured if "pg_sleep" in one["sql"]]) == 1
    assert len(captured) == 1  # and its points came from the lease


def test_jobs_and_commands_have_all_the_time(rf):
    check()
    assert deadline._time.allowed is None
    with within(None):
        _sleep(1.2)
        check()
    with pytest.raises(TimedOut), within(OperationType.QUERY):
        _sleep(1.2)
    check()


def test_as_it_is_served(street_of_scratch, settings):
    settings.LINLI_READ_SECONDS = 1
    client = Client(headers={"host": STREET})
    client.force_login(street_of_scratch)
    with connection.execute_wrapper(_slow_partners):
        response = client.post(
            "/graphql",
            {"query": "{ partners { nodes { name } } }"},
            content_type="application/json",
        )
    assert response.status_code == 200
    assert response.json()["errors"][0]["extensions"]["code"] == "TIMED_OUT"


@pytest.fixture
def street_of_scratch(scratch_database, actor_as):
    return actor_as(Tenant.objects.get(slug="chezhan"), Role.AUDITOR).person


def _slow_partners(execute, sql, params, many, context):
    if 'FROM "partners_partner"' in sql:
        sql, params = "SELECT pg_sleep(60)", None
    return execute(sql, params, many, context)
