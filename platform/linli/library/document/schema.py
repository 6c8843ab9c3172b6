"""The published JSON Schema of operating models, and what it says of one place.

Beyond the standard's own words each field has `x-zh` (title and description in Chinese), a number
its `x-unit`, and what chooses among values its `x-labels`, in both languages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any

from linli.library.document.examples import with_examples
from linli.library.document.model import OperatingModel

SCHEMA_ID = "/schemas/operating-model-1.json"

Loc = Sequence[str | int]


@cache
def _schema() -> Mapping[str, Any]:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **OperatingModel.model_json_schema(),
    }
    return with_examples(_with_words(schema))


def _with_words(schema: dict[str, Any]) -> dict[str, Any]:
    """pydantic leaves a field's title or description out where its model has the same."""
    for model in (schema, *schema["$defs"].values()):
        for node in model["properties"].values():
            if "$ref" in node:
                of_model = schema["$defs"][node["$ref"].rpartition("/")[2]]
                for word in {"title", "description"} & of_model.keys() - node.keys():
                    node[word] = of_model[word]
    return schema


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a document; the caller's own copy."""
    return deepcopy(dict(_schema()))


def _plain(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node itself, behind references and "or null"."""
    while True:
        if "$ref" in node:
            node = _schema()["$defs"][node["$ref"].rpartition("/")[2]] | {
                name: value for name, value in node.items() if name != "$ref"
            }
        elif "anyOf" in node:
            node = next(option for option in node["anyOf"] if option.get("type") != "null")
        else:
            return node


def walk(loc: Loc) -> Iterator[tuple[str | int | None, Mapping[str, Any]]]:
    """Each step of a validator's location with the schema node it leads to.

    Where an item is one of several models, the validator also names the model it took: that step
    is None. An unknown step leads to an empty node.
    """
    node = _plain(_schema())
    for step in loc:
        models = node.get("discriminator", {}).get("mapping", {})
        if step in models:
            node = _plain({"$ref": models[step]})
            yield None, node
            continue
        inside = (
            node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
        )
        node = _plain(inside or {})
        yield step, node


def node_at(loc: Loc) -> Mapping[str, Any]:
    """What the schema says of a location."""
    nodes = [_plain(_schema()), *(node for _step, node in walk(loc))]
    return nodes[-1]
