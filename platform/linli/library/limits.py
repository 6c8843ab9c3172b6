"""The bounds in force on a document: what they come to, what breaks them, who may add to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from pydantic import JsonValue

from linli.errors import Refused
from linli.library import paths
from linli.library.bounds import Bound, Origin, number
from linli.library.document import canonical
from linli.library.frozen import frozen
from linli.library.labels import Given, bound_label_lazy, label_lazy, value_label_lazy
from linli.library.paths import EVERY


@dataclass(frozen=True)
class InForce:
    """A bound, who set it and, for a lock, the value it keeps.

    where_there: it holds wherever the place comes to stand, which need not be.
    """

    path: str
    bound: Bound
    by: Origin
    kept: JsonValue = None
    where_there: bool = False


@dataclass(frozen=True)
class Limits:
    """All bounds in force at one path, as one; each side with who set it."""

    locked_by: Origin | None = None
    minimum: str | int | None = None
    minimum_by: Origin | None = None
    maximum: str | int | None = None
    maximum_by: Origin | None = None
    one_of: tuple[JsonValue, ...] | None = None
    one_of_by: Origin | None = None

    def within(self, other: InForce) -> Limits:
        """These limits narrowed by one more bound; of two equal ones the upper stands."""
        bound, by, limits = other.bound, other.by, self
        if bound.locked and limits.locked_by is None:
            limits = replace(limits, locked_by=by)
        if bound.minimum is not None and _above(bound.minimum, limits.minimum):
            limits = replace(limits, minimum=bound.minimum, minimum_by=by)
        if bound.maximum is not None and _above(limits.maximum, bound.maximum):
            limits = replace(limits, maximum=bound.maximum, maximum_by=by)
        if bound.one_of is not None:
            known = bound.one_of if limits.one_of is None else limits.one_of
            both = tuple(value for value in known if _among(value, bound.one_of))
            if limits.one_of is None or len(both) < len(known):
                limits = replace(limits, one_of=both, one_of_by=by)
        return limits

    def plain(self) -> dict[str, Any]:
        """The limits as JSON values, for an error's data."""
        return {
            "minimum": self.minimum,
            "maximum": self.maximum,
            "one_of": None if self.one_of is None else list(self.one_of),
        }


def limits_at(path: str, in_force: Iterable[InForce]) -> Limits | None:
    """What bounds a path: its own bounds, those of `[*]` above it, and locks of what holds it."""
    limits = Limits()
    place = paths.steps(path)
    for one in in_force:
        pattern = paths.steps(one.path)
        length = min(len(pattern), len(place)) if one.bound.locked else len(place)
        if len(pattern) == length and matches(pattern, place[:length]):
            limits = limits.within(one)
    return None if limits == Limits() else limits


def add_bounds(
    document: Mapping[str, Any], bounds: Mapping[str, Bound], by: Origin, above: Sequence[InForce]
) -> tuple[list[InForce], list[Refused]]:
    """The bounds a layer adds to those above it, and why some may not be added.

    A policy's hold wherever the model has the place, and beside those above it: where they are looser
    they have no further effect, for it was laid down without this model in view. Refused: UNKNOWN_PATH, BOUND_INVALID (a range of what is no number),
    BOUND_WIDENED.
    """
    added: list[InForce] = []
    faults: list[Refused] = []
    for path, bound in bounds.items():
        try:
            refuse_lock_of_each(path, bound)
            holder = path.partition(EVERY)[0]
            if by.is_policy and not paths.exists(document, holder):
                added.append(InForce(path, bound, by, where_there=True))
                continue
            there = paths.get(document, holder)
            if holder != path and paths.keys(there) is None and not by.is_policy:
                raise _invalid(path, _("[*] stands for the items of a list; there is no list."))
            places = list(paths.expand(document, path))
            for place in places:
                _check_range_of_number(bound, place, paths.get(document, place))
            if not by.is_policy:
                for place in dict.fromkeys([path, *places]):
                    check_narrower(bound, place, limits_at(place, above), document)
        except Refused as refused:
            faults.append(refused)
        else:
            added.append(InForce(path, bound, by, frozen(there) if bound.locked else None))
    return added, faults


