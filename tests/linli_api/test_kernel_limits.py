"""Documents that are too much, or wrong, are refused before anything runs."""

import inspect
import sys
import time

import pytest
from django.utils.translation import override
from graphql import get_introspection_query

from linli.accounts.policy import system_actor
from linli_api import limits
from linli_api.errors import InvalidRequest
from linli_api.execution import Request, run
from linli_api.limits.size import NESTING
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
        ("fragment f on Query " + "@d " * 101 + "{ viewer { name } }", "DOCUMENT_TOO_LARGE"),
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


@pytest.mark.parametrize("place", range(6))
def test_directives_count_wherever_they_stand(place):
    def document(count):
        given = ["@d " * (count if at == place else 16) for at in range(6)]
        return """query($a: Int {}) {} {{ ...f {} ... {} {{ viewer {{ name {} }} }} }}
            fragment f on Query {} {{ viewer {{ name }} }}""".format(*given)

    assert set(codes(document(20))) == {"REQUEST_INVALID"}  # there is no such directive
    assert codes(document(21)) == ["DOCUMENT_TOO_LARGE"]


def nested(levels):
    """Whatever nests in a document, that many brackets deep."""
    yield "{" + "viewer {" * (levels - 1) + "name" + "}" * levels
    yield "{" + "... on Query {" * (levels - 1) + "viewer" + "}" * levels
    yield "fragment f on Viewer {" + "...{" * (levels - 1) + "name" + "}" * levels
    yield "{ node(id: " + "[" * (levels - 2) + "]" * (levels - 2) + ") { id } }"
    yield "{ node(id: " + "{a: " * (levels - 2) + "1" + "}" * (levels - 2) + ") { id } }"
    yield (
        "{ node(id: " + "[{a: " * (levels // 2 - 1) + "1" + "}]" * (levels // 2 - 1) + ") { id } }"
    )
    types = "[" * (levels - 1) + "Int" + "]" * (levels - 1)
    yield f"query($a: {types}) {{ viewer {{ name }} }}"
    yield "query($a: Int = " + "[" * (levels - 1) + "]" * (levels - 1) + ") { viewer { name } }"
    yield "query @d(a: " + "[" * (levels - 1) + "]" * (levels - 1) + ") { viewer { name } }"


@pytest.mark.parametrize("levels", [NESTING + 2, 200, 250, 1_000, 2_400])
def test_a_document_that_nests_too_deep_is_told_so_whatever_nests(levels):
    for query in nested(levels):
        assert codes(query) == ["DOCUMENT_TOO_DEEP"], query[:40]


@pytest.mark.parametrize(
    ("before", "place"),
    [
        ("mutation { f(input: {a: [{b: ", "a"),
        ('mutation { f(input: {x: "(", y: [1, 2], z: {}, a: {b: ', "a.b"),
        ("{ f(first: 5) { g(a: {b: ", "a.b"),
        ("{ f(ids: ", "ids"),
        ("{ f(first: 5) { g ", None),
    ],
)
def test_where_it_nests_too_deep_is_told(before, place):
    opening = "{ a " if place is None else "["
    with pytest.raises(InvalidRequest) as refused:
        limits.check_text(before + opening * 120)
    assert (refused.value.code, refused.value.field) == ("DOCUMENT_TOO_DEEP", place)


def test_what_may_nest_is_read_with_much_of_the_recursion_left():
    was = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 600)
    try:
        for query in nested(NESTING):
            assert set(codes(query)) <= {"DOCUMENT_TOO_DEEP", "REQUEST_INVALID"}, query[:40]
    finally:
        sys.setrecursionlimit(was)


@pytest.mark.parametrize(
    "text",
    [
        '"' + "{" * 300 + '"',
        r'"\"' + "{" * 300 + r'\\"',
        '"""' + "{" * 300 + r'" "" \""" \\' + "[" * 300 + '"""',
        '"" # ' + "(" * 300 + "\n",
    ],
)
def test_brackets_in_texts_and_comments_nest_nothing(text):
    assert codes(f"{{ node(id: {text}) {{ id nothing }} }}") == ["REQUEST_INVALID"]


@pytest.mark.parametrize("text", ['"""', r'\"""', '"', '" ', '"\\', '"\n', '""" ""', "{}"])
def test_a_text_without_its_end_is_looked_through_once(text):
    began = time.perf_counter()
    limits.check_text(text * (1_000_000 // len(text)))
    limits.check_text('"""' + text * (1_000_000 // len(text)))
    assert time.perf_counter() - began < 2


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
    assert codes(query, actor=None) == ["UNAUTHENTICATED"]
