"""What differs between two documents, for previews: place by place, list items by their key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from linli.library import paths

if TYPE_CHECKING:
    from linli.library.layers import Effective


@dataclass(frozen=True)
class Change:
    """One place; None before where something is added, None after where it is taken away.

    A list put in another order is one change of the list, told by its keys.
    """

    path: str
    before: Any
    after: Any


def changes(before: Effective, after: Effective) -> list[Change]:
    """What a person would see change, in the order of the document."""
    return differences(before.raw, after.raw)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The same for two documents as JSON values, each field at its place (`plain`)."""
    return list(_compare((), before, after))


def _compare(at: paths.Steps, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from _compare((*at, name), before.get(name), after.get(name))
        return
    old, new = paths.keys(before), paths.keys(after)
    if old is None or new is None or _twice(old) or _twice(new):
        if before != after:
            yield Change(paths.join(at), before, after)
        return
    was, now = dict(zip(old, before, strict=True)), dict(zip(new, after, strict=True))
    if [key for key in old if key in now] != [key for key in new if key in was]:
        yield Change(paths.join(at), old, new)
    for key in dict.fromkeys([*old, *new]):
        yield from _compare((*at, f"[{key}]"), was.get(key), now.get(key))


def _twice(keys: list[str]) -> bool:
    """A document that is still being written may name two items alike: nothing tells them apart."""
    return len(set(keys)) < len(keys)
