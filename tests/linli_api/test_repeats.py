"""A request with an Idempotency-Key is run once, whatever happens on its way."""

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from threading import Barrier
from uuid import uuid4

import graphene
import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from linli import database
from linli.accounts.policy import Client as Program
from linli.accounts.policy import Role, actor_for
from linli.audit.models import Entry
from linli.clients.actions import create_client
from linli.clients.admission import admit
from linli.events.actions import create_endpoint
from linli.registry.models import Tenant
from linli.repeats import keeping
from linli.repeats.jobs import sweep, tenants_with_answers
from linli.repeats.keeping import Asked, keep, recall
from linli.repeats.models import KeptAnswer
from linli.tenancy.context import tenant_context
from linli_api import ids
from linli_api.errors import InvalidRequest
from linli_api.execution import Request
from linli_api.fields import Revealed
from linli_api.repeats import run_once
from linli_api.schema import SCHEMAS, tenant_schema
from tenants.communities.models import Community
from tests.support.databases import ROOT
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.gunicorn import gunicorn
from tests.support.programs import program
from tests.support.secrets import rows_of_schema

ADD = """mutation($input: AddCommunityInput!) {
    addCommunity(input: $input) { community { id name } errors { code field message } }
}"""
TWO = """mutation {
    one: addCommunity(input: {name: "甲社区", openedOn: "2024-05-01"}) { errors { code } }
    two: addCommunity(input: {name: "", openedOn: "2024-05-01"}) { errors { code } }
    three: addCommunity(input: {name: "丙社区", openedOn: "2024-05-01"}) { errors { code } }
}"""

REVEALING = (
    "addClientSecret",
    "addWebhookSecret",
    "createClient",
    "createPersonalToken",
    "createWebhookEndpoint",
)


def adding(name="新社区", **more):
    return Request(ADD, {"input": {"name": name, "openedOn": "2024-05-01", **more}})


def send(actor, request, key):
    """The body as it goes out, in the schema of the actor."""
    with override("en"), tenant_context(actor.tenant):
        answer = run_once(tenant_schema, request, actor, key)
    return json.dumps(answer.body, ensure_ascii=False), answer.replayed


def refusal(actor, request, key):
    with pytest.raises(InvalidRequest) as refused:
        send(actor, request, key)
    return refused.value.code


def communities(tenant):
    with tenant_context(tenant):
        return sorted(Community.objects.values_list("name", flat=True))


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


