"""Reads on the event loop: the same answers as Django's, nothing that no longer holds, and whatever
is not plainly known goes the whole way. Asked over ASGI by a real client, with committed rows."""

import asyncio
import gc
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from types import SimpleNamespace

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from linli import database
from linli.accounts.models import Membership
from linli.accounts.policy import Role, actor_for
from linli.budget import lease
from linli.clients import actions, usage
from linli.clients.models import AccessToken, ClientSecret
from linli.registry.models import Domain, Tenant
from linli.shares import Overloaded
from linli.tenancy.context import tenant_context
from linli.tenancy.postgresql.lines import TOGETHER, Failed, Lines
from linli.trusted import selectors as trusted
from linli.trusted.actions import require_trusted, trust_document
from linli.wsgi import application as django
from linli_api import ids
from linli_api.express.application import Application, connect
from linli_api.express.incoming import Asked
from linli_api.express.reads import Reads
from linli_api.schema import tenant_schema
from linli_api.types import types_by_model
from tests.support.databases import connect_to, copy_of_template
from tests.support.documents import Material, document
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.minutes import wait_for_seconds
from tests.support.programs import host_of, program
from tests.support.town import furnish

READS = ["partners:read", "communities:read", "tenants:read", "models:read", "clients:read"]
PARTNERS = "query Page($n: Int) { partners(first: $n) { totalCount nodes { id name owedYuan } } }"


class Asking:
    """One program at one host. express: what the loop alone answers, None where it leaves it."""

    def __init__(self, token: str, at: Tenant | None) -> None:
        self.token, self.host, self.known_as = token, host_of(at), host_of(at) if at else ""

    def express(self, query: str, variables: dict | None = None, **more):
        async def ask():
            lines = Lines(connect, 2, 2)
            try:
                return await self.on_loop(lines, query, variables, **more)
            finally:
                lines.close()

        return asyncio.run(ask())

    async def on_loop(self, lines: Lines, query: str, variables: dict | None = None, **more):
        body = _body(query, variables, **more)
        scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"",
                 "headers": [(b"accept-language", b"en")]}  # fmt: skip
        asked = Asked(scope, self.known_as, self.token)
        answered = await Reads(lines).answer(asked, body)
        return answered and json.loads(answered.content)

    def asgi(self, query: str, variables: dict | None = None, **headers: str) -> httpx.Response:
        """What the application answers, whichever way it goes."""
        [answer] = self.all_by_asgi([(query, variables)], **headers)
        return answer

    def all_by_asgi(self, asked: list, **headers: str) -> list[httpx.Response]:
        """One after the other, of one application."""
        own = {"Host": self.host, "Authorization": f"Bearer {self.token}",
               "Content-Type": "application/json", "Accept-Language": "en"}  # fmt: skip

        async def ask():
            application = Application(django)
            transport = httpx.ASGITransport(app=application)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://x", headers=own | headers
            ) as client:
                try:
                    return [
                        await client.post("/graphql", content=_body(query, variables))
                        for query, variables in asked
                    ]
                finally:
                    application.close()

        try:
            return asyncio.run(ask())
        finally:
            gc.collect()  # the connections of its threads

    def whole(self, query: str, variables: dict | None = None) -> httpx.Response:
        """An Idempotency-Key, which means nothing to a query, keeps it off the express."""
        return self.asgi(query, variables, **{"Idempotency-Key": "whole"})


def row(lines: Lines, statement: str, *params, schema: str = "public", **options):
    return lines.row(schema, statement, params, **{"seconds": 9} | options)


def _body(query: str, variables: dict | None, **more) -> bytes:
    return json.dumps({"query": query, "variables": variables, **more}).encode()


@pytest.fixture(scope="module")
def furnished(session_database, django_db_setup, django_db_blocker):
    """A database of this file's, in which a street office has a row of everything."""
    database = copy_of_template(f"{session_database.name}_express")
    with django_db_blocker.unblock():
        connect_to(database.name)
        furnish(Tenant.objects.select_related("parent__parent").get(slug="chezhan"), "Ω甲", 100)
        yield
        connect_to(session_database.name)
    database.drop()


@pytest.fixture
def town(furnished):
    """The street office, somebody who runs it, and a program that may read what it likes there, in a
    minute that does not turn meanwhile: with it the points end that are held."""
    wait_for_seconds(10)
    lease.forget()
    trusted._rules.known.clear()  # what a test before learnt may be too old in the middle of this one
    tenant = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
    person = PersonFactory()
    MembershipFactory(person=person, tenant=tenant, role=Role.STREET_ADMINISTRATOR)
    administrator = actor_for(person, tenant)
    made = program(administrator, *READS, name=f"小程序{person.pk}")
    yield SimpleNamespace(
        tenant=tenant,
        administrator=administrator,
        program=made,
        asking=Asking(made.token(), tenant),
    )
    lease.forget()


