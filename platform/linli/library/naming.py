"""What people call a place of a document, in the reader's language: 合伙人 › 反哺规则 › 比例."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from linli.errors import Refused
from linli.library import paths
from linli.library.places import Node, fitting, inside, schema

BETWEEN = " › "


def label(path: str, document: Mapping[str, Any]) -> str:
    """Members by the schema's titles, items by their own in ``document``; else as in the path."""
    found = along(path, document)
    if not found:
        return path
    return BETWEEN.join(
        _each_or_title(step, value) if step.startswith("[") else title_of(nodes) or step
        for step, nodes, value in found
    )


def along(path: str, document: Mapping[str, Any]) -> list[tuple[str, list[Node], Any]]:
    """Each step of a path with what the schema declares there and what stands there, None for
    nothing. Empty for what is no path, as a draft may hold."""
    try:
        steps = paths.steps(path)
    except Refused:
        return []
    nodes: list[Node] = [schema()]
    value: Any = document
    found = []
    for step in steps:
        nodes = inside([form for node in nodes for form in fitting(node, value)], step)
        value = paths.child(value, step)
        found.append((step, nodes, value))
    return found


def title_of(nodes: Iterable[Node]) -> str:
    """What the schema calls a member; empty where it does not know it."""
    node = next((node for node in nodes if "title" in node), {})
    told: str = (_chinese() and node.get("x-zh", {}).get("title")) or node.get("title", "")
    return told


def title_of_item(item: Any) -> str:
    """What the document calls an item of a list; empty where it has no title."""
    title = item.get("title") if isinstance(item, Mapping) else None
    return in_language(title) if title is not None and is_text(title) else ""


def in_language(text: Mapping[str, Any]) -> str:
    """A text of a document in the reader's language; the Chinese where there is no other."""
    told = text.get("zh") if _chinese() else text.get("en") or text.get("zh")
    return told if isinstance(told, str) else ""


def is_text(value: Any) -> bool:
    """Whether it is a name or sentence in one or two languages."""
    return isinstance(value, Mapping) and {"zh"} <= value.keys() <= {"zh", "en"}


def _each_or_title(step: str, item: Any) -> str:
    return _("each") if step == paths.EVERY else title_of_item(item) or step


def _chinese() -> bool:
    return (get_language() or "").startswith("zh")
