"""Points a minute over HTTP: header fields, 429, and what refused requests cost."""

import re

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from linli.accounts.policy import Role
from linli.budget.actions import agree_points
from linli.budget.lease import forget
from linli.budget.models import Account
from linli_api.evolution.http import ANSWER
from linli_api.limits.cost import REFUSED
from tests.support.minutes import wait_for_seconds

STREET = "chezhan.linli.localhost"
VIEWER = "{ viewer { name } }"
ADD = """mutation { addCommunity(input: {name: "新社区", openedOn: "2024-05-01"}) { errors { code } } }"""
PARTNERS = "{ partners(first: 45) { nodes { community { name } } } }"  # 1 + 5 + 45 points

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_leased(settings):
    settings.LINLI_POINTS_A_MINUTE, settings.LINLI_POINTS_A_MINUTE_ANONYMOUS = 1_000, 100
    forget()
    yield
    forget()


@pytest.fixture
def person(street, actor_as):
    return actor_as(street, Role.AUDITOR).person


def browser(person=None, host=STREET):
    client = Client(headers={"host": host, "accept-language": "en"})
    if person:
        client.force_login(person)
    return client


def post(client, query, **options):
    body = {"query": query} if isinstance(query, str) else query
    return client.post("/graphql", body, content_type="application/json", **options)


def numbers(response):
    """quota, remaining, seconds: of the two header fields."""
    policy = re.fullmatch(r'"points";q=(\d+);w=60', response["RateLimit-Policy"])
    state = re.fullmatch(r'"points";r=(\d+);t=(\d+)', response["RateLimit"])
    return int(policy[1]), *map(int, state.groups())


def code(response):
    return response.json()["errors"][0]["extensions"]["code"]


def test_every_answer_says_what_is_left(person):
    client = browser(person)
    response = post(client, PARTNERS)
    quota, remaining, seconds = numbers(response)
    assert (quota, remaining) == (1_000, 949)
    assert 1 <= seconds <= 60
    assert response.json()["extensions"]["cost"] == {
        "requested": 51,
        "limit": 5000,
        "limitPerMinute": 1_000,
        "remaining": 949,
        "resetsInSeconds": seconds,
    }
    assert numbers(post(client, VIEWER))[1] == 948
    # What is refused costs what reading it did, and says so too.
    for number, refused in enumerate(("{", "{ nobody }", [], {"query": 5}), 1):
        response = post(client, refused)
        assert response.status_code == 400
        assert numbers(response)[1] == 948 - number * REFUSED


def test_who_has_used_it_up_waits(person):
    client = browser(person)
    for _ in range(19):
        assert post(client, PARTNERS).status_code == 200
    response = post(client, PARTNERS)  # 31 are left
    assert (response.status_code, code(response)) == (429, "RATE_LIMITED")
    assert "data" not in response.json()
    _quota, remaining, seconds = numbers(response)
    assert remaining == 31
    assert response["Retry-After"] == str(seconds)
    for _ in range(31):
        assert post(client, VIEWER).status_code == 200
    with CaptureQueriesContext(connection) as captured:
        assert post(client, "{").status_code == 429  # not even read
    assert not [one for one in captured if "budget_account" in one["sql"]]


@pytest.mark.parametrize("points", [100, 105])
def test_a_flood_of_refusals_writes_nothing(settings, points):
    """Not even where some points are left, too few for what is refused."""
    settings.LINLI_POINTS_A_MINUTE_ANONYMOUS = points
    wait_for_seconds(15)
    unknown, browsers = Client(headers={"authorization": "Bearer none", "host": STREET}), browser()
    for _ in range(points // REFUSED):
        assert post(unknown, VIEWER).status_code == 401
    assert post(unknown, VIEWER).status_code == 429
    before = _accounts()
    for _ in range(5):
        for client, body in ((unknown, VIEWER), (browsers, []), (browsers, "{ nobody }")):
            response = post(client, body)
            assert (response.status_code, code(response)) == (429, "RATE_LIMITED")
            assert response["Retry-After"]
        asked = browsers.post("/oauth/token", {"grant_type": "client_credentials"})
        assert asked.status_code == 429
    assert _accounts() == before


def _accounts():
    """Every row of them with its place and the transactions that wrote and locked it: of a row that
    is written within one transaction only the place differs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid, xmin, xmax FROM public.budget_account ORDER BY id")
        return cursor.fetchall()


# HTTP's own, and browsers'.
GIVEN = {"Content-Type", "Content-Length", "Content-Language", "Cache-Control", "Vary"}
GIVEN |= {"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy"}
GIVEN |= {"Cross-Origin-Opener-Policy"}


def test_the_headers_of_answers_are_those_that_are_promised(street, actor_as):
    person = actor_as(street, Role.STREET_ADMINISTRATOR).person
    client = browser(person)
    answers = [post(client, ADD, headers={"idempotency-key": "k"}) for _ in range(2)]
    answers.append(post(client, PARTNERS, headers={"authorization": "Bearer none"}))
    agree_points(person.pk, 1)
    forget()
    answers.append(post(client, VIEWER))
    assert [one.status_code for one in answers] == [200, 200, 401, 429]
    found = {name for one in answers for name in one.headers}
    assert found - GIVEN == {one.name for one in ANSWER}


def test_bad_documents_alone_use_it_up():
    client = browser(host="linli.localhost")
    statuses = [post(client, "{ nobody }").status_code for _ in range(11)]
    assert statuses == [400] * 10 + [429]
    assert post(client, []).status_code == 429


def test_everyone_has_their_own(person, street, actor_as):
    other = actor_as(street, Role.AUDITOR).person
    agree_points(other.pk, 51)
    assert post(browser(other), PARTNERS).status_code == 200
    assert post(browser(other), VIEWER).status_code == 429
    assert post(browser(person), VIEWER).status_code == 200
    # One person is one caller at every host.
    assert post(browser(other, "linli.localhost"), VIEWER).status_code == 429
    assert not Account.objects.filter(agreed_points=None, pk=other.pk).exists()


def test_a_read_within_a_lease_takes_no_statement_more(person):
    client = browser(person)
    post(client, VIEWER)
    with CaptureQueriesContext(connection) as captured:
        post(client, VIEWER)
    assert not [one for one in captured if "budget_account" in one["sql"]]


def test_a_lease_that_fails_is_no_leave_to_run(person, caplog):
    with connection.execute_wrapper(_broken):
        response = post(browser(person), "{ partners { nodes { name } } }")
    assert (response.status_code, code(response)) == (500, "INTERNAL")
    assert "data" not in response.json()
    assert "budget" not in response.content.decode()
    assert "budget_gone" in caplog.text


def _broken(execute, sql, params, many, context):
    if "budget_account" not in sql:
        return execute(sql, params, many, context)
    with transaction.atomic():  # the test's own transaction lives on
        return execute(sql.replace("budget_account", "budget_gone"), params, many, context)
