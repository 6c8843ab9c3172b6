"""Places in a document: `partners.contributions[stationed].rate`.

Members are named, items of a list are found by their key, never by position. A list of plain
values (an agreement's modes) is one place. All functions are pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused

EVERY = "[*]"  # in a bound: each item of the list

_STEP = re.compile(r"(?:^|\.)([a-z][a-z0-9_]*)|(\[(?:[a-z][a-z0-9_]*|\*)\])")
_ABSENT = object()

Steps = tuple[str, ...]


def steps(path: str) -> Steps:
    """("partners", "contributions", "[stationed]", "rate"); refused with UNKNOWN_PATH."""
    found: list[str] = []
    end = 0
    while end < len(path) and (match := _STEP.match(path, end)):
        found.append(match[1] or match[2])
        end = match.end()
    if not found or end < len(path) or found[0].startswith("["):
        raise _unknown(path, path[end:] or path)
    return tuple(found)


def join(parts: Iterable[str | int]) -> str:
    """The path of steps; an item without a key is named by its position."""
    path = ""
    for part in parts:
        step = f"[{part}]" if isinstance(part, int) else part
        path += step if step.startswith("[") or not path else f".{step}"
    return path


def related(one: str, other: str) -> bool:
    """Whether one path is the other, lies in it or holds it."""
    return all(a == b for a, b in zip(steps(one), steps(other), strict=False))


def get(document: Mapping[str, Any], path: str) -> Any:
    """What stands at the path. Refused: UNKNOWN_PATH, naming the first part that is not there."""
    value: Any = document
    taken: list[str] = []
    for step in steps(path):
        taken.append(step)
        value = _child(value, step)
        if value is _ABSENT:
            raise _unknown(path, join(taken))
    return value


def put(document: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the document with this value at the path.

    At an item's path an object with a new key adds that item and None takes the item away.
    Refused: UNKNOWN_PATH, naming the first part that is not there; KEY_CHANGED.
    """
    changed: dict[str, Any] = _put(document, steps(path), 0, value, path)
    return changed


def grow(document: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """As `put`, for a document that is still being written: members on the way are added."""
    return put(_grown(document, steps(path)), path, value)


def expand(document: Mapping[str, Any], path: str) -> Iterator[str]:
    """The paths in the document that a path with `[*]` stands for; items without it are left out.

    A path without `[*]` stands for itself, whether it is there or not.
    """
    if EVERY not in path:
        yield path
        return
    head, tail = path.split(EVERY, 1)
    try:
        items = get(document, head)
    except Refused:
        return
    for key in keys(items) or ():
        concrete = f"{head}[{key}]{tail}"
        for place in expand(document, concrete):
            if exists(document, place):
                yield place


def child(value: Any, step: str) -> Any:
    """What one step leads to, or None."""
    found = _child(value, step)
    return None if found is _ABSENT else found


def find(document: Mapping[str, Any], path: str) -> Any:
    """What stands at the path, or None."""
    return get(document, path) if exists(document, path) else None


def exists(document: Mapping[str, Any], path: str) -> bool:
    """Whether the path leads anywhere."""
    try:
        get(document, path)
    except Refused:
        return False
    return True


def keys(value: Any) -> list[str] | None:
    """The keys of a list of items, or None when it is no such list."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None
    found = [item.get("key") for item in value if isinstance(item, Mapping)]
    named = [key for key in found if isinstance(key, str)]
    return named if len(named) == len(value) else None


def check_key(path: str, value: Any) -> None:
    """Refused KEY_CHANGED: at an item's path stands an object with that key."""
    key = steps(path)[-1][1:-1]
    if not (isinstance(value, Mapping) and value.get("key") == key):
        message = _("An item keeps its key: what stands at [{key}] is an object with that key.")
        raise Refused("KEY_CHANGED", format_lazy(message, key=key), field=path)


def _child(value: Any, step: str) -> Any:
    if not step.startswith("["):
        return value.get(step, _ABSENT) if isinstance(value, Mapping) else _ABSENT
    key, known = step[1:-1], keys(value)
    return value[known.index(key)] if known and key in known else _ABSENT


def _grown(node: Any, path: Steps) -> Any:
    """The node with each member of the path in it, as far as the path leads to any."""
    if not path:
        return node
    step, rest = path[0], path[1:]
    old = _child(node, step)
    if step.startswith("["):
        if old is _ABSENT:
            return node
        return [_grown(item, rest) if item is old else item for item in node]
    if not isinstance(node, Mapping):
        return node
    inner: Any = None if old is _ABSENT else old
    if inner is None and rest:
        inner = [] if rest[0].startswith("[") else {}
    return {**node, step: _grown(inner, rest)}


def _put(node: Any, path: Steps, depth: int, value: Any, whole: str) -> Any:
    step, last = path[depth], depth == len(path) - 1
    old = _child(node, step)
    key = step[1:-1] if step.startswith("[") else None
    keeps_key = isinstance(value, Mapping) and value.get("key") == key
    if old is _ABSENT and not (last and key and keeps_key and keys(node) is not None):
        raise _unknown(whole, join(path[: depth + 1]))
    if last and key and value is not None:
        check_key(whole, value)
    new = value if last else _put(old, path, depth + 1, value, whole)
    if key is None:
        return {**node, step: new}
    if old is _ABSENT:
        return [*node, new]
    return [new if item is old else item for item in node if item is not old or new is not None]


def _unknown(path: str, part: str) -> Refused:
    message = _(
        "There is no “{part}” in the document. Name members with dots and items by key, as in partners.kinds[enterprise].title."
    )
    if not path:
        message = _(
            "The path is empty. Name members with dots and items by key, as in partners.kinds[enterprise].title."
        )
    return Refused("UNKNOWN_PATH", format_lazy(message, part=part), field=path, unknown=part)
