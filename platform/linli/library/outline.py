"""A document as the published schema lays it out, whether it is valid or still being written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from linli.errors import Refused
from linli.library.document import parse_document, plain
from linli.library.places import Node, fitting, forms, schema


def laid_out(document: Mapping[str, Any]) -> dict[str, Any]:
    """Each field at its place, defaults included, what the schema does not know last.

    Of a valid document that is `plain`; of any other its own values in the same order, so that the
    two can be compared. PostgreSQL keeps a document's members in an order of its own.
    """
    try:
        return plain(parse_document(document))
    except Refused:
        laid: dict[str, Any] = _laid(schema(), document)
        return laid


def _laid(node: Node | None, value: Any) -> Any:
    if isinstance(value, list):
        items = next((form["items"] for form in forms(node or {}) if "items" in form), None)
        return [_laid(items, one) for one in value]
    if not isinstance(value, Mapping):
        return value
    known: Mapping[str, Node] = {}
    for form in fitting(node or {}, value):
        known = {**form.get("properties", {}), **known}
    laid = {
        name: _laid(inner, value.get(name, inner.get("default")))
        for name, inner in known.items()
        if name in value or "default" in inner
    }
    return laid | {name: value[name] for name in sorted(value) if name not in known}
