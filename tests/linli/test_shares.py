"""Whose turn it is."""

import pytest

from linli.shares import Shares, TooManyAtOnce


def begun(shares: Shares) -> list:
    return list(iter(shares.begin, []))


def test_nobody_has_more_than_a_share_under_way():
    shares = Shares(2, 10)
    for number in range(5):
        shares.wait("a", ("a", number))
    shares.wait(None, (None, 0))
    assert begun(shares) == [[("a", 0)], [(None, 0)], [("a", 1)]]
    assert shares.is_taken("a")
    shares.end("a")
    assert begun(shares) == [[("a", 2)]]


def test_who_has_least_under_way_is_next_and_of_these_who_waits_longest():
    shares = Shares(9, 9)
    for caller in "abc":
        for number in range(2):
            shares.wait(caller, f"{caller}{number}")
    assert [shares.begin() for _ in range(2)] == [["a0"], ["b0"]]
    shares.end("a")  # who has nothing under way again is behind who had nothing yet
    assert begun(shares) == [["c0"], ["a1"], ["b1"], ["c1"]]


def test_more_than_may_wait_is_refused_to_who_asks_for_it_alone():
    shares = Shares(1, 2)
    for _ in range(2):
        shares.wait("a", 1)
    with pytest.raises(TooManyAtOnce):
        shares.wait("a", 1)
    shares.wait("b", 1)
    assert len(begun(shares)) == 2
    shares.wait("a", 1)


def test_who_gives_up_makes_room():
    shares = Shares(1, 2)
    for one in (1, 2):
        shares.wait("a", one)
    assert shares.give_up(lambda one: one == 1) == [1]
    assert shares.waiting() == [2]
    shares.wait("a", 3)
    assert shares.give_up(lambda _one: True) == [2, 3]
    assert begun(shares) == []
