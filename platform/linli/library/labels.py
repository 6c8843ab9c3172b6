"""Places and values of a document in the reader's words, for previews and diffs. Pure.

The words are those of the published schema and, for items of a list, of the document itself:
`partners.contributions[stationed].rate` is “合伙人 › 反哺规则 › 常驻合伙人按收入比例反哺 › 比例”.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from linli.errors import Refused
from linli.library import paths
from linli.library.bounds import number
from linli.library.document import OperatingModel, canonical, json_schema, plain
from linli.library.document.wording import UNITS
from linli.money import yuan

BETWEEN = " › "

Given = OperatingModel | Mapping[str, Any]


def label(path: str, *documents: Given) -> str:
    """A path in words, in the language that is active.

    documents: where items are looked up by their key for their titles, the first that has it; an
    item that none has goes by its key, and what the schema does not know by its name.
    Whoever labels many places gives JSON values (`plain`), so that they are made once.
    Refused: UNKNOWN_PATH, of what is no path by its form.
    """
    return BETWEEN.join(title for title, _node in _walk(path, documents))


def value_label(path: str, value: Any, *documents: Given) -> str:
    """A value at a path in words: "3 %", "50.00 元", "18个月", the title of an item.

    A list of items may be given by their keys, as a change of their order is.
    """
    *_above, (_title, node) = _walk(path, documents)
    if isinstance(value, list) and _keyed(node):
        value = [
            label(f"{path}[{one}]", *documents).rpartition(BETWEEN)[2]
            if isinstance(one, str)
            else one
            for one in value
        ]
    return _said(node, value, _chinese())


def _keyed(node: Mapping[str, Any]) -> bool:
    return any("key" in form.get("properties", {}) for form in _forms(node.get("items", {})))


def _said(node: Mapping[str, Any], value: Any, chinese: bool) -> str:
    unit, exact = node.get("x-unit"), number(value)
    if value is None:
        return _("not set")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        between = "、" if chinese else ", "
        return between.join(_said(node, one, chinese) for one in value) or _("none")
    if isinstance(value, Mapping):
        text = value.get("title", value)
        return _text(text, chinese) if "zh" in text else canonical(value)
    if named := node.get("x-labels", {}).get(value):
        return str(named["zh" if chinese else "en"])
    if exact is None or unit is None:
        return str(value)
    if unit == "fen":
        return f"{yuan(int(exact))} {'元' if chinese else 'yuan'}"
    if unit == "share":
        return f"{format((exact * 100).normalize(), 'f')} %"
    one, _or, several = UNITS[unit][chinese].rpartition("|")
    return (one if one and exact == 1 else several).format(n=value)


def _walk(path: str, documents: tuple[Given, ...]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each step of a path in words, with what the schema says of it."""
    chinese = _chinese()
    plains = [plain(one) if isinstance(one, OperatingModel) else one for one in documents]
    node: Mapping[str, Any] = _schema()
    taken: list[str] = []
    for step in paths.steps(path):
        taken.append(step)
        value = _value(paths.join(taken), plains)
        if not step.startswith("["):
            node = _member(node, step)
            yield _title(node, chinese) or step, node
        elif step == paths.EVERY:
            node = node.get("items", {})
            yield _("each"), node
        else:
            node = _form(node.get("items", {}), value)
            titled = isinstance(value, Mapping) and value.get("title")
            yield (_text(titled, chinese) if titled else step[1:-1]), node


def _member(node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The node of a member, itself and what it refers to in one; of several forms, who has it."""
    for form in _forms(node):
        inside = form.get("properties", {}).get(name)
        if inside is not None:
            (*_more, whole) = _forms(inside)
            return {**whole, **inside}
    return {}


def _form(items: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
    """Which of several forms an item has, by its type; all of them where that is not known."""
    models = items.get("discriminator", {}).get("mapping", {})
    kind = value.get(items["discriminator"]["propertyName"]) if models and value else None
    return {"$ref": models[kind]} if kind in models else items


def _forms(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in node:
        yield from _forms(_schema()["$defs"][node["$ref"].rpartition("/")[2]])
    elif options := node.get("anyOf") or node.get("oneOf"):
        for option in options:
            if option.get("type") != "null":
                yield from _forms(option)
    else:
        yield node


def _title(node: Mapping[str, Any], chinese: bool) -> str | None:
    return (chinese and node.get("x-zh", {}).get("title")) or node.get("title")


def _text(text: Mapping[str, Any], chinese: bool) -> str:
    return str(text["zh"] if chinese else text.get("en") or text["zh"])


def _value(path: str, documents: list[Mapping[str, Any]]) -> Any:
    for document in documents:
        try:
            return paths.get(document, path)
        except Refused:
            continue
    return None


def _chinese() -> bool:
    return (get_language() or "zh").startswith("zh")


@cache
def _schema() -> Mapping[str, Any]:
    return json_schema()
