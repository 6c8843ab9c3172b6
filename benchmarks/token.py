"""Lets the benchmarks in as an integrator: prints the id and secret of a client made for a run."""

import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linli.settings")

import django

django.setup()

from benchmarks.data import SLUG  # noqa: E402
from linli.accounts.policy import system_actor  # noqa: E402
from linli.budget.actions import agree_points  # noqa: E402
from linli.clients.actions import create_client  # noqa: E402
from linli.registry.models import Tenant  # noqa: E402
from linli.tenancy.context import tenant_context  # noqa: E402

SCOPES = ["communities:read", "partners:read", "partners:write"]
UNMEASURED = 2**31 - 1  # a minute: what is measured is not how fast a budget is spent

if __name__ == "__main__":
    street = Tenant.objects.get(slug=SLUG)
    with tenant_context(street):
        client, secret = create_client(actor=system_actor(street), name="Benchmark", scopes=SCOPES)
    agree_points(client.pk, UNMEASURED)
    json.dump({"client_id": client.client_id, "client_secret": secret}, sys.stdout)