class TestAgain:
    def test_the_same_is_answered_byte_for_byte_and_done_once(self, street, administrator):
        first, replayed = send(administrator, adding(), "k1")
        assert not replayed
        assert send(administrator, adding(), "k1") == (first, True)
        assert communities(street) == ["新社区"]
        with tenant_context(street):
            assert Entry.objects.count() == 1

    def test_another_key_is_another_request(self, street, administrator):
        send(administrator, adding(), "k1")
        send(administrator, adding(), "k2")
        assert communities(street) == ["新社区", "新社区"]

    def test_variables_in_another_order_are_the_same(self, street, administrator):
        first, _ = send(administrator, adding(residents=5), "k1")
        given = {"residents": 5, "openedOn": "2024-05-01", "name": "新社区"}
        assert send(administrator, Request(ADD, {"input": given}), "k1") == (first, True)

    @pytest.mark.parametrize(
        "other",
        [adding("别的社区"), Request(ADD + " ", adding().variables)],
        ids=["variables", "document"],
    )
    def test_anything_else_under_the_key_is_refused(self, street, administrator, other):
        send(administrator, adding(), "k1")
        assert refusal(administrator, other, "k1") == "IDEMPOTENCY_KEY_REUSED"
        assert communities(street) == ["新社区"]

    def test_another_operation_of_the_document_is_refused_too(self, street, administrator):
        both = "".join(ADD.replace("mutation(", f"mutation {name}(") for name in "ab")
        request = Request(both, adding().variables, "a")
        send(administrator, request, "k1")
        other = replace(request, operation_name="b")
        assert refusal(administrator, other, "k1") == "IDEMPOTENCY_KEY_REUSED"
        assert communities(street) == ["新社区"]

    def test_a_refusal_is_an_answer_and_a_mended_input_needs_a_new_key(self, street, administrator):
        first, _ = send(administrator, adding(""), "k1")
        assert json.loads(first)["data"]["addCommunity"]["errors"][0]["code"] == "NAME_INVALID"
        assert send(administrator, adding(""), "k1") == (first, True)
        assert refusal(administrator, adding(), "k1") == "IDEMPOTENCY_KEY_REUSED"
        assert communities(street) == []
        send(administrator, adding(), "k2")
        assert communities(street) == ["新社区"]

    def test_several_mutations_are_one_request(self, street, administrator):
        first, _ = send(administrator, Request(TWO), "k1")
        codes = {n: [e["code"] for e in p["errors"]] for n, p in json.loads(first)["data"].items()}
        assert codes == {"one": [], "two": ["NAME_INVALID"], "three": []}
        assert send(administrator, Request(TWO), "k1") == (first, True)
        assert communities(street) == ["丙社区", "甲社区"]

    def test_what_was_not_run_keeps_nothing(self, administrator):
        body, _ = send(administrator, Request("mutation { nothing }"), "k1")
        assert "data" not in json.loads(body)
        assert "NAME_INVALID" in send(administrator, adding(""), "k1")[0]

    def test_without_a_key_nothing_is_kept_and_it_is_done_again(self, street, administrator):
        for _ in range(2):
            assert not send(administrator, adding(), None)[1]
        assert len(communities(street)) == 2
        with tenant_context(street):
            assert not KeptAnswer.objects.exists()

    def test_a_query_is_asked_anew(self, street, administrator):
        names = Request("{ communities { nodes { name } } }")
        send(administrator, names, "k1")
        send(administrator, adding(), "k2")
        assert "新社区" in send(administrator, names, "k1")[0]

    def test_it_costs_one_look_and_one_row(self, street, administrator):
        def statements(key, name):
            with CaptureQueriesContext(connection) as captured:
                send(administrator, adding(name), key)
            told = [q["sql"].split()[0] for q in captured]
            return [word for word in told if word not in ("SAVEPOINT", "RELEASE", "SET")]

        statements(None, "暖身")
        assert len(statements("k1", "有键")) - len(statements(None, "无键")) == 2


class TestWhose:
    def test_anothers_key_answers_nothing_of_yours(self, street, administrator, actor_as):
        send(administrator, adding("我的社区"), "k1")
        other = actor_as(street, Role.STREET_ADMINISTRATOR)
        assert not send(other, adding("我的社区"), "k1")[1]
        assert communities(street) == ["我的社区", "我的社区"]
        assert send(other, adding("我的社区"), "k1")[1]

    def test_a_persons_token_has_keys_of_its_own(self, street, administrator):
        through = replace(administrator, client=Program(uuid4(), "集市小程序"))
        send(administrator, adding(), "k1")
        assert not send(through, adding("别的"), "k1")[1]
        assert send(through, adding("别的"), "k1")[1]

    def test_a_narrower_token_of_a_client_reads_nothing_that_a_wider_was_told(
        self, street, administrator
    ):
        """Nor does it do the same again."""
        scopes = ["communities:read", "communities:write"]
        ours = program(administrator, *scopes)
        wide, same = (admit(ours.token(), street).actor for _ in range(2))
        narrow = admit(ours.token(scope="communities:write"), street).actor
        first, _ = send(wide, adding(), "k1")
        assert "新社区" in first
        assert refusal(narrow, adding(), "k1") == "IDEMPOTENCY_KEY_REUSED"
        assert send(same, adding(), "k1") == (first, True)
        assert communities(street) == ["新社区"]

    def test_another_tenant_is_another_place(self, street, other_street, administrator):
        person = administrator.person
        MembershipFactory(person=person, tenant=other_street, role=Role.STREET_ADMINISTRATOR)
        send(administrator, adding(), "k1")
        assert not send(actor_for(person, other_street), adding(), "k1")[1]
        assert communities(other_street) == communities(street) == ["新社区"]

    def test_who_may_write_nothing_leaves_nothing(self, street, other_street, actor_as):
        stranger = actor_as(street, Role.STREET_ADMINISTRATOR, held_at=other_street)
        send(stranger, adding(), "k1")
        street.status = Tenant.Status.SUSPENDED
        street.save()
        send(actor_as(street, Role.STREET_ADMINISTRATOR), adding(), "k1")
        with tenant_context(street):
            assert not KeptAnswer.objects.exists()


