"""Sandboxes: one under a district or a city, filled when made, reset by a call, and nothing real."""

import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from linli import database
from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.errors import Forbidden, NotFound
from linli.events.models import Event
from linli.events.sequencing import last_position, sequence
from linli.registry.models import Sandbox, Tenant
from linli.repeats.models import KeptAnswer
from linli.tenancy.context import tenant_context
from linli_api import ids
from onboarding.sample import refill
from onboarding.sandboxes import request_sandbox, reset_sandbox
from tenants.communities.actions import add_community
from tenants.communities.models import Community
from tenants.fund.models import Fund, Posting
from tenants.operating_model.actions import publish_version
from tenants.operating_model.models import ModelVersion
from tenants.partners.actions import admit_partner
from tenants.partners.models import Contribution
from tests.support.api import ask, done, refused
from tests.support.databases import Database
from tests.support.denials import denied_in_public
from tests.support.rows import checksums

REFILL = """
import sys
import django
django.setup()
from datetime import datetime
from uuid import UUID
from onboarding.sample import refill
refill(UUID(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))
"""
# Dies when the first community stands, the old rows being gone.
KILLED = """
import os, signal
from onboarding import sample
add = sample.add_community
def dying(**given):
    add(**given)
    os.kill(os.getpid(), signal.SIGKILL)
sample.add_community = dying
"""


@pytest.fixture
def asked(district, actor_as):
    """Who asks for one, and how."""
    administrator = actor_as(None, Role.DISTRICT_ADMINISTRATOR, held_at=district)

    def ask_for(actor=administrator, **given):
        order = {"slug": "shashi", "name": "张店沙箱", "parent_id": district.pk}
        return request_sandbox(actor=actor, **order | given)

    return ask_for


class TestAskedFor:
    def test_one_under_a_district(self, asked, district):
        tenant = asked()
        assert (tenant.kind, tenant.parent, tenant.status) == ("street", district, "requested")
        assert Sandbox.objects.get().tenant == tenant
        with denied_in_public("SANDBOX_EXISTS", "parentId"):
            asked(slug="shashi-2")

    def test_by_who_may_ask_for_tenants_there(self, asked, other_district, street, actor_as):
        with pytest.raises(NotFound):
            asked(parent_id=other_district.pk)
        with pytest.raises(Forbidden):
            asked(actor_as(None, Role.STREET_ADMINISTRATOR, held_at=street))
        assert not Sandbox.objects.exists()

    def test_through_the_api(self, district, street, actor_as):
        administrator = actor_as(None, Role.DISTRICT_ADMINISTRATOR, held_at=district)
        parent = ids.encode("Tenant", district.pk)
        given = {"slug": "shashi", "name": "张店沙箱", "parentId": parent}
        assert done(administrator, "requestSandbox", "tenant { isSandbox }", **given) == {
            "isSandbox": True
        }
        told = ask(administrator, "{ tenants { nodes { slug isSandbox sandboxFilledAt } } }")
        told = told["tenants"]["nodes"]
        assert all(one["sandboxFilledAt"] is None for one in told)
        Sandbox.objects.update(filled_at="2026-03-01T08:00:00+08:00")
        again = ask(administrator, "{ tenants { nodes { slug sandboxFilledAt } } }")
        assert {one["slug"]: one["sandboxFilledAt"] for one in again["tenants"]["nodes"]} == {
            "shashi": "2026-03-01T00:00:00+00:00", "zhangdian": None, "chezhan": None,
        }  # fmt: skip
        assert {one["slug"]: one["isSandbox"] for one in told} == {
            "shashi": True, "zhangdian": False, "chezhan": False,
        }  # fmt: skip


