"""How a field of the document speaks: in English and in Chinese, with its unit and an example.

All of it goes into the published JSON Schema, which forms, API docs and the sentences about faults
are made from: `title` and `description` are the English, `x-zh` holds both in Chinese, `x-unit` is
one of `UNITS`, `x-labels` says what each value to choose from means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field
from pydantic_core import PydanticUndefined

# What a number counts, as people read it after the number.
UNITS: Mapping[str, tuple[str, str]] = {
    "fen": ("fen", "分"),
    "share": ("of the whole", "占比"),
    "days": ("days", "天"),
    "months": ("months", "个月"),
    "points": ("points", "积分"),
    "score": ("of 100", "分（满分100）"),
    "m2": ("m²", "平方米"),
    "people": ("people", "人"),
    "years": ("years", "岁"),
    "stars": ("stars", "星"),
    "times": ("times", "次"),
    "day_of_month": ("th of the month", "日"),
    "week_of_month": ("th week of the month", "周（当月第几周）"),
    "month_of_quarter": ("th month of the quarter", "月（当季第几月）"),
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
