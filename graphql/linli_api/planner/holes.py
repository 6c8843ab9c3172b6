"""What a plan leaves open: values that are read when it runs, put into querysets as expressions.

The planner calls the same selectors, filters and pages as the executor, with holes where values
will be. So what narrows rows is written once, and a plan made for one person serves whoever has
the same permissions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Expression, Field

from linli.accounts.models import Person
from linli.accounts.policy import Actor, Permission
from linli.registry.models import Tenant

# By what Python calls it, or Django the column: what PostgreSQL calls it.
_OF_VALUE = {
    UUID: "uuid",
    str: "text",
    int: "bigint",
    bool: "boolean",
    date: "date",
    datetime: "timestamptz",
}
_OF_FIELD = {
    "UUIDField": "uuid",
    "CharField": "text",
    "SlugField": "text",
    "TextField": "text",
    "DateField": "date",
    "DateTimeField": "timestamptz",
    "BigIntegerField": "bigint",
    "FenField": "bigint",
    "IntegerField": "bigint",
    "PositiveIntegerField": "bigint",
    "PositiveSmallIntegerField": "bigint",
    "ForeignKey": "uuid",
}


# What Django is to take a hole for.
_FIELDS: dict[str, type[Field]] = {
    "uuid": models.UUIDField,
    "text": models.TextField,
    "jsonb": models.JSONField,
    "date": models.DateField,
    "timestamptz": models.DateTimeField,
    "bigint": models.BigIntegerField,
    "boolean": models.BooleanField,
}


class Unplanned(Exception):
    """The planner does not know this, or it would end in an error: the executor answers."""


@dataclass(frozen=True)
class Reading:
    """A parameter of a plan: how it is read from what a run knows."""

    read: Callable[[Any], Any]


class Hole(Expression):
    """A value that is read when the plan runs; ``many`` of them stand in for a list."""

    def __init__(self, read: Callable[[Any], Any], type_: str, *, many: bool = False) -> None:
        super().__init__(output_field=_FIELDS[type_]())
        self.reading, self.type, self.many = Reading(read), type_, many

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        if self.many:
            return f"(SELECT unnest(%s::{self.type}[]))", [self.reading]
        if self.type == "jsonb":
            return "to_jsonb(%s::text)", [self.reading]
        return f"%s::{self.type}", [self.reading]

    def get_source_expressions(self) -> list[Any]:
        return []


class Outer(Expression):
    """A column of a row outside the queryset."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return self.text, []

    def get_source_expressions(self) -> list[Any]:
        return []


def type_of_value(value: Any) -> str:
    try:
        return _OF_VALUE[type(value)]
    except KeyError:
        raise Unplanned(f"a value of {type(value)}") from None


def type_of_field(field: Field) -> str:
    try:
        return _OF_FIELD[type(field).__name__]
    except KeyError:
        raise Unplanned(f"a column of {type(field)}") from None


class Probe:
    """An actor as selectors see it while a plan is made.

    Communities come out as holes. Whoever looks at the person or the tenant makes the plan theirs
    alone (``personal``).
    """

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self.personal = False
        self.grants = actor.grants

    def communities(self, permission: Permission) -> Any:
        if self._actor.communities(permission) is None:
            return None
        return Hole(lambda run: list(run.actor.communities(permission)), "uuid", many=True)

    def held_in(self, permission: Permission) -> Any:
        """Asked of the database each time: a plan would keep what it once was."""
        raise Unplanned("where somebody holds a permission")

    @property
    def person(self) -> Person | None:
        self.personal = True
        return self._actor.person

    @property
    def tenant(self) -> Tenant | None:
        self.personal = True
        return self._actor.tenant

    def __getattr__(self, name: str) -> Any:
        if name in ("allows", "require", "require_somewhere", "holds", "reach"):
            return getattr(self._actor, name)
        self.personal = True
        return getattr(self._actor, name)
