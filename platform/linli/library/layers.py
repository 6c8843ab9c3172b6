"""The effective rule: a model's document under its layers (M3). Pure.

A layer sets values at paths and adds bounds that narrow. What it sets lies within the bounds above
it. What it bounds may rule out a value from above: a layer below can still bring that inside, so
every bound is held to the document that results, however a value got there.

A policy was laid down for models of all kinds. What it says of a place that this one does not have
has no effect here, and a bound of it that is looser than one above has none beside that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library import paths
from linli.library.bounds import Bound, Origin
from linli.library.document import (
    OperatingModel,
    brief,
    canonical,
    digest,
    parse_document,
    plain,
)
from linli.library.frozen import frozen
from linli.library.limits import (
    InForce,
    Limits,
    add_bounds,
    at_once,
    limits_at,
    lost,
    violations,
)


@dataclass(frozen=True)
class LayerSpec:
    """One layer: who lays it down, the values it sets by path, the bounds it adds by path."""

    kind: str
    name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    since: date | None = None
    ref: UUID | None = None

    @property
    def origin(self) -> Origin:
        """Who this layer is, for what it sets."""
        return Origin(self.kind, self.name, self.since, self.ref)


@dataclass(frozen=True, eq=False)
class Effective:
    """The rule in force: the document, who set what, and what still bounds it. Shared by all who ask,
    so nothing in it can be changed."""

    document: OperatingModel
    base: Origin
    origins: Mapping[str, Origin]  # by overridden path, the deepest layer last
    in_force: tuple[InForce, ...]
    passed_over: tuple[tuple[str, Origin], ...] = ()  # see `without_effect`

    @cached_property
    def _plain(self) -> dict[str, Any]:
        return frozen(plain(self.document))

    @cached_property
    def weight(self) -> int:
        """Characters of JSON in it, about."""
        return len(canonical(self._plain))

    @property
    def raw(self) -> dict[str, Any]:
        """The document as JSON values, each field at its place; the caller's own copy."""
        return deepcopy(self._plain)

    def value(self, path: str) -> Any:
        """What stands at a path, as JSON values, not to be changed. Refused: UNKNOWN_PATH."""
        return paths.get(self._plain, path)

    def origin(self, path: str) -> Origin:
        """The deepest layer that set this path, what holds it or something in it."""
        paths.get(self._plain, path)
        found = self.base
        for place, origin in self.origins.items():
            if paths.related(place, path):
                found = origin
        return found

    def bound(self, path: str) -> Limits | None:
        """What bounds a path, each side with who set it; None where it is free."""
        paths.get(self._plain, path)
        return limits_at(path, self.in_force)

    @cached_property
    def without_effect(self) -> tuple[tuple[str, Origin], ...]:
        """What policies set or bound that the model does not have, and whose each is."""
        bounds = [(one.path, one.by) for one in self.in_force if one.where_there]
        idle = [(path, by) for path, by in bounds if not self._stands(path)]
        return tuple(dict.fromkeys([*self.passed_over, *idle]))

    def _stands(self, path: str) -> bool:
        return any(paths.exists(self._plain, one) for one in paths.expand(self._plain, path))

    def content(self) -> dict[str, Any]:
        """Values and where they came from, as JSON values: what a snapshot keeps."""
        return {
            "document": brief(self.document),
            "base": self.base.plain(),
            "origins": {path: origin.plain() for path, origin in self.origins.items()},
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return digest(self.content())


def resolve(
    document: OperatingModel,
    bounds: Mapping[str, Bound],
    layers: Sequence[LayerSpec] = (),
    *,
    base: Origin,
) -> Effective:
    """The model under its layers, uppermost first; `base` is the model's author.

    Refused at the first layer that breaks a rule, all of its faults at once, the layer in
    `data["layer"]`: UNKNOWN_PATH, KEY_CHANGED, DOCUMENT_INVALID, OUTSIDE_BOUNDS, BOUND_INVALID,
    BOUND_WIDENED; LAYER_REFUSED with causes when they are several. Then at the layer whose bounds
    the result breaks: OUTSIDE_BOUNDS, who set the value in `data["value_by"]`.
    """
    state = stack(document, bounds, layers, base=base)
    check_result(state)
    return state


def stack(
    document: OperatingModel,
    bounds: Mapping[str, Bound],
    layers: Sequence[LayerSpec] = (),
    *,
    base: Origin,
) -> Effective:
    """The same, before what results is held to the bounds: a layer below may yet bring it inside."""
    state = Effective(document, base, MappingProxyType({}), ())
    model = LayerSpec(base.kind, base.name, bounds=bounds, since=base.since, ref=base.ref)
    for layer in (model, *layers):
        state = under(state, layer)
    return state


def under(state: Effective, layer: LayerSpec) -> Effective:
    """One more layer on top. Refused as `resolve` says."""
    values, faults = with_values(state, layer.values)
    over = _passed_over(layer, values, faults)
    layer = _without(layer, over)
    faults = [fault for fault in faults if fault.field not in over]
    document = state.document
    if layer.values and not faults:
        try:
            document = parse_document(values)
            values = plain(document)
        except Refused as refused:
            faults.extend(_with_policies(refused.faults, state, layer))
    told = {fault.field for fault in faults}
    for fault in _left(state, values, layer):
        if fault.field not in told:
            fault.field = _as_set(fault.data["path"], layer)
            faults.append(fault)
    added, refusals = add_bounds(values, layer.bounds, layer.origin, state.in_force)
    faults.extend(refusals)
    if not faults:  # what it sets lies within its own bounds too
        faults.extend(f for f in violations(values, added) if _sets(layer, f.data["path"]))
    if faults:
        if layer.origin.is_policy:
            for fault in faults:
                message = _("In the policy of {name}: {fault}")
                fault.message = format_lazy(message, name=layer.name, fault=fault.message)
        raise _refused(faults, layer.origin.plain())
    return Effective(
        document,
        state.base,
        MappingProxyType(dict(_origins(state, layer))),
        (*state.in_force, *added),
        (*state.passed_over, *((path, layer.origin) for path in over)),
    )


def _passed_over(layer: LayerSpec, values: Mapping[str, Any], faults: list[Refused]) -> list[str]:
    """What a policy sets or locks that the model does not have: that is no fault of anybody."""
    if not layer.origin.is_policy:
        return []
    gone = {fault.field for fault in faults if fault.code == "UNKNOWN_PATH"}
    locks = {p for p, b in layer.bounds.items() if b.locked and not paths.exists(values, p)}
    return [path for path in {**layer.values, **layer.bounds} if path in gone | locks]


def _without(layer: LayerSpec, over: list[str]) -> LayerSpec:
    values = {path: value for path, value in layer.values.items() if path not in over}
    bounds = {p: b for p, b in layer.bounds.items() if not (b.locked and p in over)}
    return replace(layer, values=values, bounds=bounds) if over else layer


def _with_policies(
    faults: Iterable[Refused], state: Effective, layer: LayerSpec
) -> Iterator[Refused]:
    """The faults of a document; those about what a policy above has set say whose that is."""
    above = [(p, o) for p, o in _origins(state, layer) if o.is_policy and o != layer.origin]
    for fault in faults:
        about = [place for place in (fault.field, fault.data.get("other")) if place]
        names = {o.name: None for path, o in above if any(_related(path, one) for one in about)}
        if names:
            message = _("{fault} {names} laid down what this is about.")
            listed = ", ".join(names)
            fault.message = format_lazy(message, fault=fault.message, names=listed)
        yield fault


def _related(path: str, place: Any) -> bool:
    """The same for what may be no path: that of an item without a key, or words."""
    try:
        return paths.related(path, place)
    except Refused:
        return False


def with_values(
    state: Effective, values: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Refused]]:
    """The document with a layer's values, what holds others first, and what went wrong."""
    changed, faults = state.raw, []
    for path, value in sorted(values.items(), key=lambda item: len(item[0])):
        try:
            changed = paths.put(changed, path, value)
        except Refused as refused:
            faults.append(refused)
    return changed, faults


