"""Which paths an operating model can have at all, by its published schema.

A policy is written before anyone knows the documents it will bind, so this is all that can be said
of its paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library import paths
from linli.library.document import json_schema


def check_possible(path: str, *, one: bool = False) -> None:
    """Refused UNKNOWN_PATH: no operating model can have this place; ``one``: nor is it several."""
    if one and paths.EVERY in path:
        message = _("A value stands at one place: name the item in {path} by its key, not by [*].")
        raise Refused("UNKNOWN_PATH", format_lazy(message, path=path), field=path)
    schema = json_schema()
    nodes = list(_forms(schema, schema))
    for step in paths.steps(path):
        inside = [found for node in nodes if (found := _child(schema, node, step)) is not None]
        nodes = [form for node in inside for form in _forms(schema, node)]
    if not nodes:
        message = _("No operating model has a place {path}. Look it up in the published schema.")
        raise Refused("UNKNOWN_PATH", format_lazy(message, path=path), field=path)


def _child(schema: Mapping[str, Any], node: Mapping[str, Any], step: str) -> Any:
    if not step.startswith("["):
        return node.get("properties", {}).get(step)
    items = node.get("items")
    keyed = items and any("key" in form.get("properties", {}) for form in _forms(schema, items))
    return items if keyed else None


def _forms(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The node itself, or what it refers to, or each of the things it may be."""
    if "$ref" in node:
        yield from _forms(schema, schema["$defs"][node["$ref"].rpartition("/")[2]])
    elif options := node.get("anyOf") or node.get("oneOf"):
        for option in options:
            yield from _forms(schema, option)
    else:
        yield node