def by_personal_token(town) -> Asking:
    with tenant_context(town.tenant):
        _, secret = actions.create_personal_token(
            actor=town.administrator,
            name="表格",
            tenant=town.tenant,
            scopes=["partners:read"],
            expires_at=None,
        )
    return Asking(secret, town.tenant)


def learnt(asking: Asking, query: str, variables: dict | None = None):
    """The answer of the whole way, after which all of it is known. Twice: that its secret was used is
    noted after the first, which changes a row that decides who is let in."""
    for _ in range(2):
        answer = asking.whole(query, variables)
        assert answer.status_code == 200, answer.text
    return answer.json()


@contextmanager
def changed(rows, **values):
    """Rows with other values, for a while."""
    before = list(rows.values("pk", *values))
    rows.update(**values)
    try:
        yield
    finally:
        for one in before:
            rows.filter(pk=one.pop("pk")).update(**one)


def data_of(answer):
    return answer and answer["data"]


class TestAnswers:
    def test_what_was_answered_once_is_answered_on_the_loop(self, town):
        assert town.asking.express(PARTNERS, {"n": 2}) is None  # nothing is known yet
        whole = learnt(town.asking, PARTNERS, {"n": 2})
        answer = town.asking.express(PARTNERS, {"n": 2})
        assert answer["data"] == whole["data"]
        assert answer["data"]["partners"]["nodes"]
        # Other values, the same plan.
        one = town.asking.express(PARTNERS, {"n": 1})["data"]["partners"]["nodes"]
        assert one == whole["data"]["partners"]["nodes"][:1]

    def test_it_looks_the_same_from_outside(self, town):
        learnt(town.asking, PARTNERS, {"n": 2})
        fast, whole = town.asking.asgi(PARTNERS, {"n": 2}), town.asking.whole(PARTNERS, {"n": 2})
        assert fast.status_code == whole.status_code == 200
        beside = {"ratelimit", "content-length"}
        told = [
            {name: value for name, value in one.headers.items() if name not in beside}
            for one in (fast, whole)
        ]
        assert told[0] == told[1]
        assert "ratelimit" in fast.headers
        first, second = fast.json(), whole.json()
        assert first["data"] == second["data"]
        spent = first["extensions"]["cost"]["requested"]
        remaining = [one["extensions"]["cost"].pop("remaining") for one in (first, second)]
        assert remaining[0] - remaining[1] == spent
        for one in (first, second):
            one["extensions"]["cost"].pop("resetsInSeconds")
        assert first["extensions"] == second["extensions"]

    def test_random_documents_have_the_answers_of_the_whole_way(self, town):
        with tenant_context(town.tenant):
            found = {
                type_._meta.name: [
                    ids.encode(type_._meta.name, row.pk)
                    for row in model._default_manager.order_by("pk")[:3]
                ]
                for model, type_ in types_by_model(tenant_schema.graphql_schema).items()
            }
        material, answered = Material(found, {}, ["城", "Ω", ""]), 0
        asked = [
            (text, variables)
            for seed in range(280)
            for text, sets in [document(tenant_schema, material, Random(seed))]
            for variables in sets[:2]
        ]
        learnt(town.asking, PARTNERS)
        wait_for_seconds(25)
        whole = town.asking.all_by_asgi(asked, **{"Idempotency-Key": "whole"})

        async def on_loop():
            lines = Lines(connect, 2, 2)
            try:
                return [await town.asking.on_loop(lines, *one) for one in asked]
            finally:
                lines.close()

        for (text, _), one, other in zip(asked, asyncio.run(on_loop()), whole, strict=True):
            if one is not None:
                answered += 1
                assert one["data"] == other.json()["data"], text
                assert "errors" not in other.json(), text
        assert answered > 40

    def test_at_the_platform(self, town):
        asking = Asking(town.asking.token, None)
        query = "{ tenants { nodes { slug } } }"
        whole = learnt(asking, query)
        assert data_of(asking.express(query)) == whole["data"]

    def test_of_a_person_with_a_token(self, town):
        asking = by_personal_token(town)
        whole = learnt(asking, PARTNERS)
        assert data_of(asking.express(PARTNERS)) == whole["data"]

    def test_trusted_documents_too(self, town):
        with tenant_context(town.tenant):
            made = trust_document(actor=town.administrator, name="页", text=PARTNERS, cost=1)
        key = f"sha256:{made.digest}"
        whole = learnt(town.asking, PARTNERS)
        assert town.asking.express(None, documentId=key) is None
        trusted.text_of(town.tenant.pk, key)  # as the whole way does
        assert data_of(town.asking.express(None, documentId=key)) == whole["data"]