def _left(state: Effective, values: dict[str, Any], layer: LayerSpec) -> Iterator[Refused]:
    """The bounds above a layer that it breaks: by what it sets, or by what no longer stands there.

    Not what was outside before, and which it leaves alone: a layer below may mend that.
    """
    above = state.in_force
    outside = {fault.data["path"]: fault.data["value"] for fault in violations(state._plain, above)}
    for fault in violations(values, above):
        place, value = fault.data["path"], fault.data["value"]
        untouched = place in outside and paths.exists(values, place) and outside[place] == value
        if not untouched or _sets(layer, place):
            yield fault
    yield from lost(state._plain, values, above)


def _sets(layer: LayerSpec, place: str) -> bool:
    return any(paths.related(path, place) for path in layer.values)


def check_result(state: Effective) -> None:
    """What the layers leave outside a bound: refused, for the first layer whose bounds it breaks."""
    faults = list(violations(state._plain, state.in_force))
    if not faults:
        return
    whose = faults[0].data["set_by"]
    message = _("{fault} {setter} has set this value: set one that fits.")
    broken = [fault for fault in faults if fault.data["set_by"] == whose]
    for fault in broken:
        setter = state.origin(fault.data["path"])
        fault.message = format_lazy(message, fault=fault.message, setter=setter.name)
        fault.data["value_by"] = setter.plain()
    raise _refused(broken, whose)


def _as_set(field: str, layer: LayerSpec) -> str:
    """The path a layer set within a bounded place: the input that a person has to correct."""
    place = paths.steps(field)
    inside = (path for path in layer.values if paths.steps(path)[: len(place)] == place)
    return next(inside, field)


def _origins(state: Effective, layer: LayerSpec) -> Iterator[tuple[str, Origin]]:
    """Who set what; what a layer sets as a whole replaces what was set within it."""
    replaced = [paths.steps(path) for path in layer.values]
    for path, origin in state.origins.items():
        place = paths.steps(path)
        if not any(place[: len(whole)] == whole for whole in replaced):
            yield path, origin
    for path in layer.values:
        yield path, layer.origin


def _refused(faults: list[Refused], layer: dict[str, str | None]) -> Refused:
    refused = at_once(faults)
    refused.data["layer"] = layer
    return refused
