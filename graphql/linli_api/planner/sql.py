"""Pieces of SQL with the parameters that belong to them, in the order of their text.

In a piece's text ``%s`` stands for a parameter and ``%%`` for a per cent sign, as Django writes
them; `numbered` turns a finished statement into PostgreSQL's own ``$1``.
"""

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

_PLACE = re.compile(r"%([s%])")


@dataclass(frozen=True)
class Sql:
    text: str
    params: tuple[Any, ...] = ()


def sql(template: str, *pieces: Sql) -> Sql:
    """The template with a piece for each ``{}``."""
    texts = template.split("{}")
    if len(texts) != len(pieces) + 1:
        raise ValueError(f"{len(pieces)} pieces for {template!r}")
    found = [texts[0]]
    for piece, text in zip(pieces, texts[1:], strict=True):
        found += [piece.text, text]
    return Sql("".join(found), tuple(param for piece in pieces for param in piece.params))


def joined(pieces: Iterable[Sql], between: str = ", ") -> Sql:
    pieces = list(pieces)
    return Sql(
        between.join(piece.text for piece in pieces),
        tuple(param for piece in pieces for param in piece.params),
    )


def text(value: str) -> Sql:
    """A literal of ours: a GraphQL name, the key of an enum. Never what a client sent as a value."""
    quoted = value.replace("'", "''").replace("%", "%%")
    return Sql(f"'{quoted}'")


def param(value: Any, type_: str) -> Sql:
    """One parameter: a constant, or a `Hole`'s reading."""
    return Sql(f"%s::{type_}", (value,))


def numbered(statement: Sql, after: int = 0) -> tuple[str, tuple[Any, ...]]:
    """With ``$1``, ``$2`` …, or from beyond ``after``; equal parameters share a number, so that PostgreSQL sees that what it
    groups by is what it selects."""
    numbers: dict[tuple[type, Any], int] = {}
    values: list[Any] = []
    given = iter(statement.params)

    def place(at: re.Match[str]) -> str:
        if at[1] == "%":
            return "%"
        value = next(given)
        key = (type(value), value if isinstance(value, Hashable) else id(value))
        if key not in numbers:
            values.append(value)
            numbers[key] = after + len(values)
        return f"${numbers[key]}"

    return _PLACE.sub(place, statement.text), tuple(values)