def violations(document: Mapping[str, Any], in_force: Sequence[InForce]) -> Iterator[Refused]:
    """OUTSIDE_BOUNDS for each place of the document that breaks a bound: one refusal a place."""
    places = (
        place
        for one in in_force
        for place in paths.expand(document, one.path)
        if not one.where_there or paths.exists(document, place)
    )
    for place in dict.fromkeys(places):
        limits = limits_at(place, in_force) or Limits()
        if not paths.exists(document, place):
            steps = paths.steps(place)
            firm = (
                o for o in in_force if not o.where_there and matches(paths.steps(o.path), steps)
            )
            yield _must_stay(place, limits, next(firm).by, document)
            continue
        value = paths.get(document, place)
        kept = [one for one in in_force if one.bound.locked and one.path == place]
        if kept and canonical(kept[0].kept) != canonical(value):
            yield locked_by(kept[0].by, place, value, limits, document)
            continue
        if fault := outside(place, value, limits, document):
            yield fault


def outside(place: str, value: Any, limits: Limits, *documents: Given) -> Refused | None:
    """OUTSIDE_BOUNDS if a value leaves the range or the set at its place; of locks it says nothing.
    documents: for the titles of items."""
    bound: dict[str, Any]
    exact = number(value)
    if limits.minimum_by and (exact is None or _above(limits.minimum, exact)):
        by, bound = limits.minimum_by, {"minimum": limits.minimum}
    elif limits.maximum_by and (exact is None or _above(exact, limits.maximum)):
        by, bound = limits.maximum_by, {"maximum": limits.maximum}
    elif limits.one_of_by and not _allowed(value, limits.one_of or ()):
        by, bound = limits.one_of_by, {"one_of": limits.one_of}
    else:
        return None
    message = _("“{place}” is {value}; {who} has laid down: {bound}.")
    return _outside(message, place, value, limits, by, documents, bound=bound)


def locked_by(by: Origin, place: str, value: Any, limits: Limits, *documents: Given) -> Refused:
    """OUTSIDE_BOUNDS for another value where somebody has locked the place."""
    message = _("“{place}” is locked by {who}; it cannot become {value}.")
    return _outside(message, place, value, limits, by, documents)


def lost(
    before: Mapping[str, Any], after: Mapping[str, Any], in_force: Sequence[InForce]
) -> Iterator[Refused]:
    """OUTSIDE_BOUNDS for each item that stays, but no more has what is bounded of each: in another form
    it would go behind the bound. To take the item away is something else."""
    whose: dict[str, Origin] = {}
    for one in in_force:
        for place in paths.expand(before, one.path) if EVERY in one.path else ():
            steps, pattern = paths.steps(place), paths.steps(one.path)
            item = steps[: len(pattern) - pattern[::-1].index(EVERY)]
            if paths.exists(after, paths.join(item)) and not paths.exists(after, place):
                whose.setdefault(place, one.by)
    for place, by in whose.items():
        yield _must_stay(place, limits_at(place, in_force) or Limits(), by, before)


def nothing_left(path: str, limits: Limits) -> Refused | None:
    """BOUND_INVALID if no value at all lies within the range and the set."""
    low_by, high_by = limits.minimum_by, limits.maximum_by
    if low_by and high_by and _above(limits.minimum, limits.maximum):
        message = _("“{place}”: {who} has laid down: {bound}, {other}: {upper}. No value is left.")
        upper = bound_label_lazy(path, {"maximum": limits.maximum})
        bound = {"minimum": limits.minimum}
        text = _told(message, path, low_by, bound=bound, other=high_by.name, upper=upper)
    elif limits.one_of_by and not any(
        outside(path, one, limits) is None for one in limits.one_of or ()
    ):
        low_by = limits.one_of_by
        message = _("“{place}”: of the values that {who} has laid down none fits the other bounds.")
        text = _told(message, path, low_by)
    else:
        return None
    data = {"path": path, **limits.plain(), "set_by": low_by.plain()}
    return Refused("BOUND_INVALID", text, field=path, **data)


def refuse_lock_of_each(path: str, bound: Bound) -> None:
    """Refused: BOUND_INVALID."""
    if bound.locked and EVERY in path:
        raise _invalid(path, _("Lock the whole list or one of its items, not each item."))