class TestNeverReal:
    def test_what_is_no_sandbox_is_not_reset(self, street, actor_as):
        administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
        with denied_in_public("NO_SANDBOX"):
            reset_sandbox(actor=administrator)
        assert refused(administrator, "resetSandbox") == [("NO_SANDBOX", None)]

    @pytest.mark.parametrize("status", ["suspended", "archived", "requested"])
    def test_nor_one_that_is_not_active(self, street, district, status, actor_as):
        Sandbox.objects.create(tenant=street, under=district)
        administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
        Tenant.objects.filter(pk=street.pk).update(status=status)
        with denied_in_public("NO_SANDBOX"):
            reset_sandbox(actor=administrator)

    def test_nor_by_a_job_whoever_deferred_it(self, street, district):
        """The job looks itself: at what is no sandbox, and at one that was suspended meanwhile."""
        before = checksums("public", street.schema_name)
        refill(street.pk, timezone.now())
        assert checksums("public", street.schema_name) == before
        Sandbox.objects.create(tenant=street, under=district, filled_at="2020-01-01T00:00:00Z")
        Tenant.objects.filter(pk=street.pk).update(status=Tenant.Status.SUSPENDED)
        before = checksums("public", street.schema_name)
        refill(street.pk, timezone.now())
        assert checksums("public", street.schema_name) == before

    @pytest.mark.parametrize("role", [Role.AUDITOR, Role.COMMUNITY_SECRETARY, Role.CHARITY_CASHIER])
    def test_not_by_everybody(self, street, district, role, actor_as):
        Sandbox.objects.create(tenant=street, under=district)
        with pytest.raises(Forbidden):
            reset_sandbox(actor=actor_as(street, role))
        assert not Entry.objects.filter(action="tenants.sandbox_reset").exists()

    def test_a_call_leaves_a_trace_and_a_job(self, street, district, actor_as):
        Sandbox.objects.create(tenant=street, under=district)
        reset_sandbox(actor=actor_as(street, Role.STREET_ADMINISTRATOR), reason="从头来")
        assert Entry.objects.get(action="tenants.sandbox_reset").reason == "从头来"
        job = ProcrastinateJob.objects.get(task_name="onboarding.jobs.refill_sandbox")
        assert job.args["tenant_id"] == str(street.pk)


def test_made_filled_changed_and_reset(scratch_database: Database):
    """By the owner's processes, as they would; one is killed on its way."""
    district = Tenant.objects.get(slug="zhangdian")
    tenant = request_sandbox(
        actor=system_actor(None), slug="shashi", name="张店沙箱", parent_id=district.pk
    )
    made = scratch_database.run("manage.py", "provision", "shashi")
    assert made.returncode == 0, made.stderr
    filled = _told(tenant)
    assert filled == {"communities": 2, "funds": 2, "paid": 36, "postings": filled["postings"]}
    tenant.refresh_from_db()

    with tenant_context(tenant):
        add_community(actor=system_actor(tenant), name="丙社区", opened_on="2025-01-01")
        with pytest.raises(Exception, match="SANDBOX_STAYS_INSIDE"):
            publish_version(
                actor=system_actor(tenant),
                version_id=ModelVersion.objects.get().pk,
                profiles=[],
            )
        sequence(tenant.pk)
        cursor = _events(tenant)["pageInfo"]["endCursor"]
        heard = last_position()
        KeptAnswer.objects.create(
            owner_id=tenant.pk, key="k", fingerprint="f" * 64, answer="{}", kept_at=timezone.now()
        )
    assert _told(tenant)["communities"] == 3
    before = checksums("public", tenant.schema_name)

    later = "2099-01-01T00:00:00+08:00"
    killed = scratch_database.run("-c", _killed(), str(tenant.pk), later)
    assert killed.returncode == -9
    assert checksums("public", tenant.schema_name) == before

    again = scratch_database.run("-c", REFILL, str(tenant.pk), later)
    assert again.returncode == 0, again.stderr
    assert _told(tenant) == filled
    # Who has a cursor of before hears of all that was laid out since, and misses none of it.
    since = _events(tenant, after=cursor)
    with tenant_context(tenant):
        assert len(since["nodes"]) == Event.objects.count() > 0
        # A request that is sent once more is not done once more, the one for the reset neither.
        assert KeptAnswer.objects.get().key == "k"
    assert min(event["position"] for event in since["nodes"]) == heard + 1
    reset = checksums("public", tenant.schema_name)
    done_already = scratch_database.run("-c", REFILL, str(tenant.pk), "2020-01-01T00:00:00+08:00")
    assert done_already.returncode == 0
    assert checksums("public", tenant.schema_name) == reset


