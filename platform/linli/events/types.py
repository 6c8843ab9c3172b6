"""What can be told: each type of event with what it is about and what it carries.

A domain states its types in a module ``events`` of its own, found when the platform starts. The
API's enum, the table in docs/events.md and `emit` all read them here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

from django.db.models import TextChoices

from linli.accounts.policy import Permission
from linli.ids import encode
from linli.money import yuan
from linli.rules import camel_case

TEST = "webhook.test"
PAUSED = "webhook.paused"


# As GraphQL has it: ``!`` for what is never null.
Form = Literal["String!", "String", "[String!]!", "Int!", "Boolean!", "Fen!", "Date!", "DateTime!"]


@dataclass(frozen=True)
class Id:
    """A field that holds the global id of a type of the API."""

    of: str
    description: str
    form: Literal["ID!", "ID"] = "ID!"
    deprecation: str = ""


@dataclass(frozen=True)
class Value:
    """A field that holds a state, a day, a number or an amount: never a person's name.

    one_of: what it holds, where that is one of few; an enum of the API has the same.
    """

    description: str
    form: Form = "String!"
    deprecation: str = ""
    one_of: type[TextChoices] | None = None

    def holds(self, value: Any) -> bool:
        return self.one_of is None or value in self.one_of.values


Fields = Mapping[str, Id | Value]


@dataclass(frozen=True)
class EventType:
    """``name`` is stable. ``about``: the type of the API whose object the event names.
    ``permission``: who may read the domain may hear of it. ``data``: its fields, all always there;
    beside an amount in fen goes the same as text in yuan. Clients count on all of it as on the
    schema: what is to go has a ``deprecation`` first, a notice as `linli_api.evolution.notice` has it.
    """

    name: str
    about: str
    permission: Permission
    description: str
    data: Fields = field(default_factory=dict)
    deprecation: str = ""

    @cached_property
    def wire_fields(self) -> dict[str, Id | Value]:
        """What goes out, by the name it goes under."""
        return {
            spelled: self.data[name] if name in self.data else _beside(self.data[_in_fen(name)])
            for name, spelled in self.wire_names.items()
        }

    @cached_property
    def wire_names(self) -> dict[str, str]:
        """As the API spells them: community_id → communityId; each amount in yuan beside its fen."""
        names = {}
        for name in self.data:
            names[name] = camel_case(name)
            if name.endswith("_fen"):
                names[_in_yuan(name)] = camel_case(_in_yuan(name))
        return names

    def carried(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The fields as they go out; TypeError where they are not those that were declared."""
        if given.keys() != self.data.keys():
            raise TypeError(f"{self.name} carries {sorted(self.data)}, not {sorted(given)}")
        for name, kind in self.data.items():
            if isinstance(kind, Value) and not kind.holds(given[name]):
                raise TypeError(f"{self.name} promises no {name} of {given[name]!r}")
        values = {name: _written(kind, given[name]) for name, kind in self.data.items()}
        in_yuan = {_in_yuan(n): yuan(fen) for n, fen in given.items() if n.endswith("_fen")}
        values |= in_yuan
        return {spelled: values[name] for name, spelled in self.wire_names.items()}


def _written(kind: Id | Value, value: Any) -> Any:
    """Keys as global ids, and instants as the event's own `at`."""
    if isinstance(kind, Id) and value is not None:
        return encode(kind.of, value)
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _in_yuan(name: str) -> str:
    return f"{name.removesuffix('_fen')}_yuan"


def _in_fen(name: str) -> str:
    return f"{name.removesuffix('_yuan')}_fen"


def _beside(amount: Id | Value) -> Value:
    return Value("The same as text in yuan.", deprecation=amount.deprecation)


_by_name: dict[str, EventType] = {}


def register(*types: EventType) -> None:
    for one in types:
        if one.name in _by_name:
            raise ValueError(f"two types of event are called {one.name}")
        _by_name[one.name] = one


def event_types() -> tuple[EventType, ...]:
    """All of them, in the order of their names."""
    return tuple(_by_name[name] for name in sorted(_by_name))


def event_type(name: str) -> EventType:
    """KeyError for one that nobody declared."""
    return _by_name[name]


ENDPOINT = "WebhookEndpoint"
register(
    EventType(
        TEST,
        ENDPOINT,
        Permission.WEBHOOKS_READ,
        "Somebody asked for a test of an endpoint. It goes to that endpoint only.",
    ),
    EventType(
        PAUSED,
        ENDPOINT,
        Permission.WEBHOOKS_READ,
        "An endpoint was paused because every attempt had failed for days.",
        {"failing_since": Value("Since when every attempt failed.", "DateTime!")},
    ),
)
