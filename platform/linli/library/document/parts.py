"""What the sections of an operating model are built from."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from linli.accounts.roles import Role
from linli.library.document.wording import field
from linli.rules import is_blank

KEY_PATTERN = "^[a-z][a-z0-9_]*$"
LONGEST_KEY = 40
RATE_PATTERN = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$"
MOST_ITEMS = 200  # in any one list
MOST_FEN = 10**11  # a thousand million yuan: more than any place of a model is about

_PART_OF = {"%": 2, "％": 2, "‰": 3}
_PERCENT = re.compile(r"\s*([0-9]{1,4}(?:\.[0-9]{1,6})?)\s*([%％‰])\s*")
# A comma only behind nothing or 0: "1,000" may be a thousand. And 3 may be 3 % or a slip.
_FRACTION = re.compile(r"\s*(0*[.,，][0-9]{1,12}|1\.0{1,12})\s*")


class Part(BaseModel):
    """Nothing unknown, nothing guessed, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _rate(value: Any) -> Decimal:
    if not isinstance(value, str) or re.fullmatch(RATE_PATTERN, value) is None:
        if meant := _meant(value):
            raise PydanticCustomError("rate", "rate", {"value": str(value), "right": meant})
        raise PydanticCustomError("no_rate", "no rate")
    return Decimal(value)


def _meant(value: Any) -> str | None:
    """The rate that somebody meant who wrote "3%", "2‰", ".03", "0,03" or the number 0.03."""
    text = str(value)
    if percent := _PERCENT.fullmatch(text):
        exact = Decimal(percent[1]).scaleb(-_PART_OF[percent[2]])
    elif fraction := _FRACTION.fullmatch(text):
        exact = Decimal(re.sub("[,，]", ".", fraction[1]))
    else:
        return None
    right = decimal_text(exact)
    return right if re.fullmatch(RATE_PATTERN, right) else None


def decimal_text(value: Decimal) -> str:
    """One spelling for one number: 0.030 → "0.03", so that equal documents hash equal."""
    return format(value.normalize(), "f")


Key = Annotated[str, Field(pattern=KEY_PATTERN, max_length=LONGEST_KEY)]

Rate = Annotated[
    Decimal,
    PlainValidator(_rate),
    PlainSerializer(decimal_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": RATE_PATTERN}),
]


def _known(roles: tuple[str, ...]) -> PlainValidator:
    def check(value: Any) -> str:
        if value not in roles:
            raise PydanticCustomError("role", "no such role")
        return str(value)

    return PlainValidator(check)


# The platform's roles are fixed; a model only says which of them makes a move. Its operator and a
# machine answer for no partner and no money; an auditor changes nothing, but an audit is a step too.
_STEPS = tuple(r.value for r in Role if r not in (Role.PLATFORM_OPERATOR, Role.INTEGRATOR))
_MOVES = tuple(role for role in _STEPS if role != Role.AUDITOR)
MoveRole = Annotated[str, _known(_MOVES), WithJsonSchema({"type": "string", "enum": list(_MOVES)})]
StepRole = Annotated[str, _known(_STEPS), WithJsonSchema({"type": "string", "enum": list(_STEPS)})]

STEP_LABELS = {
    "city_supervisor": ("City supervisor", "市级督导"),
    "district_administrator": ("District administrator", "区级管理员"),
    "street_administrator": ("Street administrator", "街道管理员"),
    "community_secretary": ("Community party secretary", "社区书记"),
    "community_worker": ("Community worker", "社区工作者"),
    "committee_member": ("Fund committee member", "基金管委会委员"),
    "charity_approver": ("Host charity approver", "慈善总会审批人"),
    "charity_cashier": ("Host charity cashier", "慈善总会出纳"),
    "partner": ("Partner", "合伙人"),
    "auditor": ("Auditor", "审计"),
}
MOVE_LABELS = {role: STEP_LABELS[role] for role in _MOVES}


def _seen(text: str) -> str:
    if is_blank(text):
        raise PydanticCustomError("blank", "blank")
    return text


Seen = Annotated[str, AfterValidator(_seen)]


class Text(Part):
    """A name or sentence in Chinese and, if there is one, in English."""

    zh: Seen = field(
        ("Chinese", "中文"),
        ("Shown by default.", "默认显示。"),
        example="助老食堂",
        min_length=1,
        max_length=200,
    )
    en: Seen | None = field(
        ("English", "英文"),
        (
            "Shown to readers of English; the Chinese stands in where it is absent.",
            "显示给英文读者；没有时以中文代替。",
        ),
        example="Canteen for the old",
        default=None,
        min_length=1,
        max_length=200,
    )


class Titled(Part):
    """An item of a list: found by its key, shown by its title."""

    key: Key = field(
        ("Key", "标识"),
        (
            "Names this item in paths and records; stays the same when titles change.",
            "在路径和记录中指代此项；名称改变时保持不变。",
        ),
        example="canteen",
    )
    title: Text = field(("Title", "名称"), ("What people read.", "供人阅读的名称。"))


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


@dataclass(frozen=True)
class SumsToOne:
    """The rates of this name of a list's items sum to exactly 1; the schema says so as well."""

    name: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "x-sums-to-one": self.name}

    def _check(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        total = sum((getattr(item, self.name) for item in items), Decimal(0))
        if total != 1:
            kind = "sum_short" if total < 1 else "sum_over"
            off = decimal_text(abs(1 - total))
            raise PydanticCustomError(
                kind, "sum", {"name": self.name, "sum": decimal_text(total), "off": off}
            )
        return items


# Lists whose items are found by key, and lists of plain choices; no item twice in either.
Items = Annotated[tuple[_K, ...], Field(max_length=MOST_ITEMS), AfterValidator(_unique_keys)]
Choices = Annotated[
    tuple[_V, ...], Field(min_length=1, max_length=MOST_ITEMS), AfterValidator(_unique_values)
]
# The keys of items elsewhere in the document; none where it is about all of them.
Keys = Annotated[tuple[Key, ...], Field(max_length=MOST_ITEMS), AfterValidator(_unique_values)]
