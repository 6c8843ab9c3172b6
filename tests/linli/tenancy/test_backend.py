"""The connection stands in the tenant that was entered, and says `SET search_path` only to get there."""

import os
import signal
import time
from contextlib import AbstractContextManager, suppress

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linli.registry.models import Tenant
from linli.tenancy.context import public_context, tenant_context
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
