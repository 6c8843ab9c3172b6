"""The connection stands in the tenant that was entered, and says `SET search_path` only to get there."""

import os
import signal
import time
from contextlib import AbstractContextManager, ExitStack, suppress

import pytest
from django.db import DatabaseError, DataError, IntegrityError, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linli import database
from linli.registry.models import Division, Tenant
from linli.tenancy.context import connection, public_context, tenant_context
from linli.tenancy.postgresql.base import AfterCommit
from tests.support.databases import Database


def stands() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return cursor.fetchone()[0]


def switches(work) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return sum("SET search_path" in query["sql"] for query in captured)


def enter(tenant: Tenant) -> None:
    with tenant_context(tenant):
        assert stands() == tenant.schema_name


def test_the_same_tenant_again_is_no_switch(street: Tenant, other_street: Tenant) -> None:
    enter(street)

    assert switches(lambda: enter(street)) == 0
    assert switches(lambda: enter(other_street)) == 1
    assert switches(lambda: enter(street)) == 1


def test_a_switch_that_was_rolled_back_is_made_again(street: Tenant, other_street: Tenant) -> None:
    enter(street)
    with suppress(ZeroDivisionError), transaction.atomic():
        enter(other_street)
        raise ZeroDivisionError
    enter(street)
    enter(other_street)


def _entering(tenant: Tenant | None) -> AbstractContextManager[None]:
    return tenant_context(tenant) if tenant else public_context()


STEP = st.sampled_from(["one", "other", "public"])


def test_tenants_that_alternate_never_meet(street: Tenant, other_street: Tenant) -> None:
    """However switches, savepoints and rollbacks follow each other."""
    places = {"one": street, "other": other_street}

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(st.lists(st.tuples(STEP, st.booleans(), st.booleans()), max_size=12))
    def walk(steps) -> None:
        for place, saved, fails in steps:
            expected = "public" if place == "public" else places[place].schema_name
            with suppress(ZeroDivisionError), _entering(places.get(place)):
                if not saved:
                    assert stands() == expected
                    continue
                with transaction.atomic():
                    assert stands() == expected
                    if fails:
                        raise ZeroDivisionError

    walk()