class TestNothingThatNoLongerHolds:
    def test_a_revoked_client(self, town):
        learnt(town.asking, PARTNERS)
        actions.revoke_client(actor=town.administrator, client_id=town.program.client.pk)
        assert town.asking.express(PARTNERS) is None
        assert town.asking.asgi(PARTNERS).status_code == 401

    def test_an_expired_token(self, town):
        learnt(town.asking, PARTNERS)
        AccessToken.objects.filter(secret__client=town.program.client).update(
            expires=timezone.now()
        )
        assert town.asking.express(PARTNERS) is None
        assert town.asking.asgi(PARTNERS).status_code == 401

    def test_a_role_that_ended(self, town):
        asking = by_personal_token(town)
        learnt(asking, PARTNERS)
        Membership.objects.filter(person=town.administrator.person).update(
            ended_on=timezone.localdate()
        )
        assert asking.express(PARTNERS) is None
        assert asking.asgi(PARTNERS).status_code == 401

    def test_a_tenant_that_is_not_served_any_more(self, town):
        learnt(town.asking, PARTNERS)
        with changed(Tenant.objects.filter(pk=town.tenant.pk), status=Tenant.Status.ARCHIVED):
            assert town.asking.express(PARTNERS) is None
            assert town.asking.asgi(PARTNERS).status_code == 503

    def test_a_host_that_leads_elsewhere(self, town):
        learnt(town.asking, PARTNERS)
        other = Tenant.objects.get(slug="wenshao")
        own = Domain.objects.filter(tenant=town.tenant).values_list("pk", flat=True)
        with changed(Domain.objects.filter(pk__in=list(own)), tenant=other):
            assert town.asking.express(PARTNERS) is None
            assert town.asking.asgi(PARTNERS).status_code == 401

    def test_a_document_where_none_but_trusted_ones_are_taken(self, town):
        learnt(town.asking, PARTNERS)
        with tenant_context(town.tenant):
            require_trusted(actor=town.administrator, only_trusted=True)
            trusted._rules.known.clear()  # as after FRESH_SECONDS
            assert town.asking.express(PARTNERS) is None
            assert town.asking.asgi(PARTNERS).status_code == 400
            assert town.asking.express(PARTNERS) is None
            require_trusted(actor=town.administrator, only_trusted=False)
        trusted._rules.known.clear()


class TestTheWholeWay:
    @pytest.mark.parametrize(
        "query",
        [
            'mutation { addCommunity(input: {name: "新", openedOn: "2024-05-01"}) { errors { code } } }',
            "{ partners { nodes { nothing } } }",
            "{ partners(first: 1000) { nodes { id } } }",
            "{ __schema { types { name } } }",
            '{ partner(id: "x") { id } }',
            "{ partners { nodes { id }",
        ],
    )
    def test_what_is_no_known_read(self, town, query):
        for _ in range(2):
            assert town.asking.express(query) is None
            whole = town.asking.whole(query)
            answer = town.asking.asgi(query)
            assert answer.status_code == whole.status_code
            told = [one.json() for one in (answer, whole)]
            for one in told:
                one.pop("extensions", None)
            assert told[0] == told[1] or "addCommunity" in query

    def test_nobody_waits_for_the_row_that_tells_the_last_use(self, town, caplog):
        secrets = ClientSecret.objects.filter(client=town.program.client)
        with (
            database.connect("owner", connection.settings_dict["NAME"]) as other,
            ThreadPoolExecutor(1) as pool,
        ):
            other.execute("BEGIN")
            other.execute(
                "SELECT FROM clients_clientsecret WHERE client_id = %s FOR UPDATE",
                [town.program.client.pk],
            )
            asked = pool.submit(town.asking.whole, PARTNERS)
            try:
                assert asked.result(timeout=60).status_code == 200
                assert caplog.text == ""  # nor did the time of a statement run out
            finally:
                other.execute("ROLLBACK")  # or whoever waits would be waited for
        assert secrets.get().last_used_at is None
        usage._noted.clear()
        town.asking.whole(PARTNERS)
        assert secrets.get().last_used_at is not None

    def test_points_are_spent_once(self, town):
        learnt(town.asking, PARTNERS)
        price = town.asking.express(PARTNERS)["extensions"]["cost"]["requested"]
        before = town.asking.express(PARTNERS)["extensions"]["cost"]["remaining"]
        assert town.asking.express(PARTNERS)["extensions"]["cost"]["remaining"] == before - price

    def test_without_points_held_it_is_left_to_who_may_lease(self, town):
        learnt(town.asking, PARTNERS)
        lease.forget()
        assert town.asking.express(PARTNERS) is None
        assert town.asking.asgi(PARTNERS).status_code == 200


