"""A database that goes away is told as a fault of ours, in the API's own form."""

import os
import signal
import time

from django.db import connection

from linli.accounts.policy import system_actor
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from linli_api.execution import Request, run
from linli_api.schema import tenant_schema


def codes(errors):
    return [error["extensions"]["code"] for error in errors]


def test_between_the_look_at_the_connection_and_the_plan(scratch_database):
    actor = system_actor(Tenant.objects.select_related("parent__parent").get(slug="chezhan"))
    with tenant_context(actor.tenant):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [backend] = cursor.fetchone()
        os.kill(backend, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while connection.is_usable() and time.monotonic() < deadline:
            time.sleep(0.01)
        connection.health_check_done = True  # it was there when the request began
        answer = run(tenant_schema, Request("{ partners { nodes { name } } }"), actor)
    connection.close()
    assert answer.body["data"] is None
    assert codes(answer.errors) == ["INTERNAL"]


def test_before_a_program_is_let_in(scratch_database, client):
    connection.close()
    name, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], "linli_gone"
    try:
        answer = client.post(
            "/graphql", "{}", "application/json", headers={"authorization": "Bearer linli_at_x"}
        )
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
    assert answer.status_code == 500
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert "linli_gone" not in answer.content.decode()
