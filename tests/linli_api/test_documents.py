"""Documents that were read are kept by use, in as much memory as they may take (docs/limits.md)."""

import gc
import weakref

import pytest
from graphql import GraphQLError, located_error

from linli.accounts.policy import Role
from linli.tenancy.context import tenant_context
from linli_api import documents
from linli_api.planner import planned_answer
from linli_api.schema import tenant_schema

SCHEMA = tenant_schema.graphql_schema
ROOM = documents.LEAST_BYTES + 400 * documents.BYTES_A_CHARACTER


def text(number: int, characters: int = 400) -> str:
    opened = f"query Q{number} {{ partners(first: 5) {{ nodes {{ id name }} }} }}"
    return opened + " " * (characters - len(opened))


@pytest.fixture
def kept(monkeypatch, settings):
    settings.LINLI_DOCUMENT_BYTES = 20 * ROOM
    made = documents._Kept()
    monkeypatch.setattr(documents, "_kept", made)
    return made


@pytest.fixture
def actor(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


def _size(characters: int) -> int:
    return documents.LEAST_BYTES + characters * documents.BYTES_A_CHARACTER


def is_kept(number: int, characters: int = 400) -> bool:
    return documents.known(SCHEMA, text(number, characters)) is not None


def test_as_many_as_fit_stay(kept):
    for number in range(50):
        documents.read(SCHEMA, text(number))
        assert is_kept(0)  # it is in use
    assert [number for number in range(50) if is_kept(number)] == [0, *range(31, 50)]


def test_one_that_is_long_takes_the_room_of_many(kept):
    for number in range(20):
        documents.read(SCHEMA, text(number))
    documents.read(SCHEMA, text(99, 4_000))
    assert sum(is_kept(number) for number in range(20)) == 20 - -(-_size(4_000) // ROOM)
    assert is_kept(99, 4_000)


def test_a_name_that_it_has_not_is_not_kept(kept):
    document = documents.read(SCHEMA, text(0))
    assert document.cost("Q0") is not None
    for number in range(10):
        assert document.cost("other" * number) is None
    assert [*document._costs] == ["Q0"]


def test_what_is_planned_of_it_counts(kept, actor):
    for number in range(20):
        documents.read(SCHEMA, text(number))
    before = documents.known(SCHEMA, text(0)).size
    with tenant_context(actor.tenant):
        assert planned_answer(documents.known(SCHEMA, text(0)), None, actor, {}) is not None
    assert documents.known(SCHEMA, text(0)).size > before
    assert sum(is_kept(number) for number in range(20)) < 20
    assert is_kept(0)


def test_what_makes_room_goes_at_once(kept, actor):
    """Without the collector, which comes seldom (gunicorn.conf.py)."""
    with tenant_context(actor.tenant):
        document = documents.read(SCHEMA, text(0))
        assert planned_answer(document, None, actor, {}) is not None
    gone = weakref.ref(document.node)
    gc.collect()
    gc.disable()
    try:
        del document
        for number in range(1, 22):
            documents.read(SCHEMA, text(number))
        assert gone() is None
    finally:
        gc.enable()


def test_places_are_told_without_tokens():
    document = documents.read(SCHEMA, "{\n  viewer {\n    name\n  }\n}")
    [operation] = document.operations.values()
    [viewer] = operation.selection_set.selections
    [name] = viewer.selection_set.selections
    assert isinstance(located_error(GraphQLError("."), [name]), GraphQLError)
    [place] = located_error(GraphQLError("."), [name]).locations
    assert (place.line, place.column) == (3, 5)
    assert name.loc.start_token.next is None
