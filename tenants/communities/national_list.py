"""The communities and villages of the national list, under the names people use."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from linli.registry.divisions import communities_of

_COMMITTEE = "(?:居民委员会|居委会|委员会|村民委员会|村委会)"
_COMMUNITY = re.compile(f"(.+(?:社区|嘎查)){_COMMITTEE}")
_VILLAGE = re.compile("(.+?)村?(?:村民委员会|村委会)")


def display_name(listed: str) -> str:
    """The place's name without that of its committee, which the list has appended.

    城南社区居委会 → 城南社区, 河南村委会 → 河南村, 肖村村民委员会 → 肖村. Where what is left would
    still name a committee, or where no place is named (第一居委会), the listed name stands.
    """
    if match := _COMMUNITY.fullmatch(listed):
        name = match[1]
    elif match := _VILLAGE.fullmatch(listed):
        name = f"{match[1]}村"
    else:
        return listed
    return listed if "委会" in name or "委员会" in name else name


@lru_cache(maxsize=256)
def names_in_street(street_code: str) -> Mapping[str, str]:
    """Code → display name of one street's communities, in the order of their codes.

    Where two of a street would come out the same (a community and a village of one name do exist),
    both keep the listed name. Empty for a street the list does not have.
    """
    listed = communities_of(street_code)
    shown = [display_name(one.name) for one in listed]
    times = Counter(shown)
    return MappingProxyType(
        {
            one.code: name if times[name] == 1 else one.name
            for one, name in zip(listed, shown, strict=True)
        }
    )
