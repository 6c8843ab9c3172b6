"""A tenant whose schema lags behind: its own webhooks wait, no other's do, and it is named."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from django.db import OperationalError, connection

from linli import database
from linli.accounts.policy import system_actor
from linli.events import actions
from linli.events.aside import Aside
from linli.events.models import Delivery
from linli.events.sequencing import Busy
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community
from tests.support.databases import Database
from tests.support.deliverers import delivering, start
from tests.support.receivers import receiver

RENAME = 'ALTER TABLE "{}".events_webhookendpoint RENAME {} TO {}'


@pytest.fixture
def two(committed: Tenant) -> list[Tenant]:
    """In the order in which a sweep visits them."""
    return list(Tenant.objects.filter(slug__in=["chezhan", "wenshao"]).order_by("pk"))


@contextmanager
def lagging(base: Database, tenant: Tenant) -> Iterator[None]:
    """As before the last migration."""
    with database.connect("owner", base.name) as owner:
        owner.execute(RENAME.format(tenant.schema_name, "replay_since", "not_yet"))
    yield
    with database.connect("owner", base.name) as owner:
        owner.execute(RENAME.format(tenant.schema_name, "not_yet", "replay_since"))


def told(tenant: Tenant, url: str) -> None:
    with tenant_context(tenant):
        actor = system_actor(tenant)
        actions.create_endpoint(actor=actor, url=url, types=["community.added"])


def happens(tenant: Tenant, *names: str) -> None:
    with tenant_context(tenant):
        for name in names:
            add_community(actor=system_actor(tenant), name=name, opened_on=date(2024, 1, 1))


def test_it_stops_no_other_is_named_and_goes_on_when_it_is_mended(scratch_database, two, capfd):
    bad, good = two
    with receiver() as late, receiver() as r:
        told(bad, late.url)
        told(good, r.url)
        with lagging(scratch_database, bad):
            process = start(scratch_database, sweep_seconds=1)
            happens(bad, "一社区")
            happens(good, "一社区")
            r.wait_for(1, seconds=20)
            time.sleep(4)  # several sweeps
            happens(bad, "二社区")
            happens(good, "二社区")
            r.wait_for(2, seconds=20)
            assert process.poll() is None
            assert late.got == []
        late.wait_for(2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

    assert late.positions() == r.positions() == [1, 2]
    lines = capfd.readouterr().err.splitlines()
    assert lines.count("Traceback (most recent call last):") in (1, 2)  # a cause is one more
    named = [line for line in lines if f"webhooks of {bad.schema_name} are left alone" in line]
    assert 2 <= len(named) <= 8  # at longer and longer intervals
    assert not any(f"webhooks of {good.schema_name}" in line for line in lines)


def test_the_sweep_makes_good_what_others_lost(scratch_database, two, monkeypatch):
    monkeypatch.setattr("linli.events.emit.CHANNEL", "nobody_listens_here")
    bad, good = two
    with receiver() as r:
        told(good, r.url)
        with (
            lagging(scratch_database, bad),
            delivering(scratch_database, sweep_seconds=1),
        ):
            time.sleep(2)  # the first sweep is over
            happens(good, "一社区")
            r.wait_for(1, seconds=20)


def test_what_is_claimed_of_others_is_sent_before_the_lease_ends(scratch_database, two):
    def slowly(_handler, _got) -> int:
        time.sleep(0.2)
        return 200

    bad, good = two
    names = [f"{number}社区" for number in range(40)]
    with receiver() as late, receiver(slowly) as r:
        told(bad, late.url)
        told(good, r.url)
        with delivering(scratch_database):
            happens(good, *names)
            r.wait_for(1)
            with lagging(scratch_database, bad):
                happens(bad, "一社区")
                r.wait_for(40, seconds=20)
            late.wait_for(1)
    assert len(set(r.positions())) == len(r.got) == 40


def test_what_was_sent_there_is_noted_once_it_is_mended(scratch_database, two):
    """And who stops the process meanwhile does not wait for that."""
    bad, _good = two

    def breaks_while_it_answers(_handler, _got) -> int:
        begun.append(lagging(scratch_database, bad))
        begun[-1].__enter__()
        return 200

    begun: list = []
    with receiver(breaks_while_it_answers) as r:
        told(bad, r.url)
        with delivering(scratch_database):
            happens(bad, "一社区")
            r.wait_for(1)
            time.sleep(1)
            begun[0].__exit__(None, None, None)
            deadline = time.monotonic() + 30
            with tenant_context(bad):
                while not Delivery.objects.filter(state="delivered").exists():
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            happens(bad, "二社区")
            r.wait_for(2)
        begun[1].__exit__(None, None, None)
    assert r.positions() == [1, 2]


def test_its_own_faults_are_kept_and_the_databases_are_not(scratch_database, two):
    one, other = two
    aside = Aside()
    with pytest.raises(Busy), aside.what_fails(one):
        raise Busy
    assert one.pk not in aside
    with aside.what_fails(one), connection.cursor() as cursor:
        cursor.execute("SELECT there_is_none")
    assert aside.tenants() == {one.pk}
    with pytest.raises(OperationalError), aside.what_fails(other), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert other.pk not in aside
    connection.close()
