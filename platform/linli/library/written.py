"""Bounds and policies as somebody writes them: held to what their places can be, in one spelling (M3).

What is stored was held to it when it was written, or is older: `bounds.parse_bounds` reads it as it is.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library import paths
from linli.library.alone import faults_at
from linli.library.bounds import Bound, check_shape, number, parse_bounds
from linli.library.document import canonical
from linli.library.document.parts import RATE_PATTERN, decimal_text
from linli.library.layers import LayerSpec
from linli.library.limits import (
    InForce,
    Limits,
    at_once,
    check_narrower,
    limits_at,
    locked_by,
    matches,
    nothing_left,
    outside,
    refuse_lock_of_each,
    shown,
)
from linli.library.places import Node, check_possible, forms, nodes_at

SIDES = ("minimum", "maximum")


def write_bounds(raw: Mapping[str, Any]) -> dict[str, Bound]:
    """Bounds by path, each number in its one spelling: a share as "0.01", whole ones as whole numbers.

    Refused, all at once: UNKNOWN_PATH, BOUND_INVALID; LAYER_REFUSED with causes when they are several.
    """
    written: dict[str, Bound] = {}
    faults: list[Refused] = []
    for path, bound in raw.items():
        try:
            written[path] = write_bound(path, bound)
        except Refused as refused:
            faults.append(refused)
    if faults:
        raise at_once(faults)
    return written


def write_bound(path: str, raw: Any) -> Bound:
    """One of them. Refused: UNKNOWN_PATH, BOUND_INVALID with what would be right."""
    check_possible(path)
    check_shape(path, raw)
    told, places = dict(raw), [form for node in nodes_at(path) for form in forms(node)]
    numbers = [form for form in places if _is_number(form)]
    for side in SIDES:
        if told.get(side) is not None:
            if not numbers:
                message = _("Only a number can have a minimum or a maximum.")
                raise Refused("BOUND_INVALID", message, field=path)
            told[side] = _spelled(path, told[side], numbers)
    if told.get("one_of"):
        of_list = any("items" in form for form in places)
        allowed = [_allowed(path, one, numbers, of_list) for one in told["one_of"]]
        told["one_of"] = list({canonical(one): one for one in allowed}.values())
    bound = parse_bounds({path: told})[path]
    refuse_lock_of_each(path, bound)
    return bound


def spelled(path: str, raw: Any) -> Any:
    """A bound in its one spelling, as JSON values; what cannot be one as it stands."""
    try:
        return write_bound(path, raw).plain()
    except Refused:
        return raw


def _is_number(form: Node) -> bool:
    return form.get("type") == "integer" or form.get("pattern") == RATE_PATTERN


def _spelled(path: str, value: Any, numbers: Sequence[Node]) -> str | int:
    """A number of one of these types, in its one spelling."""
    exact = number(value)
    for form in numbers:
        if form.get("type") == "integer":
            whole = exact is not None and exact == exact.to_integral_value()
            if whole and form["minimum"] <= exact <= form["maximum"]:
                return int(exact)  # type: ignore[arg-type]
        elif isinstance(value, str) and re.fullmatch(RATE_PATTERN, value):
            return decimal_text(Decimal(value))
    raise _impossible(path, value, faults_at(path, value))


def _allowed(path: str, value: Any, numbers: Sequence[Node], of_list: bool) -> Any:
    """One of the values of a set: of a list of plain values it is held against each of them."""
    if number(value) is not None and numbers:
        return _spelled(path, value, numbers)
    if faults := faults_at(path, [value] if of_list else value):
        raise _impossible(path, value, faults)
    return value


def _impossible(path: str, value: Any, faults: Sequence[Refused]) -> Refused:
    right = faults[0] if faults else None
    message = _("{value} cannot stand here, so it bounds nothing. {right}")
    told = format_lazy(message, value=shown(value), right=right.message if right else "")
    return Refused("BOUND_INVALID", told, field=path, **(right.data if right else {}))


# ── Policies ─────────────────────────────────────────────────────────────────────────────────────


def check_policy(policy: LayerSpec, above: Sequence[LayerSpec]) -> None:
    """What can be said of a policy before anyone knows the documents it will bind; `policy.bounds` come
    from `write_bounds`. above: the policies of the authorities above its own, of its first day.

    Refused, all at once: UNKNOWN_PATH, KEY_CHANGED, DOCUMENT_INVALID (no model can have this value
    there), OUTSIDE_BOUNDS (its value leaves its own bounds, or those above), BOUND_INVALID (its bounds
    leave no value), BOUND_WIDENED; LAYER_REFUSED with causes when they are several.
    """
    upper = [one for layer in above for one in _in_force(layer)]
    both = [*upper, *_in_force(policy)]
    faults: list[Refused] = []
    for path, bound in policy.bounds.items():
        try:
            check_narrower(bound, path, limits_at(path, upper))
        except Refused as refused:
            faults.append(refused)
        else:
            faults.extend(_one(nothing_left(path, limits_at(path, both) or Limits())))
    for path, value in policy.values.items():
        try:
            _check_value(path, value)
        except Refused as refused:
            faults.extend(refused.faults)
        else:
            faults.extend(_locked(path, value, above))
            faults.extend(
                fault
                for place, inner in _bounded(path, value, both).items()
                for fault in _one(outside(place, inner, limits_at(place, both) or Limits()))
            )
    if faults:
        raise at_once(faults)


def _check_value(path: str, value: Any) -> None:
    """Refused: UNKNOWN_PATH, KEY_CHANGED, DOCUMENT_INVALID."""
    check_possible(path, one=True)
    _check_sums(path)
    if path.endswith("]"):
        if value is None:  # takes the item away
            return
        paths.check_key(path, value)
    if faults := faults_at(path, value):
        raise Refused("DOCUMENT_INVALID", faults[0].message, causes=faults)


def _check_sums(path: str) -> None:
    """Refused DOCUMENT_INVALID: one of several shares that sum to 1, of which nobody knows the others."""
    steps = paths.steps(path)
    for position, step in enumerate(steps):
        whole = paths.join(steps[:position]) if step.startswith("[") else ""
        name = next((n["x-sums-to-one"] for n in _declared(whole) if "x-sums-to-one" in n), None)
        if name and steps[position + 1 :] in ((), (name,)):
            message = _(
                "The {name} values in {whole} sum to exactly 1, and models have different ones. Set {whole} "
                "as a whole."
            )
            told = format_lazy(message, name=name, whole=whole)
            raise Refused("DOCUMENT_INVALID", told, field=path)


def _declared(path: str) -> list[Node]:
    return nodes_at(path) if path else []


def _in_force(layer: LayerSpec) -> list[InForce]:
    return [InForce(path, bound, layer.origin) for path, bound in layer.bounds.items()]


def _locked(path: str, value: Any, above: Sequence[LayerSpec]) -> Iterator[Refused]:
    """OUTSIDE_BOUNDS where those above have locked the place, or what holds it."""
    for layer in above:
        limits = limits_at(path, _in_force(layer))
        if limits is None or limits.locked_by is None:
            continue
        if path in layer.values and canonical(layer.values[path]) == canonical(value):
            continue
        yield locked_by(layer.origin, path, value, limits)


def _bounded(path: str, value: Any, in_force: Sequence[InForce]) -> dict[str, Any]:
    """What lies at bounded places in a value, by place."""
    steps = paths.steps(path)
    found: dict[str, Any] = {}
    for one in in_force:
        pattern = paths.steps(one.path)
        if matches(pattern[: len(steps)], steps):
            for inner, there in _leaves(value, pattern[len(steps) :]):
                found[paths.join((*steps, *inner))] = there
    return found


def _leaves(value: Any, pattern: paths.Steps) -> Iterator[tuple[paths.Steps, Any]]:
    if not pattern:
        yield (), value
        return
    step, rest = pattern[0], pattern[1:]
    steps = [f"[{key}]" for key in paths.keys(value) or ()] if step == paths.EVERY else [step]
    for one in steps:
        inner = paths.child(value, one)
        if inner is not None:
            yield from (((one, *more), leaf) for more, leaf in _leaves(inner, rest))


def _one(fault: Refused | None) -> tuple[Refused, ...]:
    return (fault,) if fault else ()
