"""The hostile corpus, over HTTP against gunicorn: refused or answered, in little time and space."""

import statistics
import time

import pytest

from linli.accounts.policy import Role
from linli.registry.models import Tenant
from tests.linli_api.hostile.corpus import CORPUS
from tests.support.gunicorn import gunicorn, post

STREET = "chezhan.linli.localhost"
PLAIN = {"query": "{ viewer { name permissions } partners { nodes { name } } }"}
# What an answer to such a request may take: bytes, and time as a multiple of a plain request's.
ANSWER_BYTES = 32 * 1024
TIMES = 150
MIB = 1024 * 1024
# The corpus over and over, first so often without looking: what the worker may have grown by then. Its
# memory is full of holes of all sizes, in each of its threads, and level after some 15 rounds.
ROUNDS = [(2, 5, 48 * MIB), pytest.param(20, 50, 16 * MIB, marks=pytest.mark.prove)]
GROWTH = 16 * MIB
NEVER = ("SELECT", "psycopg", "Traceback", "site-packages", "INTERNAL", "linli_", "t_chezhan")
# What these are told, and nothing beside it.
TOLD = {
    "a_thousand_levels": "DOCUMENT_TOO_DEEP",
    "four_thousand_braces": "DOCUMENT_TOO_DEEP",
    "inline_fragments_within_each_other": "DOCUMENT_TOO_DEEP",
    "a_deep_list": "DOCUMENT_TOO_DEEP",
    "a_deep_object": "DOCUMENT_TOO_DEEP",
    "a_deep_type": "DOCUMENT_TOO_DEEP",
    "two_hundred_and_fifty_levels": "DOCUMENT_TOO_DEEP",
    "two_hundred_and_fifty_inline_fragments": "DOCUMENT_TOO_DEEP",
    "lists_and_objects_in_turn": "DOCUMENT_TOO_DEEP",
    "a_deep_default": "DOCUMENT_TOO_DEEP",
    "a_deep_argument_of_a_directive": "DOCUMENT_TOO_DEEP",
    "brackets_without_their_end": "DOCUMENT_TOO_DEEP",
    "block_strings_without_their_end": "SYNTAX_ERROR",
    "deep_only_in_a_text": "NOT_FOUND",
    "deep_variables": "INPUT_TOO_DEEP",
    "deeper_json_than_python_recurses": "INPUT_TOO_DEEP",
    "a_flood_of_directives": "DOCUMENT_TOO_LARGE",
    "a_flood_of_unknown_directives": "DOCUMENT_TOO_LARGE",
    "directives_on_the_operation": "DOCUMENT_TOO_LARGE",
    "directives_on_variables": "DOCUMENT_TOO_LARGE",
    "directives_on_a_fragment": "DOCUMENT_TOO_LARGE",
    "directives_on_a_spread": "DOCUMENT_TOO_LARGE",
    "directives_on_an_inline_fragment": "DOCUMENT_TOO_LARGE",
    "directives_a_few_at_each_place": "DOCUMENT_TOO_LARGE",
}


@pytest.fixture
def served(scratch_database):
    # The points are another test's: here each request is to be read.
    with gunicorn(scratch_database, LINLI_POINTS_A_MINUTE=str(10**9)) as one:
        yield one


def _codes(response):
    return [error["extensions"]["code"] for error in response.json().get("errors", ())]


@pytest.fixture
def browser(served, actor_as):
    administrator = actor_as(Tenant.objects.get(slug="chezhan"), Role.STREET_ADMINISTRATOR)
    with served.browser(administrator.person, STREET) as one:
        yield one


def _timed(browser, body):
    began = time.perf_counter()
    response = post(browser, body)
    return response, time.perf_counter() - began


def test_each_is_refused_or_answered_in_bounds(browser):
    for _ in range(3):
        assert post(browser, PLAIN).status_code == 200
    plain = statistics.median(_timed(browser, PLAIN)[1] for _ in range(20))
    faults = []
    for name, made in CORPUS.items():
        body = made()
        runs = [_timed(browser, body) for _ in range(3)]
        response, took = runs[0][0], min(one[1] for one in runs)
        if response.status_code >= 500:
            faults.append((name, response.status_code))
        elif not {"data", "errors"} & response.json().keys():
            faults.append((name, "no GraphQL"))
        elif name in TOLD and set(_codes(response)) != {TOLD[name]}:
            faults.append((name, _codes(response)))
        if len(response.content) > ANSWER_BYTES:
            faults.append((name, len(response.content)))
        if took > TIMES * plain:
            faults.append((name, f"{took / plain:.0f} times a plain request"))
        faults += [(name, word) for word in NEVER if word in response.text]
    assert not faults, faults


@pytest.mark.parametrize(("before", "rounds", "growth"), ROUNDS)
def test_the_worker_does_not_grow(served, browser, before, rounds, growth):
    bodies = [made() for made in CORPUS.values()]

    def round_of_all():
        for body in bodies:
            assert post(browser, body).status_code < 500

    for _ in range(before):
        round_of_all()
    [worker] = served.workers()
    held = served.memory()
    for _ in range(rounds):
        round_of_all()
    assert served.workers() == [worker]  # it is the same one
    assert served.memory() - held < growth
    assert post(browser, PLAIN).status_code == 200


def _distinct(number: int) -> dict[str, str]:
    """A document that is taken, long and never the same."""
    fields = " name" * 10 + " permissions" * 10
    operations = [f"query Q{number}_{n} {{ viewer {{{fields} }} }}" for n in range(49)]
    return {"query": " ".join(operations), "operationName": f"Q{number}_0"}


def test_documents_that_are_never_the_same_fill_no_memory(scratch_database, actor_as):
    room = 8 * MIB
    administrator = actor_as(Tenant.objects.get(slug="chezhan"), Role.STREET_ADMINISTRATOR)
    environment = {"LINLI_POINTS_A_MINUTE": str(10**9), "LINLI_DOCUMENT_BYTES": str(room)}
    with (
        gunicorn(scratch_database, **environment) as served,
        served.browser(administrator.person, STREET) as browser,
    ):
        for number in range(20):
            assert "data" in post(browser, _distinct(number)).json()
        before = served.memory()
        for number in range(20, 120):
            assert post(browser, _distinct(number)).status_code == 200
        assert served.memory() - before < GROWTH


def test_names_and_headers_that_are_never_the_same_fill_no_memory(served, browser):
    """Neither is anything that is kept."""

    def names(numbers):
        for number in numbers:
            named = {"query": "{ viewer { name } }", "operationName": f"n{number}" + "y" * 900_000}
            assert post(browser, named).status_code == 400

    def addresses(numbers):
        with served.browser(None, STREET) as nobody:
            for number in numbers:
                nobody.headers["X-Forwarded-For"] = f"{number}" + "a" * 30_000
                assert post(nobody, PLAIN).status_code < 500

    for sending, numbers in ((names, 60), (addresses, 1_500)):
        sending(range(2 * numbers))
        held = served.memory()
        sending(range(2 * numbers, 3 * numbers))
        assert served.memory() - held < GROWTH, sending.__name__


def test_nobody_logged_in_is_refused_as_well(served):
    with served.browser(None, STREET) as nobody:
        for name, made in CORPUS.items():
            response = post(nobody, made())
            assert response.status_code < 500, name
            assert len(response.content) <= ANSWER_BYTES, name
            assert not [word for word in NEVER if word in response.text], name
