"""How a field of the document speaks: in English and in Chinese, with its unit and an example.

All of it goes into the published JSON Schema, from which the reference's page of the document, labels
and the sentences about faults are made: `title` and `description` are the English, `x-zh` holds both in
Chinese, `x-unit` is one of `UNITS`, `x-labels` says what each value to choose from means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field
from pydantic_core import PydanticUndefined

# What a number counts, and how people read it with the number n: one of it|several.
UNITS: Mapping[str, tuple[str, str]] = {
    "fen": ("{n} fen", "{n}分"),
    "share": ("{n} of the whole", "占{n}"),
    "days": ("{n} day|{n} days", "{n}天"),
    "months": ("{n} month|{n} months", "{n}个月"),
    "points": ("{n} point|{n} points", "{n}积分"),
    "score": ("{n} of 100", "{n}分（满分100）"),
    "m2": ("{n} m²", "{n}平方米"),
    "people": ("{n} person|{n} people", "{n}人"),
    "years": ("{n} year|{n} years", "{n}岁"),
    "stars": ("{n} star|{n} stars", "{n}星"),
    "times": ("{n} time|{n} times", "{n}次"),
    "day_of_month": ("day {n} of the month", "{n}日"),
    "week_of_month": ("week {n} of the month", "当月第{n}周"),
    "month_of_quarter": ("month {n} of the quarter", "当季第{n}个月"),
}

Both = tuple[str, str]  # English, Chinese


def field(
    title: Both,
    description: Both,
    *,
    example: Any = None,
    unit: str | None = None,
    labels: Mapping[str, Both] | None = None,
    default: Any = PydanticUndefined,
    **limits: Any,
) -> Any:
    """A field of a `Part`, required unless it has a default.

    example: of the value, as JSON; where there is none the schema makes it from what is inside.
    unit: of a number, one of `UNITS`. labels: of each value to choose from.
    """
    extra: dict[str, Any] = {"x-zh": {"title": title[1], "description": description[1]}}
    if unit:
        extra["x-unit"] = unit
    if labels:
        extra["x-labels"] = {
            value: {"en": english, "zh": chinese} for value, (english, chinese) in labels.items()
        }
    return Field(
        default,
        title=title[0],
        description=description[0],
        examples=None if example is None else [example],
        json_schema_extra=extra,
        **limits,
    )
