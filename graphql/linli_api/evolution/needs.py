"""What a caller needs: of each type, root field and mutation the permission, with the scopes that give
it to a program. Clients count on it as on the SDL, which cannot say it.

A type's is that of all that leads to it, so pages and payloads have none of their own here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from graphql import GraphQLSchema, get_named_type

from linli.accounts.policy import Permission
from linli.clients.scopes import scopes_with
from linli.events.types import event_types
from linli_api.events.shapes import member
from linli_api.evolution.notice import passed
from linli_api.guard import MEMBER, own_rules, rule_of
from linli_api.schema import SCHEMAS

# What is going to need more, or something else: ``"Mutation.paySpending": notice(…, "It will need …")``
# a release before it does. It is taken out together with the change.
ANNOUNCED: dict[str, dict[str, str]] = {"tenant": {}, "platform": {}, "events": {}, "http": {}}

ANY_ROLE = "member"
OF_LISTS = ("Connection", "Edge")


@dataclass(frozen=True)
class Need:
    """permission: empty for nothing."""

    permission: str = ""
    scopes: tuple[str, ...] = ()

    @classmethod
    def of(cls, rule: Any) -> "Need":
        if isinstance(rule, Permission):
            return cls(rule.value, tuple(scopes_with(rule)))
        return cls(ANY_ROLE) if rule is MEMBER else cls()

    @classmethod
    def read(cls, written: str) -> "Need":
        permission, *scopes = written.split()
        return cls(permission, tuple(scopes))

    @property
    def written(self) -> str:
        return " ".join((self.permission, *self.scopes))

    def __str__(self) -> str:
        if not self.permission or self.permission == ANY_ROLE:
            return "any role" if self.permission else "nothing"
        scopes = " or ".join(f"`{scope}`" for scope in self.scopes)
        return f"`{self.permission}` " + (f"(scope {scopes})" if scopes else "(no scope gives it)")

    def lets_in_all_of(self, other: "Need") -> bool:
        """Whether all who have what the other asks for have what this one does."""
        if not self.permission or not other.permission:
            return not self.permission
        if self.permission == ANY_ROLE:
            return True
        return self.permission == other.permission and set(self.scopes) >= set(other.scopes)


Needs = Mapping[str, Need]


def needs(side: str) -> dict[str, Need]:
    """Those that there are, by coordinate."""
    if side == "http":
        rules: Mapping[str, Any] = {}  # whoever asks is answered by these
    elif side == "events":
        rules = {f"Data.{member(one)}": one.permission for one in event_types()}
    else:
        rules = dict(_rules(SCHEMAS[side].graphql_schema))
    found = {coordinate: Need.of(rule) for coordinate, rule in rules.items()}
    return {coordinate: need for coordinate, need in sorted(found.items()) if need.permission}


def _rules(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    mutations = schema.mutation_type.fields if schema.mutation_type else {}
    for name, field in mutations.items():
        yield f"Mutation.{name}", rule_of(get_named_type(field.type))
    payloads = {get_named_type(field.type) for field in mutations.values()}
    for name, type_ in schema.type_map.items():
        if type_ not in payloads and not name.endswith(OF_LISTS) and not name.startswith("__"):
            if type_ not in (schema.query_type, schema.mutation_type):
                yield name, rule_of(type_)
            for field_name, rule in own_rules(type_).items():
                if rule is not None:
                    yield f"{name}.{field_name}", rule


def differing(before: Needs, now: Needs, both: set[str]) -> Iterator[tuple[str, Need, Need]]:
    """Of what is on both sides: the coordinate, what it needed, what it needs."""
    for coordinate in sorted(both):
        was, is_ = before.get(coordinate, Need()), now.get(coordinate, Need())
        if was != is_:
            yield coordinate, was, is_


def unannounced(
    changed: Iterator[tuple[str, Need, Need]],
    before: Mapping[str, str],
    now: Mapping[str, str],
    *,
    today: date,
) -> Iterator[str]:
    """What shuts somebody out who was not told long enough before. before, now: the announcements of
    the release and of the code."""
    for coordinate, was, is_ in changed:
        if is_.lets_in_all_of(was):
            continue
        if not passed(before.get(coordinate, ""), today=today):
            yield f"{coordinate} needs {is_}, and {was} was enough."
        elif coordinate in now:
            yield f"{coordinate} needs {is_} now: take its announcement out, it is for once."