def told_once(made, input_, shows):
    """A mutation that tells a secret, under another name and in a fragment."""
    capital = made[0].upper() + made[1:]
    return (
        f"""mutation($input: {capital}Input!) {{
        {made}(input: $input) {{ errors {{ code }} ...Told }}
    }}
    fragment Told on {capital}Payload {{ {shows} }}""",
        {"input": input_},
    )


class TestASecret:
    """It is shown once: neither a repetition nor a row nor a line of the log has it."""

    @pytest.fixture
    def given(self, street, administrator):
        with tenant_context(street):
            client, _ = create_client(actor=administrator, name="取数", scopes=["fund:read"])
            endpoint, _ = create_endpoint(
                actor=administrator, url="https://example.org/", types=["fund.opened"]
            )
        scopes = {"name": "小程序", "scopes": ["fund:read"]}
        hook = {"url": "https://example.org/hook", "types": ["FUND_OPENED"]}
        return {
            "createClient": (scopes, "client { id } theFirst: secret"),
            "addClientSecret": (
                {"clientId": ids.encode("Client", client.pk)},
                "clientSecret { id } theFirst: secret",
            ),
            "createPersonalToken": (scopes, "personalToken { id } theFirst: token"),
            "createWebhookEndpoint": (hook, "endpoint { id } theFirst: secret"),
            "addWebhookSecret": (
                {"endpointId": ids.encode("WebhookEndpoint", endpoint.pk)},
                "endpoint { id } theFirst: secret",
            ),
        }

    @pytest.mark.parametrize("mutation", sorted(REVEALING))
    def test_it_is_told_in_the_first_answer_only(
        self, street, administrator, given, mutation, caplog
    ):
        caplog.set_level("DEBUG")
        request = Request(*told_once(mutation, *given[mutation]))
        first, _ = send(administrator, request, "k1")
        secret = json.loads(first)["data"][mutation]["theFirst"]
        assert len(secret) > 40
        again, replayed = send(administrator, request, "k1")
        assert replayed
        assert again == first.replace(f'"{secret}"', "null")
        for schema in ("public", street.schema_name):
            for row in rows_of_schema(schema):
                assert secret not in json.dumps(row, default=str), row
        assert secret not in caplog.text

    def test_a_refusal_tells_none_and_is_told_again(self, administrator):
        input_ = {"name": "小程序", "scopes": []}
        request = Request(*told_once("createClient", input_, "client { id } secret"))
        first, _ = send(administrator, request, "k1")
        assert json.loads(first)["data"]["createClient"]["secret"] is None
        assert send(administrator, request, "k1") == (first, True)

    def test_a_password_cannot_be_tried_against_what_is_kept(self, street, administrator):
        request = adding()
        send(administrator, request, "k1")
        told = [request.query, request.operation_name, request.variables, None]
        canonical = json.dumps(told, sort_keys=True, separators=(",", ":"))
        with tenant_context(street):
            [kept] = KeptAnswer.objects.all()
        assert kept.fingerprint != sha256(canonical.encode()).hexdigest()

    def test_whatever_answers_with_a_secret_says_so(self):
        """By its name: a new mutation that tells one finds its way here."""
        found = {
            f"{name[0].lower()}{name[1:]}": isinstance(field, Revealed)
            for schema in SCHEMAS.values()
            for one in schema.graphql_schema.mutation_type.fields.values()
            for name in [one.type.of_type.name.removesuffix("Payload")]
            for key, field in one.type.of_type.graphene_type._meta.fields.items()
            if key.split("_")[-1] in ("secret", "token", "password", "key") and _is_text(field)
        }
        assert found == dict.fromkeys(REVEALING, True)


def _is_text(field):
    return getattr(field.type, "of_type", field.type) in (graphene.String, graphene.ID)


class TestADay:
    def test_after_a_day_the_key_is_free_though_nobody_swept(
        self, street, administrator, monkeypatch
    ):
        send(administrator, adding(), "k1")
        later = timezone.now() + keeping.KEPT_FOR
        monkeypatch.setattr(keeping.timezone, "now", lambda: later)
        assert not send(administrator, adding("后来的社区"), "k1")[1]
        assert send(administrator, adding("后来的社区"), "k1")[1]


