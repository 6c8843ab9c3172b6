"""Where in a request something stands, as an error's `field` says it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from linli.library.document.faults import inside, keyed

# Of a model's whole document among an input's members.
DOCUMENT = "document"
LONGEST_NAME = 80
LONGEST_FIELD = 500

Path = Sequence[str | int]


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A value in what was sent. step: its name, or its position in a list."""

    value: Any
    holder: Member | None = None
    step: str | int = ""

    @property
    def path(self) -> list[str | int]:
        steps: list[str | int] = []
        member = self
        while member.holder is not None:
            steps.append(member.step)
            member = member.holder
        return steps[::-1]


def members(value: Any) -> Iterator[Member]:
    """The value and all that stands in it, in the order in which it was written, however deep."""
    waiting = [Member(value)]
    while waiting:
        member = waiting.pop()
        yield member
        one = member.value
        if isinstance(one, dict | list):
            inner = one.items() if isinstance(one, dict) else enumerate(one)
            waiting += [Member(below, member, step) for step, below in inner][::-1]


def field_at(path: Path, sent: Any) -> str | None:
    """The path as the input's: below the variables, without `input`, which every mutation has.

    Names by dots and items by position, ``lines.0.amountFen``; inside of a model's document as its
    paths are, items by key: ``document.partners.contributions[stationed].rate``.
    path: from what was sent, the body or the arguments. None where nothing is left.
    """
    value, left = sent, list(path)
    for dropped in ("variables", "input"):
        if len(left) > 1 and left[0] == dropped:
            value, left = inside(value, left[0]), left[1:]
    names: list[str] = []
    while left:
        step = left.pop(0)
        value = inside(value, step)
        names.append(str(step)[:LONGEST_NAME])
        if step == DOCUMENT and left:
            inner = keyed(value, left)
            names[-1] += inner if inner.startswith("[") else f".{inner}"
            break
    field = ".".join(names)[:LONGEST_FIELD]
    return field.encode(errors="replace").decode() or None  # half a character stands nowhere
