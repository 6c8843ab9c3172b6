"""How far a layer may move from what stands above it (M3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    model_validator,
)

from linli.errors import Refused
from linli.library import paths
from linli.library.document import canonical
from linli.library.frozen import frozen

_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"


# The authorities whose policies bind the tenants below them, models of all kinds.
POLICIES = ("city", "district")
# What one authority may set, and what it may bound.
MOST_PLACES = 500
# Values that one bound may allow.
MOST_ALLOWED = 200


@dataclass(frozen=True)
class Origin:
    """Who set something: a layer or the model itself, since when, and its record."""

    kind: str
    name: str
    since: date | None = None
    ref: UUID | None = None

    @property
    def is_policy(self) -> bool:
        """Whether it was laid down for many, before anyone knew the documents it binds."""
        return self.kind in POLICIES

    def plain(self) -> dict[str, str | None]:
        """As JSON values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "since": self.since.isoformat() if self.since else None,
            "ref": str(self.ref) if self.ref else None,
        }


def _number(value: Any) -> str | int:
    if number(value) is None:
        raise ValueError("a whole number, or a decimal as text")
    exact: str | int = value
    return exact


def number(value: Any) -> Decimal | None:
    """The exact number of a rate or a whole number in a document, or None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and len(value) <= 40 and re.fullmatch(_NUMBER, value):
        return Decimal(value)
    return None


_Fixed = Annotated[JsonValue, AfterValidator(frozen)]
Number = Annotated[str | int, PlainValidator(_number)]


class Bound(BaseModel):
    """Exactly one of: locked; a range, open or closed, ends included; a set of allowed values.

    A list of plain values is within a set when each of its values is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    locked: bool = Field(default=False)
    minimum: Number | None = None
    maximum: Number | None = None
    one_of: Annotated[tuple[_Fixed, ...], Field(min_length=1, max_length=MOST_ALLOWED)] | None = (
        None
    )

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        ranged = self.minimum is not None or self.maximum is not None
        if [self.locked, ranged, self.one_of is not None].count(True) != 1:
            raise ValueError("one of locked, a range, a set")
        low, high = number(self.minimum), number(self.maximum)
        if low is not None and high is not None and low > high:
            raise ValueError("the minimum is above the maximum")
        return self

    def plain(self) -> dict[str, Any]:
        """As JSON values, what is not set left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


def parse_bounds(raw: Mapping[str, Any]) -> dict[str, Bound]:
    """Bounds by path, as they are stored. Refused: UNKNOWN_PATH (its form), BOUND_INVALID.

    What somebody writes is also held to the schema: `linli.library.written`.
    """
    return {path: _parse_bound(path, value) for path, value in raw.items()}


def check_shape(path: str, raw: Any) -> None:
    """A bound that is still being written: of known members, be they wrong ones or too many.

    Refused: UNKNOWN_PATH (its form), BOUND_INVALID.
    """
    paths.steps(path)
    shaped = isinstance(raw, Mapping) and raw.keys() <= Bound.model_fields.keys()
    if not shaped or not isinstance(raw.get("locked", False), bool):
        raise _invalid(path)
    if (
        not isinstance(raw.get("one_of", []), list | tuple)
        or len(raw.get("one_of", ())) > MOST_ALLOWED
    ):
        raise _invalid(path)


def _parse_bound(path: str, raw: Any) -> Bound:
    paths.steps(path)
    try:
        return Bound.model_validate_json(canonical(raw))
    except (TypeError, ValueError):  # pydantic's, and json's about NaN and what is no JSON
        raise _invalid(path) from None


def _invalid(path: str) -> Refused:
    return Refused(
        "BOUND_INVALID",
        _(
            'A bound is one of: {"locked": true}; {"minimum": "0.01", "maximum": "0.05"}, '
            'either of them or both, smaller first; {"one_of": [the allowed values]}.'
        ),
        field=path,
    )