def test_a_connection_that_the_server_closed_is_replaced(scratch_database: Database) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [backend] = cursor.fetchone()
    assert connection.is_usable()
    os.kill(backend, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while connection.is_usable() and time.monotonic() < deadline:
        time.sleep(0.01)

    assert not connection.is_usable()
    connection.health_check_done = False  # as at the start of the next request
    assert stands() == "public"


def count() -> int:
    return Division.objects.filter(name="试").count()


def rename(key: str) -> None:
    Division.objects.filter(pk=key).update(name="试")


def test_a_savepoint_before_anything_was_done_is_the_beginning(scratch_database: Database) -> None:
    done: list[str] = []
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        with suppress(ZeroDivisionError), transaction.atomic():
            rename("3703")
            transaction.on_commit(lambda: done.append("undone"))
            raise ZeroDivisionError
        assert count() == 0
        with transaction.atomic():
            transaction.on_commit(lambda: done.append("kept"))
            with suppress(IntegrityError), transaction.atomic():
                rename("3702")
                Division.objects.create(pk="3702", name="又")
            rename("3701")
    assert (count(), done) == (1, ["kept"])
    assert [one["sql"].split()[0] for one in captured].count("BEGIN") == 1


def test_what_is_to_follow_a_commit_is_sent_with_it(scratch_database: Database, caplog) -> None:
    heard, refused = AfterCommit("NOTIFY heard, 'yes'"), AfterCommit("SELECT 1 / 0")
    with database.connect("app", scratch_database.name) as ears:
        ears.execute("LISTEN heard")
        with suppress(ZeroDivisionError), transaction.atomic():
            transaction.on_commit(heard)
            rename("3701")
            raise ZeroDivisionError
        assert not list(ears.notifies(timeout=0.2))
        with CaptureQueriesContext(connection) as captured, transaction.atomic():
            transaction.on_commit(heard)
            rename("3701")
        assert [one.payload for one in ears.notifies(timeout=5, stop_after=1)] == ["yes"]
    with transaction.atomic():
        transaction.on_commit(refused)
        rename("3702")
    assert count() == 2
    assert "division by zero" in caplog.text
    assert [one["sql"] for one in captured][-1].startswith("COMMIT")


def owner_does(place: Database, *statements: str) -> None:
    with database.connect("owner", place.name) as owner:
        for statement in statements:
            owner.execute(statement)


def test_a_commit_that_fails_is_told_and_nothing_follows_it(scratch_database: Database) -> None:
    owner_does(
        scratch_database,
        "CREATE TABLE held (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
        "GRANT SELECT, INSERT ON held TO linli_app",
    )
    hooked: list[str] = []
    with pytest.raises(IntegrityError), transaction.atomic():
        transaction.on_commit(AfterCommit("INSERT INTO public.held VALUES (2)"))
        transaction.on_commit(lambda: hooked.append("called"))
        connection.fetch_prepared("INSERT INTO public.held VALUES (1), (1) RETURNING n", [])
    assert connection.fetch_prepared("SELECT count(*) FROM public.held", []) == ("0",)
    assert hooked == []


def test_a_statement_whose_plan_is_stale_is_prepared_anew(scratch_database: Database) -> None:
    widened = "SELECT * FROM public.registry_division WHERE code = $1"
    before = connection.fetch_prepared(widened, ["3701"])
    owner_does(scratch_database, "ALTER TABLE registry_division ADD COLUMN more int DEFAULT 2")
    with transaction.atomic():  # its first statement
        assert connection.fetch_prepared(widened, ["3701"]) == (*before, "2")
        assert connection.fetch_prepared("SELECT 1", []) == ("1",)


@pytest.mark.parametrize(("bound", "most"), [("KEPT", 10), ("KEPT_CHARACTERS", 10 * 9)])
def test_a_connection_keeps_the_statements_it_was_asked_last(
    scratch_database: Database, monkeypatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(f"linli.tenancy.postgresql.prepared.{bound}", most)
    for number in range(10, 60):
        assert connection.fetch_prepared(f"SELECT {number}", []) == (str(number),)
    kept = "SELECT string_agg(statement, ',' ORDER BY statement) FROM pg_prepared_statements"
    before = ",".join(f"SELECT {number}" for number in range(51 if bound == "KEPT" else 53, 60))
    assert connection.fetch_prepared(kept, [])[0].removesuffix(f",{kept}") == before


def test_where_one_of_several_fails_nothing_of_them_is_done(scratch_database: Database) -> None:
    rename_it = "UPDATE public.registry_division SET name = '试' WHERE code = $1 RETURNING code"
    fails = "SELECT 1 / $1::int"
    for begun in (False, True):
        with pytest.raises(DataError, match="division by zero"), ExitStack() as stack:
            if begun:
                stack.enter_context(transaction.atomic())
            connection.fetch_together([(rename_it, ["3701"]), (fails, [0]), (rename_it, ["3702"])])
        assert count() == 0
    assert connection.fetch_together([(rename_it, ["3701"]), (fails, [1])]) == [("3701",), ("1",)]


def test_a_text_with_a_nul_is_refused_and_not_cut(scratch_database: Database) -> None:
    with pytest.raises(DataError):
        connection.fetch_prepared("SELECT $1::text", ["a\0b"])


def test_a_connection_that_goes_away_in_between_is_told(scratch_database: Database) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        connection.fetch_together(
            [("SELECT pg_backend_pid()", []), ("SELECT pg_terminate_backend(pg_backend_pid())", [])]
        )
        connection.fetch_prepared("SELECT 1", [])
    assert stands() == "public"