class TestAFaultOfOurs:
    def test_it_undoes_the_whole_request_and_frees_the_key(
        self, street, administrator, monkeypatch
    ):
        broken = Community.save

        def save(community, **options):
            if community.name == "丙社区":
                raise RuntimeError("SELECT secret")
            broken(community, **options)

        with monkeypatch.context() as patch:
            patch.setattr(Community, "save", save)
            body = json.loads(send(administrator, Request(TWO), "k1")[0])
        assert body["data"] is None
        assert [error["extensions"]["code"] for error in body["errors"]] == ["INTERNAL"]
        assert communities(street) == []
        assert not send(administrator, Request(TWO), "k1")[1]
        assert communities(street) == ["丙社区", "甲社区"]

    def test_who_was_overtaken_tells_the_other_ones_answer(self, street, administrator):
        """What the lock leaves open: another commits between our snapshot and our lock."""
        asked = Asked(administrator.person.pk, "k1", "0" * 64)
        with tenant_context(street), transaction.atomic():
            assert recall(asked) is None
            keep(asked, "theirs")
            with pytest.raises(keeping.Overtaken), transaction.atomic():
                keep(asked, "ours")
            assert recall(asked) == "theirs"


# ── At the same moment, and killed ───────────────────────────────────────────────────────────────


@pytest.fixture
def chezhan(scratch_database):
    return Tenant.objects.select_related("parent__parent").get(slug="chezhan")


@pytest.fixture
def clerk(chezhan):
    person = PersonFactory()
    MembershipFactory(person=person, tenant=chezhan, role=Role.STREET_ADMINISTRATOR)
    return actor_for(person, chezhan)


def test_the_sweep_takes_the_old_and_visits_only_who_has_any(chezhan, clerk):
    send(clerk, adding(), "old")
    send(clerk, adding(), "new")
    assert tenants_with_answers() == [chezhan.pk]
    with tenant_context(chezhan):
        old = timezone.now() - keeping.KEPT_FOR - timedelta(seconds=1)
        KeptAnswer.objects.filter(key="old").update(kept_at=old)
        assert sweep() == 1
        assert [one.key for one in KeptAnswer.objects.all()] == ["new"]


def own_connection(work):
    def run(*arguments):
        try:
            return work(*arguments)
        finally:
            connections.close_all()

    return run


def test_eight_at_once_are_done_once(chezhan, clerk):
    gate = Barrier(8)

    @own_connection
    def once(_):
        gate.wait(timeout=30)
        try:
            return send(clerk, adding(), "k1")[0]
        except InvalidRequest as refused:
            return refused.code

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(once, range(8)))
    done = answers - {"IDEMPOTENCY_KEY_IN_USE"}
    assert len(done) == 1
    assert send(clerk, adding(), "k1") == (*done, True)
    assert communities(chezhan) == ["新社区"]


def test_while_the_first_still_runs_the_second_is_told_so(scratch_database, chezhan, clerk):
    with ThreadPoolExecutor(1) as pool:
        with _held_up(scratch_database, "communities_community"):
            first = pool.submit(own_connection(send), clerk, adding(), "k1")
            _wait_for_a_lock(scratch_database)
            assert refusal(clerk, adding(), "k1") == "IDEMPOTENCY_KEY_IN_USE"
            assert refusal(clerk, adding("别的"), "k1") == "IDEMPOTENCY_KEY_IN_USE"
        answer, _ = first.result(timeout=30)
    assert send(clerk, adding(), "k1") == (answer, True)
    assert communities(chezhan) == ["新社区"]


def test_killed_before_the_commit_it_was_never_done(scratch_database, chezhan, clerk):
    # Everything is written but the answer, which has to wait.
    with _held_up(scratch_database, "repeats_keptanswer"):
        process = subprocess.Popen(
            _sending(clerk, adding(), "k1"), cwd=ROOT, env=scratch_database.environment()
        )
        _wait_for_a_lock(scratch_database)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    _wait_until_gone(scratch_database)
    assert communities(chezhan) == []
    assert not send(clerk, adding(), "k1")[1]
    assert communities(chezhan) == ["新社区"]


def test_killed_after_the_commit_it_is_told_and_not_done_again(scratch_database, chezhan, clerk):
    done = scratch_database.run(*_sending(clerk, adding(), "k1")[1:], login="app")
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert communities(chezhan) == ["新社区"]
    answer, replayed = send(clerk, adding(), "k1")
    assert replayed
    assert json.loads(answer)["data"]["addCommunity"]["community"]["name"] == "新社区"
    assert communities(chezhan) == ["新社区"]


