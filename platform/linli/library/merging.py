"""Three documents into one (M6): what it was, what it is above now, and what was set here.

Place by place, items of lists by their keys. Where only one side differs from the old value, that
side is taken; where both do and not alike, a person decides. Nothing that was set here on purpose
gives way by itself, be it that it happens to say what the old value said. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from linli.library import paths
from linli.library.document import canonical


class _Absent:
    """Nothing stands there: not the same as null, which is a value."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


class Choice(StrEnum):
    """What a person may say where two sides differ."""

    KEEP = "keep"  # what was set here
    TAKE = "take"  # what stands above now
    SET = "set"  # something else


@dataclass(frozen=True)
class Decision:
    """What a person said of one place; ``value`` is for SET, None takes an item of a list away."""

    choice: Choice
    value: Any = None


@dataclass(frozen=True)
class Meeting:
    """A place at which both sides say something, or a person has spoken; ABSENT where nothing is."""

    path: str
    old: Any
    new: Any
    own: Any


@dataclass
class Merge:
    """One pass over three documents.

    set_here: the places set on purpose, with all that lies in them. whole: places that are not looked
    into, but decided as one. gone: items taken away here that are not above any more either, so that
    nothing is left to hold to that. decided: what people said, by place. `met` fills with the places
    that met, decided or not.
    """

    set_here: Collection[paths.Steps]
    whole: Collection[paths.Steps] = ()
    gone: Collection[paths.Steps] = ()
    decided: Mapping[paths.Steps, Decision] = field(default_factory=dict)
    met: list[Meeting] = field(default_factory=list)

    def merged(self, old: Any, new: Any, own: Any, at: paths.Steps = ()) -> Any:
        """The value of a place; what was set here where a person has yet to decide."""
        if at in self.decided or at in self.gone:
            return self._meet(at, old, new, own)
        if not any(_within(place, at) for place in (*self.decided, *self.gone)):
            if same(own, new) or same(old, new):
                return own
            if same(old, own) and not self._on_purpose(at):
                return new
        looked_into = at not in self.whole and not (same(old, own) and at in self.set_here)
        if looked_into and all(isinstance(side, Mapping) for side in (old, new, own)):
            if _names(old) == _names(new) == _names(own):
                return {
                    name: self.merged(old[name], new[name], own[name], (*at, name)) for name in new
                }
        elif looked_into and (sides := _items(old, new, own)):
            return self._list(at, *sides)
        return self._meet(at, old, new, own)

    def _list(
        self, at: paths.Steps, old: dict[str, Any], new: dict[str, Any], own: dict[str, Any]
    ) -> list[Any]:
        first, then = (own, new) if _reordered(old, own) else (new, own)
        merged = {
            key: self.merged(
                old.get(key, ABSENT), new.get(key, ABSENT), own.get(key, ABSENT), (*at, f"[{key}]")
            )
            for key in (
                *_in_order(first, then),
                *(key for key in old if (*at, f"[{key}]") in self.gone),
            )
        }
        return [item for item in merged.values() if item is not ABSENT]

    def _on_purpose(self, at: paths.Steps) -> bool:
        return any(_within(place, at) or _within(at, place) for place in self.set_here)

    def _meet(self, at: paths.Steps, old: Any, new: Any, own: Any) -> Any:
        self.met.append(Meeting(paths.join(at), old, new, own))
        decision = self.decided.get(at)
        if decision is None or decision.choice == Choice.KEEP:
            return own
        if decision.choice == Choice.TAKE:
            return new
        taken_away = decision.value is None and at[-1].startswith("[")
        return ABSENT if taken_away else decision.value


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are one: true is not 1 here."""
    if one is ABSENT or other is ABSENT:
        return one is other
    return one is other or (one == other and canonical(one) == canonical(other))


def at(document: Mapping[str, Any], place: paths.Steps) -> Any:
    """What stands at a place, or ABSENT."""
    path = paths.join(place)
    return paths.get(document, path) if paths.exists(document, path) else ABSENT


def _within(place: paths.Steps, holder: paths.Steps) -> bool:
    return place[: len(holder)] == holder


def _names(value: Mapping[str, Any]) -> tuple[frozenset[str], Any, Any]:
    """What has to agree for two objects to be forms of one: members, key and type."""
    return frozenset(value), value.get("key"), value.get("type")


def _items(*lists: Any) -> list[dict[str, Any]] | None:
    """Lists as items by key; None where one is no such list, or both sides put it in a new order."""
    found = []
    for one in lists:
        keys = paths.keys(one) if isinstance(one, Sequence) else None
        if keys is None or len(set(keys)) < len(keys):
            return None
        found.append(dict(zip(keys, one, strict=True)))
    old, new, own = found
    both = _reordered(old, new) and _reordered(old, own) and _reordered(new, own)
    return None if both else found


def _in_order(first: Mapping[str, Any], then: Mapping[str, Any]) -> list[str]:
    """The keys of the first in their order, and each of the others after whom it follows there."""
    keys, before = list(first), None
    for key in then:
        if key not in first:
            keys.insert(keys.index(before) + 1 if before is not None else 0, key)
        before = key
    return keys


def _reordered(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return [key for key in one if key in other] != [key for key in other if key in one]
