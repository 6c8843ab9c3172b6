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
                    check_narrower(bound, place, limits_at(place, above))
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
            yield _must_stay(place, limits, next(firm).by)
            continue
        value = paths.get(document, place)
        kept = [one for one in in_force if one.bound.locked and one.path == place]
        if kept and canonical(kept[0].kept) != canonical(value):
            message = _("{path} is locked by {who}; it cannot become {value}.")
            yield _outside(message, place, value, limits, kept[0].by)
            continue
        if fault := outside(place, value, limits):
            yield fault


def outside(place: str, value: Any, limits: Limits) -> Refused | None:
    """OUTSIDE_BOUNDS if a value leaves the range or the set at its place; of locks it says nothing."""
    exact = number(value)
    if limits.minimum_by and (exact is None or _above(limits.minimum, exact)):
        message = _("{path} is {value}; {who} has laid down at least {minimum}.")
        return _outside(message, place, value, limits, limits.minimum_by)
    if limits.maximum_by and (exact is None or _above(exact, limits.maximum)):
        message = _("{path} is {value}; {who} has laid down at most {maximum}.")
        return _outside(message, place, value, limits, limits.maximum_by)
    if limits.one_of_by and not _allowed(value, limits.one_of or ()):
        message = _("{path} is {value}; {who} has laid down one of: {one_of}.")
        return _outside(message, place, value, limits, limits.one_of_by)
    return None


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
        yield _must_stay(place, limits_at(place, in_force) or Limits(), by)


def nothing_left(path: str, limits: Limits) -> Refused | None:
    """BOUND_INVALID if no value at all lies within the range and the set."""
    low_by, high_by = limits.minimum_by, limits.maximum_by
    if low_by and high_by and _above(limits.minimum, limits.maximum):
        message = _(
            "{path}: {who} has laid down at least {minimum}, {other} at most {maximum}. No value is left."
        )
        return _nothing(message, path, limits, low_by, high_by)
    if limits.one_of_by and not any(
        outside(path, one, limits) is None for one in limits.one_of or ()
    ):
        message = _("{path}: of the values that {who} has laid down none fits the other bounds.")
        return _nothing(message, path, limits, limits.one_of_by, limits.one_of_by)
    return None


def refuse_lock_of_each(path: str, bound: Bound) -> None:
    """Refused: BOUND_INVALID."""
    if bound.locked and EVERY in path:
        raise _invalid(path, _("Lock the whole list or one of its items, not each item."))


def _check_range_of_number(bound: Bound, path: str, value: Any) -> None:
    ranged = bound.minimum is not None or bound.maximum is not None
    if ranged and value is not None and number(value) is None:
        raise _invalid(path, _("Only a number can have a minimum or a maximum."))


def check_narrower(bound: Bound, path: str, above: Limits | None) -> None:
    """Refused: BOUND_WIDENED, where a bound opens what those above have closed."""
    if above is None:
        return
    if above.locked_by and not bound.locked:
        message = _("{path} is locked by {who}; a layer below cannot open it.")
        raise _widened(message, path, above, above.locked_by)
    if above.minimum_by and bound.minimum is not None and _above(above.minimum, bound.minimum):
        message = _(
            "{path}: {who} has laid down at least {minimum}; a layer below may only narrow."
        )
        raise _widened(message, path, above, above.minimum_by)
    if above.maximum_by and bound.maximum is not None and _above(bound.maximum, above.maximum):
        message = _("{path}: {who} has laid down at most {maximum}; a layer below may only narrow.")
        raise _widened(message, path, above, above.maximum_by)
    if above.one_of_by and bound.one_of and not all(_among(v, above.one_of) for v in bound.one_of):
        message = _("{path}: {who} has laid down one of: {one_of}; a layer below may only narrow.")
        raise _widened(message, path, above, above.one_of_by)


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


def _must_stay(place: str, limits: Limits, by: Origin) -> Refused:
    return _outside(_("{path} must stay: {who} has bounded it."), place, None, limits, by)


def _nothing(message: Any, path: str, limits: Limits, by: Origin, other: Origin) -> Refused:
    text = _told(message, path, limits, by, other=other.name)
    data = {"path": path, **limits.plain(), "set_by": by.plain()}
    return Refused("BOUND_INVALID", text, field=path, **data)


def _invalid(path: str, message: Any) -> Refused:
    return Refused("BOUND_INVALID", message, field=path)


def _outside(message: Any, path: str, value: Any, limits: Limits, by: Origin) -> Refused:
    text = _told(message, path, limits, by, value=shown(value))
    data = {"path": path, "value": value, **limits.plain(), "set_by": by.plain()}
    return Refused("OUTSIDE_BOUNDS", text, field=path, **data)


def _widened(message: Any, path: str, limits: Limits, by: Origin) -> Refused:
    data = {"path": path, **limits.plain(), "set_by": by.plain()}
    return Refused("BOUND_WIDENED", _told(message, path, limits, by), field=path, **data)


def at_once(faults: Sequence[Refused]) -> Refused:
    """The one fault, or LAYER_REFUSED with all as causes."""
    if len(faults) == 1:
        return faults[0]
    message = _("These values and bounds cannot stand together with what is above them.")
    return Refused("LAYER_REFUSED", message, causes=faults)


def _told(message: Any, path: str, limits: Limits, by: Origin, **more: str) -> Any:
    one_of = ", ".join(shown(value) for value in limits.one_of or ())
    return format_lazy(
        message,
        path=path,
        who=by.name,
        minimum=limits.minimum,
        maximum=limits.maximum,
        one_of=one_of,
        **more,
    )


def shown(value: Any) -> str:
    """A value as a sentence quotes it: short."""
    text = value if isinstance(value, str) else canonical(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
