"""Three documents into one: what meets, and in which order items stand (M6)."""

import pytest

from linli.library import paths
from linli.library.merging import Merge


def merged(old, new, own, *set_here):
    """The merged value of the member ``x`` of three documents, and the places that met."""
    merge = Merge(set_here={paths.steps(path) for path in set_here})
    found = merge.merged({"x": old}, {"x": new}, {"x": own})
    return found["x"], [meeting.path for meeting in merge.met]


def items(order, **more):
    return [{"key": key, "size": more.get(key, 0)} for key in order]


def order(value):
    return "".join(item["key"] for item in value)


@pytest.mark.parametrize(
    ("old", "new", "own", "then"),
    [
        (
            "ab",
            "abc",
            "ba",
            "bca",
        ),  # put in another order here; what is new follows whom it follows
        ("ab", "ba", "abc", "bca"),  # put in another order above
        ("ab", "cab", "ba", "cba"),
        ("abc", "bac", "abc", "bac"),
    ],
)
def test_the_order_of_the_one_side_that_changed_it_stays(old, new, own, then):
    found, met = merged(items(old), items(new), items(own))
    assert (order(found), met) == (then, [])


def test_two_new_orders_are_one_question():
    found, met = merged(items("abc"), items("bac"), items("acb"), "x")
    assert (order(found), met) == ("acb", ["x"])
    # Both have chosen the same one: then each item is looked into.
    found, met = merged(items("abc"), items("bac", a=1), items("bac", b=2), "x[b].size")
    assert (found, met) == (items("bac", a=1, b=2), [])


def test_a_form_of_another_type_is_not_looked_into():
    one = {"key": "fee", "type": "share", "size": 1}
    found, met = merged(one, one | {"type": "fixed"}, one | {"size": 2}, "x.size")
    assert (found, met) == (one | {"size": 2}, ["x"])


def test_what_was_set_as_it_stood_is_asked_about_as_a_whole():
    one = {"size": 1, "more": 1}
    assert merged(one, one | {"more": 2}, one, "x") == (one, ["x"])
    assert merged(one, one | {"more": 2}, one, "x.size") == (one | {"more": 2}, [])
