"""What is kept in memory stays within its bounds, the least used goes first."""

from linli.kept import Kept


def test_so_many_and_the_least_used_goes():
    kept: Kept[int, str] = Kept(2, 100, len)
    kept.keep(1, "a")
    kept.keep(2, "b")
    assert kept.get(1) == "a"
    kept.keep(3, "c")
    assert (kept.get(1), kept.get(2), kept.get(3)) == ("a", None, "c")
    assert (len(kept), kept.weight) == (2, 2)


def test_so_much_and_the_last_stays_whatever_it_weighs():
    kept: Kept[int, str] = Kept(100, 10, len)
    kept.keep(1, "aaaa")
    kept.keep(2, "bbbb")
    kept.keep(3, "cccc")
    assert (kept.get(1), len(kept), kept.weight) == (None, 2, 8)
    kept.keep(4, "d" * 50)
    assert (kept.get(4), len(kept), kept.weight) == ("d" * 50, 1, 50)


def test_of_two_that_worked_it_out_at_once_the_first_is_everybodys():
    kept: Kept[int, str] = Kept(2, 10, len)
    assert kept.keep(1, "a") == "a"
    assert kept.keep(1, "zz") == "a"
    assert kept.weight == 1
