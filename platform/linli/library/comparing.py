"""What differs between two versions or drafts, place by place, in words (M2). Pure.

Texts are in the language of the moment, so they are made where they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from django.utils.translation import gettext as _

from linli.library import paths
from linli.library.changes import Change, differences
from linli.library.document import canonical
from linli.library.labels import bound_label, label, members_label, value_label
from linli.library.outline import laid_out
from linli.library.written import spelled


class Kind(Enum):
    """What has happened to a place."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    REORDERED = "reordered"
    BOUND = "bound"


@dataclass(frozen=True)
class Contents:
    """What is compared: a document, be it still being written, and its author's bounds by path."""

    document: Mapping[str, Any]
    bounds: Mapping[str, Any]


NOTHING = Contents({}, {})


class Holding(Protocol):
    """A row that holds them: a version here or in the library, a draft."""

    document: Any
    bounds: Any


def contents(row: Holding | None) -> Contents:
    """What a row holds; of no row nothing."""
    return Contents(row.document, row.bounds) if row else NOTHING


@dataclass(frozen=True)
class Difference:
    """One place. ``before`` and ``after``: JSON values, None for what is not there; of an order the
    keys, of a bound the bound. ``label`` names the place, ``text`` is the whole sentence."""

    kind: Kind
    path: str
    label: str
    before: Any
    after: Any
    text: str


def compare(before: Contents, after: Contents) -> list[Difference]:
    """In the order of the document, what is bounded there after what stands there; the bounds of
    places that are in neither document last."""
    old, new = laid_out(before.document), laid_out(after.document)
    found = [_of_value(change, old, new) for change in differences(old, new)]
    found += _of_bounds(before.bounds, after.bounds, old, new)
    order = {place: index for index, place in enumerate(_places(old, new))}
    return sorted(found, key=lambda one: _rank(one, order))


def as_text(differences: Sequence[Difference]) -> str:
    """One line for each; what a terminal shows, or the notes of a version start from."""
    return "\n".join(one.text for one in differences) or _("Nothing differs.")


def _of_value(change: Change, old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    path, before, after = change.path, change.before, change.after
    name = label(path, new, old)
    if before and before == _keys(old, path) and after == _keys(new, path):
        kind = Kind.REORDERED
        order = value_label(path, after, new)
        told = _("{label}: the order is now {after}").format(label=name, after=order)
    elif before is None and path.endswith("]"):
        kind = Kind.ADDED
        members = members_label(path, after, new)
        told = (_("{label}: added ({members})") if members else _("{label}: added")).format(
            label=name, members=members
        )
    elif after is None and path.endswith("]"):
        kind = Kind.REMOVED
        members = members_label(path, before, old)
        told = (
            _("{label}: taken away (was {members})") if members else _("{label}: taken away")
        ).format(label=name, members=members)
    else:
        kind = Kind.CHANGED
        told = _("{label}: {before} → {after}").format(
            label=name, before=value_label(path, before, old), after=value_label(path, after, new)
        )
    return Difference(kind, path, name, before, after, told)


def _keys(document: Mapping[str, Any], path: str) -> list[str] | None:
    return paths.keys(paths.find(document, path))


def _of_bounds(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> Iterator[Difference]:
    for path in sorted({*before, *after}):
        was, now = spelled(path, before.get(path)), spelled(path, after.get(path))
        if canonical(was) == canonical(now):
            continue
        name = label(path, new, old)
        told = _("{label}, bound: {before} → {after}").format(
            label=name, before=bound_label(path, was, old), after=bound_label(path, now, new)
        )
        yield Difference(Kind.BOUND, path, name, was, now, told)


def _places(old: Any, new: Any, at: paths.Steps = ()) -> Iterator[str]:
    """Every place of either document, in the order in which `differences` goes through them."""
    if at:
        yield paths.join(at)
    steps = dict.fromkeys([*_steps(old), *_steps(new)])
    for step in steps:
        yield from _places(paths.child(old, step), paths.child(new, step), (*at, step))


def _steps(value: Any) -> list[str]:
    """What leads on from a value: its members, or its items by their keys."""
    return (
        list(value) if isinstance(value, Mapping) else [f"[{k}]" for k in paths.keys(value) or ()]
    )


def _rank(one: Difference, order: Mapping[str, int]) -> tuple[int, bool, str]:
    """Where its place stands; that of [*] where its list does."""
    known = order.get(one.path.partition(paths.EVERY)[0], len(order))
    return known, one.kind == Kind.BOUND, one.path
