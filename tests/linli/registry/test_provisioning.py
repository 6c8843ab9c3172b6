"""T2: provisioning is idempotent and resumable, and what it makes equals a migrated schema."""

import subprocess

import pytest

from linli.audit.models import Entry
from linli.registry import template
from linli.registry.models import Domain, Sandbox, Tenant
from linli.registry.provisioning import steps
from linli.tenancy.context import tenant_context
from tenants.communities.models import Community
from tests.support.databases import Database
from tests.support.schemas import assert_schema_equals, dump

# Wraps one step so that the process kills itself there, then provisions as the command does.
KILLED = """
import os, signal, sys
import django
django.setup()
from linli.registry import provisioning, template
from linli.registry.models import Tenant

number, moment = int(sys.argv[1]), sys.argv[2]
steps = provisioning.steps()

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def wrapped(tenant, actor):
    if moment == "after":
        steps[number](tenant, actor)
    die()

if moment == "between":  # inside the transaction that creates the schema: half of it is there
    from django.db.backends.utils import CursorWrapper
    execute = CursorWrapper.execute
    def dying(self, sql, params=None):
        if str(sql).startswith("CREATE SCHEMA"):
            execute(self, sql, params)
            execute(self, "CREATE TABLE half_made (id int)", None)
            die()
        return execute(self, sql, params)
    CursorWrapper.execute = dying
    provisioning.provision(Tenant.objects.get(slug="new").pk, actor=None)

listed = [*steps[:number], wrapped, *steps[number + 1:]]
provisioning.steps = lambda: listed
provisioning.provision(Tenant.objects.get(slug="new").pk, actor=None)
"""


@pytest.fixture
def requested(scratch_database: Database) -> Tenant:
    tenant = Tenant.objects.create(
        slug="new",
        schema_name="t_new",
        name="丝绸路街道",
        kind=Tenant.Kind.STREET,
        parent=Tenant.objects.get(slug="zhangdian"),
    )
    Domain.objects.create(tenant=tenant, domain="new.linli.localhost", is_primary=True)
    return tenant


def _killed_in(database: Database, number: int, moment: str) -> subprocess.CompletedProcess:
    return database.run("-c", KILLED, str(number), moment)


def _serves(client) -> int:
    return client.get("/", headers={"host": "new.linli.localhost"}).status_code


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(5))
def test_killed_at_any_step_the_same_command_finishes_it(
    scratch_database: Database, requested: Tenant, client, number: int, moment: str
) -> None:
    assert len(steps()) == 5, "a step was added: kill it too"
    is_filled = number == 2
    if is_filled:
        Sandbox.objects.create(tenant=requested, under=Tenant.objects.get(slug="zhangdian"))
    killed = _killed_in(scratch_database, number, moment)
    assert killed.returncode == -9, killed.stderr
    opened = number == 4 and moment == "after"
    assert _serves(client) == (200 if opened else 503)

    done = scratch_database.run("manage.py", "provision", "new")

    assert done.returncode == 0, done.stderr
    requested.refresh_from_db()
    assert requested.status == Tenant.Status.ACTIVE
    assert _serves(client) == 200
    with tenant_context(requested):
        assert Community.objects.count() == (2 if is_filled else 0)
    trail = Entry.objects.filter(object_id=str(requested.pk)).order_by("pk")
    assert [entry.action for entry in trail] == ["tenants.provisioning", "tenants.active"]
    assert_schema_equals("t_new", "t_chezhan")


def test_killed_while_the_schema_is_being_made_leaves_nothing_of_it(
    scratch_database: Database, requested: Tenant, client
) -> None:
    killed = _killed_in(scratch_database, 0, "between")
    assert killed.returncode == -9, killed.stderr
    assert not template.schema_exists("t_new")
    assert _serves(client) == 503

    assert scratch_database.run("manage.py", "provision").returncode == 0

    assert _serves(client) == 200
    assert_schema_equals("t_new", "t_chezhan")


def test_provisioning_twice_changes_nothing(scratch_database: Database, requested: Tenant) -> None:
    assert scratch_database.run("manage.py", "provision", "new").returncode == 0
    before = (dump("t_new"), Entry.objects.count())

    again = scratch_database.run("manage.py", "provision", "new")

    assert again.returncode == 0, again.stderr
    assert (dump("t_new"), Entry.objects.count()) == before


def test_two_runs_at_once_make_one_tenant(scratch_database: Database, requested: Tenant) -> None:
    command = ["manage.py", "provision", "new"]
    runs = [
        subprocess.Popen(
            [__import__("sys").executable, *command],
            env=scratch_database.environment("owner"),
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]

    errors = [run.communicate(timeout=120)[1] for run in runs]

    assert [run.returncode for run in runs] == [0, 0, 0], errors
    assert Entry.objects.filter(object_id=str(requested.pk)).count() == 2


def test_a_replayed_schema_equals_a_migrated_one(scratch_database: Database) -> None:
    code = (
        "import django; django.setup();"
        "from linli.registry.template import migrate_schema; migrate_schema('t_migrated')"
    )
    done = scratch_database.run("-c", code)
    assert done.returncode == 0, done.stderr

    assert_schema_equals("t_migrated", "t_chezhan")


def test_the_command_names_a_slug_nobody_has(scratch_database: Database) -> None:
    done = scratch_database.run("manage.py", "provision", "nobody")

    assert done.returncode == 1
    assert "nobody" in done.stderr
