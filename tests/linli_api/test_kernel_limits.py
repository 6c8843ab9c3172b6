"""Documents that are too much, or wrong, are refused before anything runs."""

import pytest
from django.utils.translation import override
from graphql import get_introspection_query

from linli.accounts.policy import system_actor
from linli_api.execution import Request, run
from linli_api.schema import platform_schema

SOMEBODY = system_actor(None)


def codes(query, variables=None, operation_name=None, actor=SOMEBODY):
    answer = run(platform_schema, Request(query, variables or {}, operation_name), actor)
    assert not answer.ran
    assert "data" not in answer.body
    return [error["extensions"]["code"] for error in answer.body["errors"]]


def bomb(levels):
    """Fragments that double at each level: 2^levels fields when they are run."""
    fragments = "".join(
        f"fragment f{i} on Viewer {{ ...f{i + 1} ...f{i + 1} }}" for i in range(levels)
    )
    return f"{{ viewer {{ ...f0 }} }} {fragments} fragment f{levels} on Viewer {{ name }}"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ viewer { name }", "SYNTAX_ERROR"),
        ("", "SYNTAX_ERROR"),
        ("{ nobody }", "REQUEST_INVALID"),
        ("query($id: ID!) { node(id: $id) { id } }", "REQUEST_INVALID"),
        ("mutation { nothing }", "REQUEST_INVALID"),
        ("subscription { nothing }", "REQUEST_INVALID"),
        ("{ viewer { ...f } } fragment f on Viewer { ...f }", "REQUEST_INVALID"),
        ("{" + "a{" * 15 + "a" + "}" * 16, "DOCUMENT_TOO_DEEP"),
        ("{ viewer {" + " ".join(f"a{i}: name" for i in range(51)) + "} }", "DOCUMENT_TOO_LARGE"),
        ("{" + "viewer { name } " * 21 + "}", "DOCUMENT_TOO_LARGE"),
        ("{ viewer {" + "name " * 1_000 + "} }", "DOCUMENT_TOO_LARGE"),
        ("{ viewer { name " + "@include(if: true) " * 101 + "} }", "DOCUMENT_TOO_LARGE"),
        (bomb(60), "DOCUMENT_TOO_LARGE"),
    ],
)
def test_what_is_wrong_or_too_much_has_a_code(query, code):
    assert set(codes(query)) == {code}


@pytest.mark.parametrize(
    "query",
    [
        "{" + " ".join(f"a{i}: viewer {{ name }}" for i in range(10_000)) + "}",
        "{ viewer " * 1_000 + "}" * 1_000,
        "{ " + "{" * 100_000,
        "{ node(id: " + "[" * 1_000 + "]" * 1_000 + ") { id } }",
        "# " + "\n#" * 100_000 + "\n{ viewer { name } }",
        '{ viewer(x: "' + "x" * 900_000 + '") { name } }',
    ],
)
def test_hostile_documents_are_refused(query):
    assert set(codes(query)) <= {
        "SYNTAX_ERROR",
        "REQUEST_INVALID",
        "DOCUMENT_TOO_DEEP",
        "DOCUMENT_TOO_LARGE",
    }


def test_an_operation_that_is_not_there_is_refused():
    assert codes("query a { viewer { name } } query b { viewer { name } }") == ["REQUEST_INVALID"]
    assert codes("query a { viewer { name } }", operation_name="b") == ["REQUEST_INVALID"]


def test_a_message_does_not_echo_without_end():
    with override("en"):
        answer = run(platform_schema, Request("{ " + "x" * 100_000 + " }"), SOMEBODY)
    [error] = answer.body["errors"]
    assert error["message"] == f"Query has no field {'x' * 80}."


def test_introspection_is_for_those_who_are_logged_in():
    query = get_introspection_query()
    answer = run(platform_schema, Request(query), SOMEBODY)
    assert answer.ran
    assert answer.body["data"]["__schema"]["queryType"]["name"] == "Query"
    assert set(codes(query, actor=None)) == {"REQUEST_INVALID"}
