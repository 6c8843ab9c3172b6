"""The soak, shorter than it is run by hand, and that the benchmarks measure the same work."""

from collections.abc import Iterator

import pytest

from benchmarks import data
from benchmarks.__main__ import Arena
from benchmarks.queries import QUERIES
from benchmarks.soak import soak

pytestmark = pytest.mark.prove


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    with data.scratch() as scratch, Arena(scratch, pairs=1, seconds=1) as arena:
        yield arena


@pytest.mark.parametrize("query", QUERIES)
def test_the_bare_app_answers_and_writes_what_the_api_does(arena: Arena, query: str) -> None:
    arena.compare(query, arena.contestant("linli"), arena.contestant("bare"))


def test_a_minute_at_four_fifths_of_the_limit_leaves_no_error_and_no_memory() -> None:
    done = soak(60)

    assert done.load.asked > 0
    assert done.load.errors == []
    assert done.held, done.memory