class TestLines:
    def test_a_statement_that_takes_too_long_is_told_so(self, town, settings):
        settings.LINLI_READ_SECONDS = 1
        learnt(town.asking, PARTNERS)

        async def ask():
            lines = Lines(connect, 1, 1)
            await row(lines, "SELECT set_config('statement_timeout', '1', false)")
            try:
                return await town.asking.on_loop(lines, PARTNERS)
            finally:
                lines.close()

        with database.connect("owner", connection.settings_dict["NAME"]) as owner:
            owner.autocommit = False
            owner.execute(f"LOCK TABLE {town.tenant.schema_name}.partners_partner")
            answer = asyncio.run(ask())
            owner.rollback()
        assert answer["data"] is None
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "TIMED_OUT"
        assert error["message"].startswith("This took longer")

    def test_who_waits_for_a_line_as_long_as_a_read_may_take_is_told_so_and_pays_nothing(
        self, town, settings
    ):
        learnt(town.asking, PARTNERS)
        paid = town.asking.express(PARTNERS)["extensions"]["cost"]

        async def ask():
            lines = Lines(connect, 1, 1)
            before = asyncio.create_task(row(lines, "SELECT 'slow', pg_sleep(3)::text"))
            await asyncio.sleep(0.5)
            settings.LINLI_READ_SECONDS = 1
            with pytest.raises(Overloaded):
                await town.asking.on_loop(lines, PARTNERS)
            settings.LINLI_READ_SECONDS = 10
            then = await town.asking.on_loop(lines, PARTNERS)
            assert (await before)[0] == "slow"
            lines.close()
            return then

        then = asyncio.run(ask())
        assert then["data"]["partners"]["nodes"]
        left = then["extensions"]["cost"]["remaining"]
        assert left == paid["remaining"] - paid["requested"]

    def test_a_server_that_goes_away_between_two_requests(self, town):
        learnt(town.asking, PARTNERS)

        async def ask():
            lines = Lines(connect, 1, 1)
            first = await town.asking.on_loop(lines, PARTNERS)
            [backend] = await row(lines, "SELECT pg_backend_pid()")
            os.kill(int(backend), signal.SIGTERM)
            await _noticed(lines)
            second = await town.asking.on_loop(lines, PARTNERS)
            third = await town.asking.on_loop(lines, PARTNERS)
            lines.close()
            return first, second, third

        first, second, third = asyncio.run(ask())
        assert first["data"] == second["data"] == third["data"]

    def test_a_server_that_goes_away_in_the_middle(self, town):
        async def ask():
            lines = Lines(connect, 1, 1)
            [backend] = await row(lines, "SELECT pg_backend_pid()")
            asyncio.get_running_loop().call_later(0.2, os.kill, int(backend), signal.SIGTERM)
            lost = await asyncio.gather(
                *(row(lines, "SELECT pg_sleep(30)::text") for _ in range(3)), return_exceptions=True
            )
            assert [(type(one), one.late) for one in lost] == [(Failed, False)] * 3
            assert await row(lines, "SELECT 1") == ("1",)
            lines.close()

        asyncio.run(ask())

    def test_what_is_asked_at_once_goes_over_one_line_and_what_may_take_long_over_its_own(
        self, town
    ):
        async def ask():
            lines = Lines(connect, 4, 4)
            pid = "SELECT pg_backend_pid(), $1::int"
            quick = [row(lines, pid, number) for number in range(TOGETHER)]
            long = [row(lines, pid, number, alone=True) for number in range(2)]
            found = await asyncio.gather(*quick, *long)
            lines.close()
            return found

        found = asyncio.run(ask())
        assert [int(number) for _pid, number in found] == [*range(TOGETHER), 0, 1]
        quick, long = found[:TOGETHER], found[TOGETHER:]
        assert len({pid for pid, _number in quick}) == 1
        assert len({pid for pid, _number in [*long, quick[0]]}) == 3

    def test_one_that_fails_gives_its_fellows_no_wrong_answer_and_no_wrong_schema(self, town):
        tenant = town.tenant.schema_name
        where = "SELECT current_schema(), $1::int"

        async def ask():
            lines = Lines(connect, 1, 1)
            await row(lines, "SELECT set_config('statement_timeout', '300', false)")
            together = [
                row(lines, where, 1, schema=tenant),
                row(lines, "SELECT pg_sleep($1)::text", 5, schema=tenant),
                row(lines, f"{where}, 'never seen before'", 3, schema=tenant),
            ]
            first, slow, third = await asyncio.gather(*together, return_exceptions=True)
            assert first == (tenant, "1")
            assert slow.late
            assert not third.late
            [before] = await row(lines, "SELECT current_setting('statement_timeout')")
            assert before == "300ms"  # the line is still the same
            again = await row(lines, f"{where}, 'never seen before'", 3, schema=tenant)
            assert again == (tenant, "3", "never seen before")
            assert await row(lines, where, 4) == ("public", "4")
            with pytest.raises(Failed):
                await row(lines, "SELECT 1 / $1::int", 0)
            assert await row(lines, where, 5, schema=tenant) == (tenant, "5")
            lines.close()

        asyncio.run(ask())

    def test_each_of_what_is_asked_together_has_its_own_time(self, town):
        async def ask():
            lines = Lines(connect, 1, 1)
            await row(lines, "SELECT set_config('statement_timeout', '300', false)")
            asked = (row(lines, "SELECT pg_sleep(0.2)::text") for _ in range(4))
            found = await asyncio.gather(*asked)
            lines.close()
            return found

        assert asyncio.run(ask()) == [("",)] * 4

    def test_many_at_once_wait_for_a_line_and_never_see_another_schema(self, town):
        schemas = [
            town.tenant.schema_name,
            Tenant.objects.get(slug="wenshao").schema_name,
            "public",
        ]

        async def one(lines: Lines, number: int):
            schema = schemas[number % 3]
            statement = "SELECT current_schema(), $1::int, pg_sleep(0.001)::text"
            return schema, number, await row(lines, statement, number, schema=schema)

        async def ask():
            lines = Lines(connect, 2, 2)
            found = await asyncio.gather(*(one(lines, number) for number in range(240)))
            lines.close()
            return found

        for schema, number, found in asyncio.run(ask()):
            assert found[:2] == (schema, str(number))

    def test_statements_longer_than_the_socket_takes_at_once(self, town):
        async def ask():
            lines = Lines(connect, 1, 1)
            long = [f"SELECT length('{str(n) * 400_000}')" for n in range(TOGETHER)]
            found = await asyncio.wait_for(asyncio.gather(*(row(lines, one) for one in long)), 30)
            assert await row(lines, "SELECT 1") == ("1",)
            lines.close()
            return found

        assert asyncio.run(ask()) == [("400000",)] * TOGETHER

    @pytest.mark.parametrize(("bound", "most"), [("KEPT", 10), ("KEPT_CHARACTERS", 100)])
    def test_more_statements_than_a_line_keeps(self, town, monkeypatch, bound, most):
        monkeypatch.setattr(f"linli.tenancy.postgresql.prepared.{bound}", most)

        async def ask():
            lines = Lines(connect, 1, 1)
            asked = (row(lines, f"SELECT {number % 17}") for number in range(100))
            found = await asyncio.gather(*asked)
            [kept] = await row(lines, "SELECT count(*) FROM pg_prepared_statements")
            lines.close()
            return found, int(kept)

        found, kept = asyncio.run(ask())
        assert found == [(str(number % 17),) for number in range(100)]
        assert kept <= 10 + TOGETHER

    def test_who_hangs_up_leaves_no_answer_to_the_next(self, town):
        async def ask():
            lines = Lines(connect, 1, 1)
            task = asyncio.create_task(row(lines, "SELECT 'slow', pg_sleep(0.3)::text"))
            waiting = asyncio.create_task(row(lines, "SELECT 'given up'"))
            await asyncio.sleep(0.1)
            task.cancel()
            waiting.cancel()
            await asyncio.gather(task, waiting, return_exceptions=True)
            found = await row(lines, "SELECT 'next'")
            lines.close()
            return found

        assert asyncio.run(ask()) == ("next",)


async def _noticed(lines: Lines) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if lines._idle[0].closed:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the line is not known to be lost")
