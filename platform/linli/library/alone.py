"""A value by itself, at a place of a document that is not there yet: what is wrong with it whoever sets it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from linli.errors import Refused
from linli.library import paths
from linli.library.document import faults_in_parts
from linli.library.places import Node, child, fixed, forms, schema


def faults_at(path: str, value: Any) -> list[Refused]:
    """What is wrong with a value at a possible place by itself; none where some model may have it.

    DOCUMENT_INVALID, each at its path. `[*]` stands for an item with a key.
    """
    place = path.replace(paths.EVERY, "[each]")
    first: list[Refused] = []
    for document in _alone(schema(), paths.steps(place), value):
        faults = [one for one in faults_in_parts(document) if _is_at(one.field or "", place)]
        if not faults:
            return []
        first = first or faults
    return first


def _alone(node: Node, steps: paths.Steps, value: Any) -> Iterator[Any]:
    """What holds nothing but this value, once for each form of what it may stand in."""
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    for form in forms(node):
        if (declared := child(form, step)) is None:
            continue
        for inner in _alone(declared, rest, value):
            if not step.startswith("["):
                yield fixed(form) | {step: inner}
            else:
                yield [{"key": step[1:-1], **inner} if rest else inner]


def _is_at(field: str, place: str) -> bool:
    return field == place or field.startswith((f"{place}.", f"{place}["))