def _check_range_of_number(bound: Bound, path: str, value: Any) -> None:
    ranged = bound.minimum is not None or bound.maximum is not None
    if ranged and value is not None and number(value) is None:
        raise _invalid(path, _("Only a number can have a minimum or a maximum."))


def check_narrower(bound: Bound, path: str, above: Limits | None, *documents: Given) -> None:
    """Refused: BOUND_WIDENED, where a bound opens what those above have closed. documents: for the titles
    of items."""
    if above is None:
        return
    told: dict[str, Any] = {}
    message = _("{who} has laid down for “{place}”: {bound}. A layer below may only narrow it.")
    if above.locked_by and not bound.locked:
        message, by = (
            _("“{place}” is locked by {who}; a layer below cannot open it."),
            above.locked_by,
        )
    elif above.minimum_by and bound.minimum is not None and _above(above.minimum, bound.minimum):
        by, told = above.minimum_by, {"minimum": above.minimum}
    elif above.maximum_by and bound.maximum is not None and _above(bound.maximum, above.maximum):
        by, told = above.maximum_by, {"maximum": above.maximum}
    elif (
        above.one_of_by
        and bound.one_of
        and not all(_among(value, above.one_of) for value in bound.one_of)
    ):
        by, told = above.one_of_by, {"one_of": above.one_of}
    else:
        return
    text = _told(message, path, by, documents, bound=told)
    data = {"path": path, **above.plain(), "set_by": by.plain()}
    raise Refused("BOUND_WIDENED", text, field=path, **data)


def matches(pattern: paths.Steps, place: paths.Steps) -> bool:
    return len(pattern) == len(place) and all(
        one == other or (one == EVERY and other.startswith("["))
        for one, other in zip(pattern, place, strict=True)
    )


def _above(one: Any, other: Any) -> bool:
    """Whether one number is greater; what is absent is beyond every number."""
    if one is None or other is None:
        return True
    return Decimal(one) > Decimal(other)


def _among(value: Any, allowed: Iterable[Any] | None) -> bool:
    """Whether a value is one of those allowed; numbers by what they say, not how."""
    exact = number(value) if isinstance(value, str) else None
    return any(
        canonical(value) == canonical(one)
        or (exact is not None and isinstance(one, str) and number(one) == exact)
        for one in allowed or ()
    )


def _allowed(value: Any, allowed: tuple[Any, ...]) -> bool:
    plain_list = isinstance(value, list) and paths.keys(value) is None
    return all(_among(v, allowed) for v in value) if plain_list else _among(value, allowed)


def _must_stay(place: str, limits: Limits, by: Origin, *documents: Given) -> Refused:
    message = _("“{place}” must stay: {who} has bounded it.")
    return _outside(message, place, None, limits, by, documents)


def _invalid(path: str, message: Any) -> Refused:
    return Refused("BOUND_INVALID", message, field=path)


def _outside(
    message: Any,
    path: str,
    value: Any,
    limits: Limits,
    by: Origin,
    documents: Sequence[Given],
    bound: Mapping[str, Any] | None = None,
) -> Refused:
    words = value_label_lazy(path, value, *documents)
    text = _told(message, path, by, documents, bound=bound, value=words)
    data = {"path": path, "value": value, **limits.plain(), "set_by": by.plain()}
    return Refused("OUTSIDE_BOUNDS", text, field=path, **data)


def at_once(faults: Sequence[Refused]) -> Refused:
    """The one fault, or LAYER_REFUSED with all as causes."""
    if len(faults) == 1:
        return faults[0]
    message = _("These values and bounds cannot stand together with what is above them.")
    return Refused("LAYER_REFUSED", message, causes=faults)


def _told(
    message: Any,
    path: str,
    by: Origin,
    documents: Sequence[Given] = (),
    *,
    bound: Mapping[str, Any] | None = None,
    **more: Any,
) -> Any:
    """The sentence, with the place and what is laid down for it in the reader's words."""
    return format_lazy(
        message,
        place=label_lazy(path, *documents),
        who=by.name,
        bound=bound_label_lazy(path, bound, *documents),
        **more,
    )


def shown(value: Any) -> str:
    """A value as a sentence quotes it: short."""
    text = value if isinstance(value, str) else canonical(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
