"""Faults of a document, in words that say what would be right.

The sentence comes from what the published schema says of the place, so that a field added later
is explained without anyone writing a sentence for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from pydantic_core import ErrorDetails

from linli.errors import Refused
from linli.library import paths
from linli.library.document import naming
from linli.library.document.parts import KEY_PATTERN, RATE_PATTERN
from linli.library.document.schema import Loc, node_at, walk
from linli.library.document.sentences import SENTENCES

WHOLE = "document"  # the field of a fault that is about all of it


def fault(message: Any, field: str | None = None, **data: Any) -> Refused:
    """One thing that is wrong with a document."""
    return Refused("DOCUMENT_INVALID", message, field=field or None, **data)


def own_fault(kind: str, field: str, **context: Any) -> Refused:
    """A fault that a rule of ours found, by the name of its sentence."""
    shown = {name: _shown(name, value, field) for name, value in context.items()}
    return fault(format_lazy(SENTENCES[kind], **shown), field, **context)


def _shown(name: str, value: Any, field: str) -> Any:
    """What a sentence says of `value`: members in the reader's words."""
    if name == "name":  # of each item of the list at `field`
        return naming.member(f"{field}[*].{value}")
    if name in ("other", "place") and "." in value:
        return naming.place(value)
    return _listed(value) if isinstance(value, list) else value


def from_validator(error: ErrorDetails, raw: Any) -> Refused:
    """The validator's error about `raw`, with the path by keys and what is allowed there."""
    loc, kind = error["loc"], error["type"]
    field = path_of(raw, loc) or WHOLE
    if kind in SENTENCES:
        return own_fault(kind, field, **error.get("ctx", {}))
    if kind == "extra_forbidden":
        allowed = list(node_at(loc[:-1]).get("properties", {}))
        message = _("This is not known here. Known are: {allowed}.")
        return fault(format_lazy(message, allowed=_listed(allowed)), field, allowed=allowed)
    node = node_at(loc)
    if kind.startswith("union_tag"):
        return _expected({"enum": list(node["discriminator"]["mapping"])}, f"{field}.{_tag(node)}")
    return _expected(node, field)


def path_of(raw: Any, loc: Loc) -> str:
    """The path of a validator's location."""
    return keyed(raw, [step for step, _node in walk(loc) if step is not None])


def keyed(raw: Any, loc: Loc) -> str:
    """The path of members and positions: items by their key where they have one of their own."""
    parts: list[str | int] = []
    value = raw
    for step in loc:
        if isinstance(step, int):
            known = paths.keys(value) or []
            alone = step < len(known) and known.count(known[step]) == 1
            parts.append(f"[{_short(known[step])}]" if alone else step)
        else:
            parts.append(_short(step))
        value = inside(value, step)
    return paths.join(parts)


def inside(value: Any, step: str | int) -> Any:
    """What one step leads to, or None."""
    if isinstance(value, Mapping):
        return value.get(step)
    there = isinstance(value, list | tuple) and isinstance(step, int) and step < len(value)
    return value[step] if there else None


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"


def right(node: Mapping[str, Any]) -> Any:
    """The sentence that says what may stand at a place, as a fault there would say it."""
    return _expected(node, "").message


def _expected(node: Mapping[str, Any], field: str) -> Refused:
    message, allowed = _expectation(node)
    shown = {name: _listed(v) if isinstance(v, list) else v for name, v in allowed.items()}
    return fault(format_lazy(message, **shown) if shown else message, field, **allowed)


def _expectation(node: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The sentence for a place, and the allowed values as data."""
    if "enum" in node or "const" in node:
        allowed = list(node.get("enum", [node.get("const")]))
        return _("Choose one of: {allowed}."), {"allowed": allowed}
    least, most = node.get("minimum"), node.get("maximum")
    match node.get("type"):
        case "integer":
            return (
                _("Write a whole number from {minimum} to {maximum}."),
                {"minimum": least, "maximum": most},
            )
        case "boolean":
            return _("Write true or false."), {"allowed": [True, False]}
        case "string" if node.get("pattern") == RATE_PATTERN:
            return (
                _(
                    'Write a rate as text, a decimal fraction from "0" to "1" with at most 6 places: "0.03" is 3 %.'
                ),
                {"pattern": RATE_PATTERN},
            )
        case "string" if node.get("pattern") == KEY_PATTERN:
            return (
                _(
                    "Write a key: a small Latin letter, then small letters, digits or “_”, at most {longest} in all."
                ),
                {"pattern": KEY_PATTERN, "longest": node["maxLength"]},
            )
        case "string":
            return (
                _("Write text of {shortest} to {longest} characters."),
                {"shortest": node["minLength"], "longest": node["maxLength"]},
            )
        case "array":
            return (
                _("Write a list of {shortest} to {longest} items."),
                {"shortest": node.get("minItems", 0), "longest": node["maxItems"]},
            )
        case _:
            return (
                _("Write an object with: {allowed}."),
                {"allowed": list(node.get("properties", [_tag(node)]))},
            )


def _tag(node: Mapping[str, Any]) -> str | None:
    """The member that says which of several models an item is."""
    return node.get("discriminator", {}).get("propertyName")


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(
        str(value).lower() if isinstance(value, bool) else str(value) for value in values
    )
