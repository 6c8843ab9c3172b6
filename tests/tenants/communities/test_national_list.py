"""What a place of the national list is called, over all 620,573 of them."""

import re
from collections import Counter, defaultdict

import pytest

from linli.registry.divisions import communities_of
from tenants.communities.national_list import display_name, names_in_street


@pytest.mark.parametrize(
    ("listed", "shown"),
    [
        ("城南社区居委会", "城南社区"),
        ("立家社区居民委员会", "立家社区"),
        ("东沟社区村民委员会", "东沟社区"),
        ("河南村委会", "河南村"),
        ("季庄村民委员会", "季庄村"),
        ("肖村村民委员会", "肖村"),
        ("新村村委会", "新村"),
        ("茂力格尔嘎查委员会", "茂力格尔嘎查"),
        # What it is called without its committee, nobody can tell from the list.
        ("第一居委会", "第一居委会"),
        ("四道口居民委员会", "四道口居民委员会"),
        ("社区居委会", "社区居委会"),
        ("西张口村委会村民委员会", "西张口村委会村民委员会"),
        ("乌龙巷居委会（社区）", "乌龙巷居委会（社区）"),
        ("机场工作区社区", "机场工作区社区"),
    ],
)
def test_the_committee_is_left_off(listed: str, shown: str) -> None:
    assert display_name(listed) == shown


def test_two_that_would_read_the_same_keep_what_is_listed() -> None:
    names = names_in_street("510411105")

    assert [n for n in names.values() if "金江" in n] == [
        "金江社区居民委员会",
        "金江社区村民委员会",
    ]
    assert names_in_street("999999999") == {}


def test_every_listed_name_is_shown_well() -> None:
    """544,008 names lose their committee; none gets empty, and each stays its own in its street."""
    streets, changed = defaultdict(list), 0
    for one in communities_of(""):
        shown = display_name(one.name)
        changed += shown != one.name
        assert shown
        if shown != one.name:
            assert re.search("(社区|嘎查|村)$", shown), one
            assert "委会" not in shown, one
        streets[one.code[:9]].append((one.name, shown))
    assert sum(map(len, streets.values())) == 620_573
    assert changed == 544_008
    told_apart = 0
    for places in streets.values():
        times = Counter(shown for _listed, shown in places)
        final = [listed if times[shown] > 1 else shown for listed, shown in places]
        assert len(set(final)) == len(final)
        told_apart += sum(listed != shown for listed, shown in places if times[shown] > 1)
    assert told_apart == 26
