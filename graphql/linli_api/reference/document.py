"""The operating model's document as a page shows it: every place that its published schema has."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from linli.library.document import canonical
from linli.library.document.faults import right
from linli.library.labels import value_label
from linli.library.places import Node, forms, schema

_TEXT = "Text"  # a text in two languages: told once, not wherever one stands


@dataclass(frozen=True)
class Place:
    """Of a list's items the path has [*]. of: the types of an item that have the place; empty: all.

    allowed: a sentence; choices: each value with what it means; unit: a key of UNITS, or empty.
    example and default are JSON, the latter None where there is none; in_words: the example of a number.
    """

    anchor: str
    path: str
    of: list[str]
    title: str
    help: str
    allowed: str | Promise
    choices: list[tuple[str, str]]
    is_text: bool
    unit: str
    required: bool
    default: str | None
    example: str
    in_words: str


@dataclass(frozen=True)
class Entry:
    """A member of a section, and what is inside it."""

    place: Place
    inside: list[Place]


@dataclass(frozen=True)
class DocumentSection:
    key: str
    title: str | Promise
    help: str | Promise
    entries: list[Entry]


def document_sections() -> list[DocumentSection]:
    """In the order of the document, in the language that is active; what a text is, last."""
    return _sections((get_language() or "").startswith("zh"))


@cache
def _sections(zh: bool) -> list[DocumentSection]:
    sections = [
        DocumentSection(name, _said("title", node, zh), _said("description", node, zh), entries)
        for name, node in schema()["properties"].items()
        if (entries := _entries(name, node, zh))
    ]
    told = _("A name or sentence in Chinese and, if there is one, in English.")
    text = _entries(_TEXT, schema()["$defs"][_TEXT], zh)
    return [*sections, DocumentSection(_TEXT, _("Text"), told, text)]


def _entries(path: str, node: Node, zh: bool) -> list[Entry]:
    return [
        Entry(place, list(_inside(place.path, inner, zh)))
        for place, inner in _members(path, node, zh)
    ]


def _inside(path: str, node: Node, zh: bool) -> Iterator[Place]:
    """Every place below one, each before what is inside it."""
    items = next((form["items"] for form in forms(node) if "items" in form), None)
    if items is not None:
        yield from _inside(f"{path}[*]", items, zh)
    elif not _is_text(node):
        for place, inner in _members(path, node, zh):
            yield place
            yield from _inside(place.path, inner, zh)


def _members(path: str, node: Node, zh: bool) -> Iterator[tuple[Place, Node]]:
    """The members of an object; those that several types of it have alike, once."""
    tag = node.get("discriminator", {}).get("propertyName")
    models = [form for form in forms(node) if "properties" in form]
    alike: dict[str, list[tuple[Node, Node]]] = {}
    for model in models:
        for name, inner in model["properties"].items():
            same = name if name == tag else canonical([name, inner])
            alike.setdefault(same, []).append((model, inner))
    for same, found in alike.items():
        name = tag if same == tag else json.loads(same)[0]
        inner = _any_of([inner for _model, inner in found]) if same == tag else found[0][1]
        some = [model for model, _inner in found] if len(found) < len(models) else []
        of = [model["properties"][tag]["const"] for model in some]
        required = name in found[0][0].get("required", ())
        yield _place(f"{path}.{name}", of, inner, required, zh), inner


def _any_of(types: list[Node]) -> Node:
    """What says of which type an item is: one node for those that each allow one value."""
    labels = {
        one["const"]: {"en": one["description"], "zh": one["x-zh"]["description"]} for one in types
    }
    empty = {"description": "", "x-zh": {**types[0]["x-zh"], "description": ""}}
    return {**types[0], **empty, "x-labels": labels}


def _place(path: str, of: list[str], node: Node, required: bool, zh: bool) -> Place:
    form = next(one for one in forms(node) if one.get("type") != "null")
    labels: Mapping[str, Mapping[str, str]] = node.get("x-labels", {})
    unit, default, example = node.get("x-unit", ""), node.get("default"), node["examples"][0]
    # In the order of the document, which the schema keeps in the values alone.
    values = (form.get("items") or form).get("enum", labels)
    return Place(
        anchor=":".join([path, *of[:1]]),
        path=path,
        of=of,
        title=_said("title", node, zh),
        help=_said("description", node, zh),
        allowed="" if "enum" in form or "const" in form else right(form),
        choices=[(value, labels[value]["zh" if zh else "en"]) for value in values],
        is_text=_is_text(node),
        unit=unit,
        required=required,
        default=None if default is None or isinstance(default, Mapping) else _json(default),
        example=_json(example),
        in_words=value_label(path, example) if unit else "",
    )


def _is_text(node: Node) -> bool:
    return any(form is schema()["$defs"][_TEXT] for form in forms(node))


def _said(word: str, node: Node, zh: bool) -> str:
    return str(node["x-zh"][word] if zh else node[word])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
