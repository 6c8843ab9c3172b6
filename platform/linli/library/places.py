"""Which paths an operating model can have at all, and what can stand there, by its published schema.

A policy is written before anyone knows the documents it will bind, so this is all that can be said
of its paths and of what it sets there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library import paths
from linli.library.document.parts import LONGEST_KEY, RATE_PATTERN
from linli.library.document.schema import json_schema

Node = Mapping[str, Any]


def check_possible(path: str, *, one: bool = False) -> None:
    """Refused UNKNOWN_PATH: no operating model can have this place; ``one``: nor is it several."""
    if one and paths.EVERY in path:
        message = _(
            "A value stands at one place: name the item in “{path}” by its key, not by [*]."
        )
        raise Refused("UNKNOWN_PATH", format_lazy(message, path=path), field=path)
    if not nodes_at(path):
        message = _("No operating model has a place “{path}”. Look it up in the published schema.")
        raise Refused("UNKNOWN_PATH", format_lazy(message, path=path), field=path)


def nodes_at(path: str) -> list[Node]:
    """All that a place may be declared as, for items of several types may each have it."""
    nodes = [schema()]
    for step in paths.steps(path):
        nodes = inside(nodes, step)
    return nodes


def inside(nodes: Iterable[Node], step: str) -> list[Node]:
    """What one step leads to from any of these places; each as it is declared, with its title."""
    found = (child(form, step) for node in nodes for form in forms(node))
    return [node for node in found if node is not None]


def forms(node: Node) -> Iterator[Node]:
    """The node itself, or what it refers to, or each of the things it may be."""
    if "$ref" in node:
        yield from forms(schema()["$defs"][node["$ref"].rpartition("/")[2]])
    elif options := node.get("anyOf") or node.get("oneOf"):
        for option in options:
            yield from forms(option)
    else:
        yield node


def fitting(node: Node, value: Any) -> list[Node]:
    """Of the things a node may be, those of the type that the value says it is of; else all."""
    every = list(forms(node))
    said = value if isinstance(value, Mapping) else {}
    return [form for form in every if _says(form, said)] or every


def is_worded(path: str, value: Any) -> bool:
    """Whether something in a value is a text that somebody may have worded: neither number, rate, yes or
    no, nor one of the choices that the schema gives."""
    return _is_worded(nodes_at(path), value)


def _is_worded(nodes: list[Node], value: Any) -> bool:
    if value is None or isinstance(value, int):
        return False
    found = [form for node in nodes for form in fitting(node, value)]
    if isinstance(value, str):
        return not any(_is_given(form, value) for form in found)
    if isinstance(value, list):
        items = [form["items"] for form in found if "items" in form]
        return any(_is_worded(items, one) for one in value)
    if isinstance(value, Mapping):
        inner = {name: [one for f in found if (one := child(f, name))] for name in value}
        return any(_is_worded(inner[name], one) for name, one in value.items())
    return True


def _is_given(form: Node, value: str) -> bool:
    if value in form.get("enum", ()) or form.get("const") == value:
        return True
    return form.get("pattern") == RATE_PATTERN and re.fullmatch(RATE_PATTERN, value) is not None


@cache
def schema() -> Node:
    """The published schema; not to be changed."""
    return json_schema()


def _says(form: Node, value: Mapping[str, Any]) -> bool:
    return all(value.get(name) == const for name, const in fixed(form).items())


def fixed(form: Node) -> dict[str, Any]:
    """What an object of this form says of itself: its type."""
    return {n: one["const"] for n, one in form.get("properties", {}).items() if "const" in one}


def child(node: Node, step: str) -> Node | None:
    """What a form declares one step on; None where it has nothing there."""
    if not step.startswith("["):
        found: Node | None = node.get("properties", {}).get(step)
        return found
    if len(step) > LONGEST_KEY + 2:
        return None
    items: Node | None = node.get("items")
    keyed = items and any("key" in form.get("properties", {}) for form in forms(items))
    return items if keyed else None
