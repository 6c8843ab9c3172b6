"""An example for every field of a schema: its own, or one made from what is inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def with_examples(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, each field with at least one example; changed in place.

    A field of several parts gets what its parts have to have; a choice its first value.
    """
    definitions = schema.get("$defs", {})
    for model in (*definitions.values(), schema):
        for node in model.get("properties", {}).values():
            if not node.get("examples"):
                node["examples"] = [_example(node, definitions)]
    return schema


def _example(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    if node.get("examples"):
        return node["examples"][0]
    for form in _forms(node, definitions):
        if form.get("examples"):
            return form["examples"][0]
        if "enum" in form or "const" in form:
            return form["const"] if "const" in form else form["enum"][0]
        if "properties" in form:
            return {
                name: _example(inner, definitions)
                for name, inner in form["properties"].items()
                if name in form.get("required", ())
            }
        if "items" in form:
            return [_example(form["items"], definitions)]
        if form.get("type") == "boolean":
            return True
    return None


def _forms(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The node itself, what it refers to, or each of the things it may be but null."""
    if "$ref" in node:
        yield from _forms(definitions[node["$ref"].rpartition("/")[2]], definitions)
    elif options := node.get("anyOf") or node.get("oneOf"):
        for option in options:
            if option.get("type") != "null":
                yield from _forms(option, definitions)
    else:
        yield node
