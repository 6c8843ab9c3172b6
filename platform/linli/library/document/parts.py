"""What the sections of an operating model are built from."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

KEY_PATTERN = "^[a-z][a-z0-9_]*$"
RATE_PATTERN = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$"
MOST_ITEMS = 200  # in any one list


class Part(BaseModel):
    """Nothing unknown, nothing guessed, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _rate(value: Any) -> Decimal:
    if not isinstance(value, str) or re.fullmatch(RATE_PATTERN, value) is None:
        raise PydanticCustomError("rate", "not a rate")
    return Decimal(value)


def decimal_text(value: Decimal) -> str:
    """One spelling for one number: 0.030 → "0.03", so that equal documents hash equal."""
    return format(value.normalize(), "f")


Key = Annotated[
    str,
    Field(
        pattern=KEY_PATTERN,
        max_length=40,
        title="Key (标识)",
        description="Names this item in paths and records; stays the same when titles change.",
        examples=["stationed"],
    ),
]

Rate = Annotated[
    Decimal,
    PlainValidator(_rate),
    PlainSerializer(decimal_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": RATE_PATTERN, "examples": ["0.03"]}),
]


class Text(Part):
    """A name or sentence in Chinese and, if there is one, in English."""

    zh: str = Field(
        title="Chinese (中文)", description="Shown by default.", min_length=1, max_length=200
    )
    en: str | None = Field(
        default=None,
        title="English (英文)",
        description="Shown to readers of English; the Chinese stands in where it is absent.",
        min_length=1,
        max_length=200,
    )


class Titled(Part):
    """An item of a list: found by its key, shown by its title."""

    key: Key
    title: Text = Field(title="Title (名称)", description="What people read.")


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


_K = TypeVar("_K", bound=_Keyed)
_V = TypeVar("_V")


def _unique(values: list[Any]) -> None:
    for value, count in Counter(values).items():
        if count > 1:
            raise PydanticCustomError("repeated", "repeated", {"value": value})


def _unique_keys(items: tuple[_K, ...]) -> tuple[_K, ...]:
    _unique([item.key for item in items])
    return items


def _unique_values(items: tuple[_V, ...]) -> tuple[_V, ...]:
    _unique(list(items))
    return items


def sums_to_one(name: str) -> AfterValidator:
    """The rates called `name` of a list's items sum to exactly 1."""

    def check(items: tuple[Any, ...]) -> tuple[Any, ...]:
        total = sum((getattr(item, name) for item in items), Decimal(0))
        if total != 1:
            raise PydanticCustomError("sum", "sum", {"name": name, "sum": decimal_text(total)})
        return items

    return AfterValidator(check)


# Lists whose items are found by key, and lists of plain choices; no item twice in either.
Items = Annotated[tuple[_K, ...], Field(max_length=MOST_ITEMS), AfterValidator(_unique_keys)]
Choices = Annotated[
    tuple[_V, ...], Field(min_length=1, max_length=MOST_ITEMS), AfterValidator(_unique_values)
]
