"""A process of the product that sends one request with a key, and dies before anybody hears.

``python -m tests.support.repeating <person> <key> <request as JSON>`` in a scratch database.
"""

import json
import os
import signal
import sys

import django

django.setup()

from linli.accounts.models import Person  # noqa: E402
from linli.accounts.policy import actor_for  # noqa: E402
from linli.registry.models import Tenant  # noqa: E402
from linli.tenancy.context import tenant_context  # noqa: E402
from linli_api.execution import Request  # noqa: E402
from linli_api.repeats import run_once  # noqa: E402
from linli_api.schema import tenant_schema  # noqa: E402


def main(person: str, key: str, request: str) -> None:
    street = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
    actor = actor_for(Person.objects.get(pk=person), street)
    with tenant_context(street):
        run_once(tenant_schema, Request(**json.loads(request)), actor, key)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
