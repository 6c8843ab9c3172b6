"""An answer holds so many bytes and no more, whoever makes it; a worker does not come to hold them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connection

from linli import sizes
from linli.accounts.policy import Role
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from linli_api.documents import read
from linli_api.errors import AnswerTooLarge
from linli_api.execution import Request, executed, run
from linli_api.planner import planned_answer
from linli_api.schema import tenant_schema
from tenants.communities.facts import Fact
from tenants.communities.models import Community
from tenants.partners.models import Agreement, Partner
from tests.support.api import send
from tests.support.gunicorn import gunicorn, post

STREET = "chezhan.linli.localhost"
FACTS = "{ facts(first: 100) { nodes { key value } } }"
MEGABYTE = 2**20


def refusal(body):
    assert body["data"] is None
    [error] = body["errors"]
    return error["extensions"]["code"], error["message"]


@pytest.fixture
def told(house):
    for number in range(5):
        Fact.objects.create(key=f"k{number}", value="文" * 100, source="a")
    return house


def size_of_data(answer):
    return len(answer.data.encode())


def test_at_the_limit_it_is_answered_and_above_it_is_not(told, settings):
    def by_plan():
        return run(tenant_schema, Request(FACTS), told.administrator)

    def by_executor():
        document = read(tenant_schema.graphql_schema, FACTS)
        return executed(document, Request(FACTS), told.administrator)

    refusals = []
    for answer in (by_plan, by_executor):
        settings.LINLI_ANSWER_BYTES = 10_000
        whole = answer()
        settings.LINLI_ANSWER_BYTES = size_of_data(whole)
        assert answer() == whole
        settings.LINLI_ANSWER_BYTES -= 1
        refused = answer()
        assert refused.ran
        assert refused.data == "null"
        refusals += [error["extensions"]["code"] for error in refused.errors]
    assert refusals == ["ANSWER_TOO_LARGE"] * 2


def test_the_refusal_says_how_to_ask_for_less(told, settings):
    settings.LINLI_ANSWER_BYTES = 500
    body = send(told.administrator, FACTS)
    assert refusal(body) == (
        "ANSWER_TOO_LARGE",
        "The answer would hold more than 500 bytes. Ask for shorter lists, for fewer fields, or in"
        " several requests.",
    )
    assert body["errors"][0]["extensions"]["limit"] == 500
    assert "data" in send(told.administrator, "{ facts(first: 1) { nodes { key } } }")


def test_several_root_fields_count_together(told, settings):
    one = "facts { nodes { key value } }"
    settings.LINLI_ANSWER_BYTES = 4_000
    assert "errors" not in send(told.administrator, f"{{ a: {one} }}")
    code, _message = refusal(send(told.administrator, f"{{ a: {one} b: {one} c: {one} }}"))
    assert code == "ANSWER_TOO_LARGE"


def test_postgresql_measures_it_once_and_sends_nothing(told, settings):
    """One statement, whose answer is a mark: the executor does not run it again."""
    settings.LINLI_ANSWER_BYTES = 500
    document = read(tenant_schema.graphql_schema, FACTS)
    statements = []
    fetch = connection.fetch_prepared

    def noted(*arguments, **options):
        row = fetch(*arguments, **options)
        statements.append(row)
        return row

    connection.fetch_prepared = noted
    try:
        with pytest.raises(AnswerTooLarge):
            planned_answer(document, None, told.administrator, {})
        answer = run(tenant_schema, Request(FACTS), told.administrator)
    finally:
        del connection.fetch_prepared
    assert answer.errors[0]["extensions"]["code"] == "ANSWER_TOO_LARGE"
    assert [tuple(row) for row in statements] == [("",), ("",)]


def test_a_mutation_whose_answer_is_too_large_has_run(told, settings):
    settings.LINLI_ANSWER_BYTES = 100
    document = """mutation($i: UpdateCommunityInput!) { updateCommunity(input: $i) {
        errors { code } community { name id residents facts { nodes { key } } openedOn buildings }
    } }"""
    body = send(told.administrator, document, i={"communityId": told.chengnan, "residents": 4711})
    code, message = refusal(body)
    assert code == "ANSWER_TOO_LARGE"
    assert message.startswith("The request has run, but its answer would hold more than 100 bytes.")
    settings.LINLI_ANSWER_BYTES = 10_000
    shown = send(
        told.administrator,
        "query($id: ID!) { community(id: $id) { residents } }",
        id=told.chengnan,
    )
    assert shown["data"]["community"]["residents"] == 4711


def test_a_worker_does_not_grow_by_what_it_does_not_send(scratch_database, actor_as):
    """The most that facts may hold, as often as a request may ask for it."""
    street = Tenant.objects.get(slug="chezhan")
    person = actor_as(street, Role.STREET_ADMINISTRATOR).person
    with tenant_context(street):
        Fact.objects.bulk_create(
            Fact(key=f"k{n}", value="x" * (sizes.VALUE - 2), source="a") for n in range(100)
        )
    ten = "{" + " ".join(f"a{n}: {FACTS[1:-1]}" for n in range(10)) + "}"
    with gunicorn(scratch_database) as served, served.browser(person, STREET) as browser:
        for _ in range(3):
            whole = post(browser, {"query": FACTS})
            assert "errors" not in whole.json()
        before = served.memory()
        for _ in range(10):
            response = post(browser, {"query": ten})
            assert response.json()["errors"][0]["extensions"]["code"] == "ANSWER_TOO_LARGE"
            assert len(response.content) < 2_000
        assert served.memory() - before < 16 * MEGABYTE
        assert len(post(browser, {"query": FACTS}).content) > MEGABYTE


# A partner's agreements, told once more for each of them: 45 times 100, of which all texts are free.
SAME = """a%d: agreements(first: 45) { nodes { partner {
    agreements(first: 100) { nodes { services spaces } } } } }"""
ONCE, MANY = ("{" + " ".join(SAME % n for n in range(many)) + "}" for many in (1, 8))
# A field that no plan makes.
BY_EXECUTOR = "{ events(first: 1) { nodes { body } } " + MANY[1:]


@pytest.fixture
def agreed(scratch_database, actor_as):
    """The longest texts that a hundred agreements may have."""
    street = Tenant.objects.get(slug="chezhan")
    with tenant_context(street):
        community = Community.objects.create(name="社区", opened_on=date(2020, 1, 1))
        partner = Partner.objects.create(
            community=community, name="合伙人", kind="enterprise", joined_on=date(2024, 1, 1),
            is_individual=False,
        )  # fmt: skip
        days = [date(2024, 1, 1) + timedelta(days=n) for n in range(101)]
        Agreement.objects.bulk_create(
            Agreement(
                partner=partner, mode="stationed", rule_key="stationed", starts_on=day,
                ends_on=next_day, services="文" * sizes.TEXT, spaces="字" * sizes.TEXT,
            )
            for day, next_day in pairwise(days)
        )  # fmt: skip
    return actor_as(street, Role.STREET_ADMINISTRATOR).person


@contextmanager
def most_memory(pids: list[int]) -> Iterator[list[int]]:
    """The most bytes of its own that any of the processes came to hold meanwhile."""
    done, found = threading.Event(), [0]

    def look() -> None:
        while not done.wait(0.01):
            found[0] = max([found[0], *(own_memory(pid) for pid in pids)])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def own_memory(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended
        return 0
    [line] = [line for line in status.splitlines() if line.startswith("RssAnon")] or ["RssAnon: 0"]
    return int(line.split()[1]) * 1024


def backends() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return [pid for (pid,) in cursor.fetchall()]


@pytest.mark.parametrize("document", [ONCE, MANY, BY_EXECUTOR], ids=["once", "many", "executor"])
def test_what_would_be_gigabytes_is_never_put_together(scratch_database, agreed, document):
    """Cheap in points, for a row's columns are free: neither PostgreSQL nor a worker makes it."""
    with gunicorn(scratch_database) as served, served.browser(agreed, STREET) as browser:
        post(browser, {"query": "{ viewer { name } }"})
        for pids in (backends(), served.workers()):
            before = max(own_memory(pid) for pid in pids)
            with most_memory(pids) as most:
                body = post(browser, {"query": document}).json()
            assert refusal(body)[0] == "ANSWER_TOO_LARGE"
            assert most[0] - before < 64 * MEGABYTE
        page = "{ agreements(first: 100) { nodes { services spaces } } }"
        assert len(post(browser, {"query": page}).content) > 100 * 60_000


def test_what_may_be_long_and_is_not_is_answered(told, settings):
    """The columns might hold more than is allowed; they do not."""
    settings.LINLI_ANSWER_BYTES = 10_000
    whole = run(tenant_schema, Request(FACTS), told.administrator)
    assert size_of_data(whole) < 10_000
    assert not whole.errors


def test_mutations_after_what_is_given_up_are_done_too(told, settings):
    settings.LINLI_ANSWER_BYTES = 20
    document = """mutation($a: UpdateCommunityInput!, $b: UpdateCommunityInput!) {
        a: updateCommunity(input: $a) { community { id name } }
        b: updateCommunity(input: $b) { community { id name } }
    }"""
    given = {
        name: {"communityId": community, "residents": 4711}
        for name, community in (("a", told.chengnan), ("b", told.gongsheng))
    }
    _code, message = refusal(send(told.administrator, document, **given))
    assert message.startswith("The request has run,")
    assert Community.objects.filter(residents=4711).count() == 2
