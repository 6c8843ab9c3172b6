"""Places, values and bounds of a document in the reader's words, for whatever shows them. Pure.

The words are those of the published schema (`x-zh`, `x-unit`, `x-labels`) and, for items of a list,
of the documents themselves: `partners.contributions[stationed].rate` is “合伙人 › 反哺规则 ›
常驻合伙人按收入比例反哺 › 比例”, "0.03" there is “3 %”. Nothing is refused: drafts may hold anything, and
what the schema does not know goes by its own name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

from django.utils.functional import lazy
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from linli.errors import Refused
from linli.library import paths
from linli.library.bounds import number
from linli.library.document import OperatingModel, canonical, plain
from linli.library.document.wording import UNITS
from linli.library.places import Node, fitting, forms, inside, schema
from linli.money import yuan

BETWEEN = " › "
LONGEST = 300  # characters of a value in words

Given = OperatingModel | Mapping[str, Any]


def label(path: str, *documents: Given) -> str:
    """A path in words, in the language that is active; what is no path as it stands.

    documents: where the place and the titles of items are looked up, the first that has it; an item
    that none has goes by its key, and what the schema does not know by its name.
    Whoever labels many places gives JSON values (`plain`), so that they are made once.
    """
    return BETWEEN.join(name for name, _nodes in _walk(path, documents)) or path


def value_label(path: str, value: Any, *documents: Given) -> str:
    """A value at a path in words: "3 %", "50.00 元", "18个月", 核心, the title of an item with what
    it says in brackets. Null is "none", as an empty list is; what is longer than LONGEST is cut.

    A list of items may be given by their keys, as a change of their order is.
    """
    nodes = _nodes(path, documents)
    if isinstance(value, list) and _keyed(nodes):
        value = [_item(f"{path}[{one}]", one, documents) for one in value]
    return _cut(_said(value, nodes))


def members_label(path: str, item: Any, *documents: Given) -> str:
    """What an item at a path says beside its key and title; empty where that is nothing."""
    return _cut(_members(item, _nodes(path, documents))) if isinstance(item, Mapping) else ""


def bound_label(path: str, bound: Mapping[str, Any] | None, *documents: Given) -> str:
    """A bound of a path in words: free, locked, 1 % to 5 %, one of 12 months, 18 months."""

    def told(value: Any) -> str:
        return value_label(path, value, *documents)

    if not bound:
        return _("free")
    if bound.get("locked"):
        return _("locked")
    if bound.get("one_of") is not None:
        return _("one of {values}").format(values=_row(map(told, bound["one_of"])))
    low, high = bound.get("minimum"), bound.get("maximum")
    if high is None:
        return _("at least {minimum}").format(minimum=told(low))
    if low is None:
        return _("at most {maximum}").format(maximum=told(high))
    return _("{minimum} to {maximum}").format(minimum=told(low), maximum=told(high))


# The same, in the language in which a sentence that quotes them is read.
label_lazy = lazy(label, str)
value_label_lazy = lazy(value_label, str)
bound_label_lazy = lazy(bound_label, str)


# ── Places ───────────────────────────────────────────────────────────────────────────────────────


def _walk(path: str, documents: Iterable[Given]) -> list[tuple[str, list[Node]]]:
    """Each step of a path in words, with what the schema declares there; none of what is no path."""
    try:
        steps = paths.steps(path)
    except Refused:
        return []
    given = [plain(one) if isinstance(one, OperatingModel) else one for one in documents]
    values: list[Any] = sorted(given, key=lambda one: not paths.exists(one, path))
    nodes: list[Node] = [schema()]
    found = []
    for step in steps:
        there = _first(values)
        nodes = inside([form for node in nodes for form in fitting(node, there)], step)
        values = [paths.child(one, step) for one in values]
        found.append((_name(step, nodes, _first(values)), nodes))
    return found


def _name(step: str, nodes: Iterable[Node], value: Any) -> str:
    if step == paths.EVERY:
        return _("each")
    if step.startswith("["):
        return _title(value) or step[1:-1]
    node: Node = next((node for node in nodes if "title" in node), {})
    told: str = (_chinese() and node.get("x-zh", {}).get("title")) or node.get("title", step)
    return told


def _nodes(path: str, documents: Iterable[Given]) -> list[Node]:
    walked = _walk(path, documents)
    return walked[-1][1] if walked else []


def _first(values: Iterable[Any]) -> Any:
    return next((one for one in values if one is not None), None)


def _title(item: Any) -> str:
    """What the document calls an item of a list; empty where it has no title."""
    title = item.get("title") if isinstance(item, Mapping) else None
    return _in_language(title) if _is_text(title) else ""


def _is_text(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether it is a name or sentence in one or two languages."""
    return isinstance(value, Mapping) and {"zh"} <= value.keys() <= {"zh", "en"}