def _sending(actor, request, key):
    told = json.dumps({"query": request.query, "variables": request.variables})
    return [sys.executable, "-m", "tests.support.repeating", str(actor.person.pk), key, told]


class _held_up:  # noqa: N801
    """Whoever writes the table of chezhan waits until the block ends."""

    def __init__(self, scratch, table):
        self.session = database.connect("owner", scratch.name)
        self.table = table

    def __enter__(self):
        self.session.execute("BEGIN")
        self.session.execute(f"LOCK TABLE t_chezhan.{self.table} IN SHARE MODE")

    def __exit__(self, *_):
        self.session.execute("ROLLBACK")
        self.session.close()


def _wait_for_a_lock(scratch):
    _poll(scratch, "NOT granted", found=True)


def _wait_until_gone(scratch):
    _poll(scratch, "locktype = 'relation'", found=False)


def _poll(scratch, condition, *, found):
    query = f"""SELECT 1 FROM pg_locks WHERE {condition}
                AND database = (SELECT oid FROM pg_database WHERE datname = %s)"""
    with database.connect("owner", "postgres") as session:
        for _ in range(300):
            if bool(session.execute(query, [scratch.name]).fetchall()) is found:
                return
            time.sleep(0.1)
    raise AssertionError(f"{condition}: never {found}")


# ── Over HTTP ────────────────────────────────────────────────────────────────────────────────────


class TestOverHTTP:
    @pytest.fixture
    def post(self, administrator):
        client = Client(headers={"host": "chezhan.linli.localhost", "accept-language": "en"})
        client.force_login(administrator.person)

        def post(key, request=None):
            request = request or adding()
            body = {"query": request.query, "variables": request.variables}
            headers = {} if key is None else {"Idempotency-Key": key}
            return client.post("/graphql", body, content_type="application/json", headers=headers)

        return post

    def test_the_second_answer_says_that_it_is_one(self, post):
        first, second = post("k1"), post("k1")
        assert first.content == second.content
        assert (first.status_code, second.status_code) == (200, 200)
        assert "Idempotent-Replayed" not in first
        assert second["Idempotent-Replayed"] == "true"

    def test_a_reused_key_is_a_422(self, post):
        post("k1")
        response = post("k1", adding("别的"))
        assert response.status_code == 422
        [error] = response.json()["errors"]
        assert error["extensions"]["code"] == "IDEMPOTENCY_KEY_REUSED"

    def test_a_key_in_use_is_a_409_that_says_when_to_come_again(self, street, administrator, post):
        name = f"{street.schema_name} {administrator.person.pk} k1"
        with database.connect("app", connection.settings_dict["NAME"]) as other:
            other.execute("BEGIN")
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
            response = post("k1")
            other.execute("ROLLBACK")
        assert response.status_code == 409
        assert response["Retry-After"] == "1"
        assert communities(street) == []

    @pytest.mark.parametrize("key", ["", " ", "k" * 256, "键", "a\tb", " k", "k,k", ","])
    def test_what_is_no_key_is_refused(self, street, post, key):
        response = post(key)
        assert response.status_code == 400
        assert response.json()["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_KEY_INVALID"
        assert communities(street) == []

    @pytest.mark.parametrize(
        "key", ["1", "k" * 255, "2f6b7a4e-93c1-4d58-9a0e-6c1d5b7e8f20", "two words"]
    )
    def test_what_is_one(self, post, key):
        assert post(key).json()["data"]["addCommunity"]["errors"] == []


def test_two_keys_are_refused_whichever_way_they_come(scratch_database, actor_as):
    """Servers make one of two headers of a name."""
    street = Tenant.objects.get(slug="chezhan")
    administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
    token = program(administrator, "communities:write").token()
    host = "chezhan.linli.localhost"
    body = {"query": adding().query, "variables": adding().variables}
    with gunicorn(scratch_database) as served:
        for person, more in (
            (administrator.person, []),
            (None, [("Authorization", f"Bearer {token}")]),
        ):
            with served.browser(person, host) as browser:
                for keys in (("k1", "k2"), ("k1", "k1")):
                    headers = [*more, *(("Idempotency-Key", key) for key in keys)]
                    response = browser.post("/graphql", json=body, headers=headers)
                    assert response.status_code == 400
                    [error] = response.json()["errors"]
                    assert error["extensions"]["code"] == "IDEMPOTENCY_KEY_INVALID"
                    assert "one Idempotency-Key" in error["message"]
    assert communities(street) == []
