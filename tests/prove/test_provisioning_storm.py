"""Provisioning under SIGKILL at any millisecond, not only between its steps (T2)."""

import random
import subprocess
import sys
import time
from collections import Counter

import pytest
from django.db import connection

from linli import embedded
from linli.accounts.policy import system_actor
from linli.audit.models import Entry
from linli.registry import template
from linli.registry.models import Domain, Tenant
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import issue_policy
from tenants.operating_model.models import Layer
from tests.support.databases import ROOT, Database
from tests.support.schemas import assert_schema_equals

pytestmark = pytest.mark.prove

KILLS = 18
OPEN = (Tenant.Status.ACTIVE, True)


@pytest.fixture
def settled(scratch_database: Database) -> Database:
    """With a policy of the district's, which provisioning copies into what is new below it, and
    with a schema that was migrated, to hold the others to."""
    district = Tenant.objects.get(slug="zhangdian")
    with tenant_context(district):
        issue_policy(
            actor=system_actor(district),
            values={"meetings.joint.day_of_month": 10},
            bounds={},
            effective_from=district.created_at.date(),
            reason="区里的意见",
        )
    migrated = scratch_database.run(
        "-c",
        "import django; django.setup();"
        "from linli.registry.template import migrate_schema; migrate_schema('t_migrated')",
    )
    assert migrated.returncode == 0, migrated.stderr
    return scratch_database


def test_killed_at_any_millisecond_the_same_command_finishes_it(settled: Database, client) -> None:
    # How long the work takes that nothing disturbs: with the template to be built, and without.
    seconds = {kept: _undisturbed(settled, kept=kept) for kept in (False, True)}
    killed: Counter = Counter()
    while killed.total() < KILLS:
        number = len(Tenant.objects.filter(slug__startswith="storm"))
        kept = number % 2 == 1
        if not kept:
            _forget_template(settled)
        tenant = _requested(f"storm{number}")
        for _ in range(random.randint(1, 6)):
            run = _at_work(settled, tenant)
            try:
                run.wait(random.uniform(0, seconds[kept]))
            except subprocess.TimeoutExpired:
                run.kill()
            assert run.wait() in (0, -9), run.stderr.read()
            state = _state(tenant, client)
            killed[state] += run.returncode == -9
            if state == OPEN:
                break

        done = settled.run("manage.py", "provision", tenant.slug)

        assert done.returncode == 0, done.stderr
        assert _state(tenant, client) == OPEN
        trail = Entry.objects.filter(object_id=str(tenant.pk)).order_by("pk")
        assert [entry.action for entry in trail] == ["tenants.provisioning", "tenants.active"]
        with tenant_context(tenant):
            [landed] = Layer.objects.all()
            [told] = Entry.objects.all()
            assert (told.object_id, told.action) == (str(landed.pk), "models.land_policy")
    assert killed[Tenant.Status.PROVISIONING, False] >= 3, f"hardly any kill came in time: {killed}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'linli%%'")
        assert cursor.fetchall() == [], "a killed build of the template was left behind"


def _state(tenant: Tenant, client) -> tuple[str, bool]:
    """How far it is: its status, and whether the schema is there, whole; it serves only in the end."""
    tenant.refresh_from_db()
    there = template.schema_exists(tenant.schema_name)
    if there:
        assert_schema_equals(tenant.schema_name, "t_migrated")
    tenant.refresh_from_db()
    answer = client.get("/", headers={"host": f"{tenant.slug}.linli.localhost"}).status_code
    assert answer == (200 if tenant.status == Tenant.Status.ACTIVE else 503)
    assert there or tenant.status != Tenant.Status.ACTIVE
    return tenant.status, there


def _requested(slug: str) -> Tenant:
    tenant = Tenant.objects.create(
        slug=slug,
        schema_name=f"t_{slug}",
        name="丝绸路街道",
        kind=Tenant.Kind.STREET,
        parent=Tenant.objects.get(slug="zhangdian"),
    )
    Domain.objects.create(tenant=tenant, domain=f"{slug}.linli.localhost", is_primary=True)
    return tenant


def _at_work(database: Database, tenant: Tenant) -> subprocess.Popen:
    """The command, at the moment it has logged in to the database."""
    run = subprocess.Popen(
        [sys.executable, "manage.py", "provision", tenant.slug],
        cwd=ROOT, env=database.environment("owner"), text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    while run.poll() is None and not _owner_is_here():
        time.sleep(0.001)
    return run


def _owner_is_here() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename = %s",
            [embedded.OWNER],
        )
        return cursor.fetchone() is not None


def _undisturbed(database: Database, *, kept: bool) -> float:
    if not kept:
        _forget_template(database)
    tenant = _requested("calmer" if kept else "calm")
    run = _at_work(database, tenant)
    began = time.monotonic()
    while tenant.status != Tenant.Status.ACTIVE:
        assert run.poll() in (None, 0), run.stderr.read()
        tenant.refresh_from_db()
    seconds = time.monotonic() - began
    assert run.wait() == 0, run.stderr.read()
    return seconds


def _forget_template(database: Database) -> None:
    """So that the next run has to build it: migrate, dump, drop."""
    code = (
        "import django; django.setup();"
        "from linli.registry.models import SchemaTemplate; SchemaTemplate.objects.all().delete()"
    )
    done = database.run("-c", code)
    assert done.returncode == 0, done.stderr