def _in_language(text: Mapping[str, Any]) -> str:
    """In the reader's language; the Chinese where there is no other."""
    told = text["zh"] if _chinese() else text.get("en") or text["zh"]
    return told if isinstance(told, str) else canonical(told)


def _chinese() -> bool:
    return (get_language() or "").startswith("zh")


# ── Values ───────────────────────────────────────────────────────────────────────────────────────


def _said(value: Any, nodes: Sequence[Node], *, briefly: bool = False) -> str:
    """A value declared as one of these; briefly: an item by its title or key alone."""
    if value is None or value in ([], {}):
        return _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        items = [form["items"] for form in _forms(nodes) if "items" in form]
        return _row(_said(one, [*nodes, *items], briefly=briefly) for one in value)
    if isinstance(value, Mapping):
        return _in_language(value) if _is_text(value) else _object(value, nodes, briefly)
    if named := _declared(nodes, "x-labels", {}).get(value):
        return str(named["zh" if _chinese() else "en"])
    return _counted(value, _declared(nodes, "x-unit", None))


def _counted(value: Any, unit: str | None) -> str:
    """A text or a number, with what it counts."""
    exact = number(value)
    if exact is None or unit is None:
        return value if isinstance(value, str) else canonical(value)
    if unit == "share":
        return f"{format((exact * 100).normalize(), 'f')} %"
    if unit == "fen" and exact == int(exact):  # a bound may write a whole number as text
        return _("{amount} yuan").format(amount=yuan(int(exact)))
    one, _or, several = UNITS[unit][_chinese()].rpartition("|")
    return (one if one and exact == 1 else several).format(n=value)


def _object(value: Mapping[str, Any], nodes: Sequence[Node], briefly: bool) -> str:
    name = _title(value) or (value["key"] if isinstance(value.get("key"), str) else "")
    told = "" if name and briefly else _members(value, nodes)
    if name and told:
        return _("{item} ({members})").format(item=name, members=told)
    return name or told or canonical(value)


def _members(value: Mapping[str, Any], nodes: Sequence[Node]) -> str:
    """What an object says beside its key and title, without what it leaves open."""
    told = []
    there = [form for node in nodes for form in fitting(node, value)]
    for name, inner in value.items():
        if name in ("key", "title") or inner is None or inner in ([], {}):
            continue
        declared = inside(there, name)
        text = _said(inner, declared, briefly=True)
        told.append(_("{label}: {value}").format(label=_name(name, declared, inner), value=text))
    return pgettext("between the members of an item", "; ").join(told)


def _item(path: str, item: Any, documents: Iterable[Given]) -> Any:
    """An item that was given by its key, by its title."""
    walked = _walk(path, documents) if isinstance(item, str) else []
    return walked[-1][0] if walked else item


def _keyed(nodes: Sequence[Node]) -> bool:
    return bool(inside(nodes, paths.EVERY))


def _declared(nodes: Sequence[Node], word: str, default: Any) -> Any:
    """What the schema says in this word, at the place or of one of the things it may be."""
    return next((node[word] for node in [*nodes, *_forms(nodes)] if word in node), default)


def _forms(nodes: Iterable[Node]) -> list[Node]:
    return [form for node in nodes for form in forms(node)]


def _row(texts: Iterable[str]) -> str:
    return pgettext("between values in a row", ", ").join(texts)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
