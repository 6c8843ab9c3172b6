"""One caller who asks for much at once holds nobody else up, on the loop and in the threads."""

import asyncio
import gc
import json
from collections import Counter
from types import SimpleNamespace

import httpx
import pytest
from django.db import connection

from linli import database
from linli.accounts.policy import Role, actor_for
from linli.budget import lease
from linli.registry.models import Tenant
from linli.tenancy.postgresql.lines import TOGETHER
from linli.wsgi import application as django
from linli_api.express.application import LINES, THREADS, Application
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.minutes import wait_for_seconds
from tests.support.programs import host_of, program

SLOW = "{ partners(first: 1) { nodes { id name } } }"
QUICK = "{ communities(first: 1) { nodes { id name } } }"
AT_ONCE = 40


class Program:
    def __init__(self, administrator, tenant: Tenant, name: str) -> None:
        made = program(administrator, "partners:read", "communities:read", name=name)
        self.headers = {
            "Host": host_of(tenant),
            "Authorization": f"Bearer {made.token()}",
            "Content-Type": "application/json",
            "Accept-Language": "en",
        }

    async def ask(self, client: httpx.AsyncClient, query: str, **more: str) -> httpx.Response:
        content = json.dumps({"query": query})
        return await client.post("/graphql", content=content, headers=self.headers | more)


@pytest.fixture
def town(scratch_database):
    """A street office with two programs whose reads are known, in a minute that does not turn."""
    wait_for_seconds(15)
    lease.forget()
    tenant = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
    person = PersonFactory()
    MembershipFactory(person=person, tenant=tenant, role=Role.STREET_ADMINISTRATOR)
    administrator = actor_for(person, tenant)
    yield SimpleNamespace(
        tenant=tenant,
        one=Program(administrator, tenant, "one"),
        other=Program(administrator, tenant, "other"),
    )
    lease.forget()
    gc.collect()  # the connections of the application's threads


def run(asking):
    """With a client of an application of its own."""

    async def ask():
        application = Application(django)
        transport = httpx.ASGITransport(app=application)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                return await asking(client)
        finally:
            application.close()

    return asyncio.run(ask())


# More than go over all lines and take all threads.
MANY = {"on the loop": TOGETHER * (LINES + 1), "in a thread": 2 * THREADS}
WAYS = {"on the loop": {}, "in a thread": {"Idempotency-Key": "whole"}}


@pytest.mark.parametrize("slow", WAYS)
@pytest.mark.parametrize("quick", WAYS)
def test_who_asks_for_much_that_is_slow_holds_only_themselves_up(town, slow, quick):
    async def ask(client):
        for who in (town.one, town.other):
            for query in (SLOW, QUICK):
                for _ in range(2):
                    assert (await who.ask(client, query)).status_code == 200
        with database.connect("owner", connection.settings_dict["NAME"]) as owner:
            owner.autocommit = False
            owner.execute(f"LOCK TABLE {town.tenant.schema_name}.partners_partner")
            many = [
                asyncio.create_task(town.one.ask(client, SLOW, **WAYS[slow]))
                for _ in range(MANY[slow])
            ]
            await asyncio.sleep(0.2)
            answer = await town.other.ask(client, QUICK, **WAYS[quick])
            still = sum(not one.done() for one in many)
            owner.rollback()
        return answer, still, await asyncio.gather(*many)

    answer, still, slow_ones = run(ask)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"communities": {"nodes": []}}
    assert still == MANY[slow]
    for one in slow_ones:
        assert one.status_code == 200, one.text
        assert "errors" not in one.json()


@pytest.mark.parametrize("way", WAYS)
def test_more_than_may_wait_is_refused_and_costs_nothing(town, monkeypatch, way):
    for module in ("linli.tenancy.postgresql.lines", "linli_api.express.threads"):
        monkeypatch.setattr(f"{module}.WAITING", 3)

    async def ask(client):
        for _ in range(2):
            before = await town.one.ask(client, SLOW)
        with database.connect("owner", connection.settings_dict["NAME"]) as owner:
            owner.autocommit = False
            owner.execute(f"LOCK TABLE {town.tenant.schema_name}.partners_partner")
            many = [
                asyncio.create_task(town.one.ask(client, SLOW, **WAYS[way])) for _ in range(AT_ONCE)
            ]
            await asyncio.wait(many, return_when="FIRST_COMPLETED")
            await asyncio.sleep(0.2)
            refused = [one.result() for one in many if one.done()]
            owner.rollback()
        answers = await asyncio.gather(*many)
        return before, refused, answers, await town.one.ask(client, SLOW)

    before, refused, answers, after = run(ask)
    assert refused
    for one in refused:
        assert (one.status_code, one.headers["Retry-After"]) == (429, "1")
        [error] = one.json()["errors"]
        assert error["extensions"]["code"] == "TOO_MANY_AT_ONCE"
        assert error["message"].startswith("You ask for too much at once")
    assert sum(one.status_code == 200 for one in answers) == AT_ONCE - len(refused)
    paid = [one.json()["extensions"]["cost"] for one in (before, after)]
    ran = AT_ONCE - len(refused) + 1
    assert paid[0]["remaining"] - paid[1]["remaining"] == ran * paid[0]["requested"]


def test_who_waits_too_long_for_a_thread_is_told_so_and_not_that_it_took_long(town, settings):
    async def ask(client):
        for _ in range(2):
            await town.one.ask(client, QUICK)
        settings.LINLI_READ_SECONDS = 1
        with database.connect("owner", connection.settings_dict["NAME"]) as owner:
            owner.autocommit = False
            owner.execute(f"LOCK TABLE {town.tenant.schema_name}.partners_partner")
            many = [
                asyncio.create_task(town.one.ask(client, SLOW, **WAYS["in a thread"]))
                for _ in range(THREADS)
            ]
            answers = await asyncio.gather(*many)
            owner.rollback()
        return answers

    told = Counter(one.json()["errors"][0]["extensions"]["code"] for one in run(ask))
    assert told == {"TIMED_OUT": THREADS // 2, "TOO_MANY_AT_ONCE": THREADS // 2}
