"""What differs between two versions or drafts, place by place, in words (M2). Pure.

Texts are in the language of the moment, so they are made where they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from linli.library import paths
from linli.library.bounds import number
from linli.library.changes import Change, differences
from linli.library.document import canonical
from linli.library.document.parts import RATE_PATTERN
from linli.library.naming import along, in_language, is_text, label, title_of, title_of_item
from linli.library.outline import laid_out
from linli.library.places import Node, fitting, forms, inside
from linli.money import yuan

LONGEST = 300  # characters of a value in a sentence


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
    name = label(path, new if paths.exists(new, path) else old)
    was, now = _Shown(path, old, name), _Shown(path, new, name)
    if before and before == was.keys and after == now.keys:
        kind = Kind.REORDERED
        told = _("{label}: the order is now {after}").format(label=name, after=now.titles(after))
    elif before is None and path.endswith("]"):
        kind = Kind.ADDED
        told = now.with_members(after, _("{label}: added"), _("{label}: added, {members}"))
    elif after is None and path.endswith("]"):
        kind = Kind.REMOVED
        told = was.with_members(
            before, _("{label}: taken away"), _("{label}: taken away, was {members}")
        )
    else:
        kind = Kind.CHANGED
        told = _("{label}: {before} → {after}").format(
            label=name, before=was.value(before), after=now.value(after)
        )
    return Difference(kind, path, name, before, after, told)


def _of_bounds(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> Iterator[Difference]:
    for path in sorted({*before, *after}):
        was, now = before.get(path), after.get(path)
        if canonical(was) == canonical(now):
            continue
        name = label(path, new if paths.exists(new, path) else old)
        told = _("{label}, bound: {before} → {after}").format(
            label=name,
            before=_Shown(path, old, name).bound(was),
            after=_Shown(path, new, name).bound(now),
        )
        yield Difference(Kind.BOUND, path, name, was, now, told)


class _Shown:
    """Values at a place as people read them: a rate as 3 %, fen in yuan, an item by its title."""

    def __init__(self, path: str, document: Mapping[str, Any], label: str) -> None:
        self.label = label
        nothing: tuple[str, list[Node], Any] = (path, [], None)
        self.name, self.nodes, self.there = (along(path, document) or [nothing])[-1]
        self.keys = paths.keys(self.there)

    def value(self, value: Any) -> str:
        return _cut(_shown(value, self.nodes, self.name))

    def with_members(self, item: Any, bare: str, full: str) -> str:
        """About an item: with what it says beside its title, if anything."""
        told = self.value(item) if not isinstance(item, Mapping) else _members(item, self.nodes)
        return (full if told else bare).format(label=self.label, members=_cut(told))

    def titles(self, keys: Sequence[str]) -> str:
        titles = [title_of_item(item) for item in self.there or ()]
        return _comma().join(title or key for title, key in zip(titles, keys, strict=True))

    def bound(self, bound: Mapping[str, Any] | None) -> str:
        if not bound:
            return _("free")
        if bound.get("locked"):
            return _("locked")
        if bound.get("one_of") is not None:
            return _("one of {values}").format(
                values=_comma().join(self.value(one) for one in bound["one_of"])
            )
        low, high = bound.get("minimum"), bound.get("maximum")
        if high is None:
            return _("at least {minimum}").format(minimum=self.value(low))
        if low is None:
            return _("at most {maximum}").format(maximum=self.value(high))
        return _("{minimum} to {maximum}").format(minimum=self.value(low), maximum=self.value(high))


def _shown(value: Any, nodes: Sequence[Node], name: str) -> str:
    """A value of a member ``name``, declared as one of these."""
    if value is None:
        return _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if is_text(value):
        return in_language(value)
    if isinstance(value, Mapping):
        return _members(value, nodes) or title_of_item(value) or str(value.get("key", ""))
    if isinstance(value, list):
        items = [form["items"] for node in nodes for form in forms(node) if "items" in form]
        return _comma().join(title_of_item(one) or _shown(one, items, "") for one in value) or _(
            "none"
        )
    exact = number(value)
    if exact is not None and _is_rate(nodes):
        return f"{_digits(exact * 100)} %"
    if isinstance(value, int) and name.endswith("_fen"):
        return _("{amount} yuan").format(amount=yuan(value))
    return value if isinstance(value, str) else canonical(value)


def _comma() -> str:
    return pgettext("between values in a row", ", ")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _is_rate(nodes: Sequence[Node]) -> bool:
    return any(form.get("pattern") == RATE_PATTERN for node in nodes for form in forms(node))


def _members(value: Mapping[str, Any], nodes: Sequence[Node]) -> str:
    """What an object says beside its key and title."""
    told = []
    there = [form for node in nodes for form in fitting(node, value)]
    for name, inner in value.items():
        if name in ("key", "title") or inner is None:
            continue
        declared = inside(there, name)
        title, text = title_of(declared) or name, _shown(inner, declared, name)
        told.append(_("{label} {value}").format(label=title, value=text))
    return pgettext("between the members of an item", "; ").join(told)


def _digits(value: Decimal) -> str:
    return format(value.normalize(), "f")


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