def test_who_writes_meanwhile_is_not_undone(scratch_database: Database):
    """Holding one table and wanting another, which the reset may hold by then."""
    district = Tenant.objects.get(slug="zhangdian")
    tenant = request_sandbox(
        actor=system_actor(None), slug="shashi", name="张店沙箱", parent_id=district.pk
    )
    assert scratch_database.run("manage.py", "provision", "shashi").returncode == 0
    schema, later = tenant.schema_name, "2099-01-01T00:00:00+08:00"
    with database.connect("app", scratch_database.name) as writer:
        writer.autocommit = False
        writer.execute(f"SELECT FROM {schema}.partners_partner FOR UPDATE")
        reset = subprocess.Popen(
            [sys.executable, "-c", REFILL, str(tenant.pk), later],
            env=scratch_database.environment("owner"),
        )
        _until_it_waits(scratch_database)
        for table in ("events_event", "communities_community", "audit_entry"):
            writer.execute(f"SELECT count(*) FROM {schema}.{table}")
        writer.commit()
        assert reset.wait(60) == 0
    assert Sandbox.objects.get().filled_at > tenant.created_at
    assert _told(tenant)["paid"] == 36


def test_who_writes_without_a_pause_does_not_keep_it_waiting(scratch_database: Database):
    """Three at once, a hundred rows a transaction."""
    district = Tenant.objects.get(slug="zhangdian")
    tenant = request_sandbox(
        actor=system_actor(None), slug="shashi", name="张店沙箱", parent_id=district.pk
    )
    assert scratch_database.run("manage.py", "provision", "shashi").returncode == 0
    tenant.refresh_from_db()
    over, faults = threading.Event(), []

    def write(number: int) -> None:
        try:
            with tenant_context(tenant):
                while not over.is_set():
                    place = Community.objects.order_by("pk")[0].pk
                    with suppress(NotFound), transaction.atomic():  # it was thrown away meanwhile
                        for _ in range(100):
                            admit_partner(
                                actor=system_actor(tenant), community_id=place,
                                name=f"{number}-{uuid4()}", kind="enterprise",
                                joined_on="2026-01-01", sample=True,
                            )  # fmt: skip
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    later = "2099-01-01T00:00:00+08:00"
    reset = scratch_database.run("-c", REFILL, str(tenant.pk), later)
    over.set()
    for writer in writers:
        writer.join()
    assert (reset.returncode, faults) == (0, []), reset.stderr
    assert _told(tenant)["paid"] == 36


def _until_it_waits(scratch: Database) -> None:
    with database.connect("owner", scratch.name) as watching:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            waiting = "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
            if watching.execute(waiting).fetchone() is not None:
                return
    raise RuntimeError("nobody waits for a lock")


def _killed() -> str:
    head, call = REFILL.rsplit("refill(", 1)
    return f"{head}{KILLED}\nrefill({call}"


def _events(tenant: Tenant, after: str | None = None) -> dict[str, Any]:
    """Every event there is after a cursor, page by page."""
    query = """query($after: String) { events(first: 100, after: $after) {
        nodes { position } pageInfo { endCursor hasNextPage }
    } }"""
    page = ask(system_actor(tenant), query, after=after)["events"]
    nodes = list(page["nodes"])
    while page["pageInfo"]["hasNextPage"]:
        page = ask(system_actor(tenant), query, after=page["pageInfo"]["endCursor"])["events"]
        nodes += page["nodes"]
    return {"nodes": nodes, "pageInfo": page["pageInfo"]}


def _told(tenant: Tenant) -> dict[str, int]:
    with tenant_context(tenant):
        return {
            "communities": Community.objects.count(),
            "funds": Fund.objects.count(),
            "paid": Contribution.objects.count(),
            "postings": Posting.objects.count(),
        }
