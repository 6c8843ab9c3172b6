"""Random documents of a schema, one for each seed: aliases, fragments, variables, directives,
filters, cursors, nulls. Nothing here names a field of the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

import graphene
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

from linli_api.connections import Connection
from linli_api.fields import ById
from linli_api.inputs import IdOf
from linli_api.planner.compiling import declared_fields

DEEPEST = 5


@dataclass(frozen=True)
class Material:
    """What arguments are filled from. ids: by type name; cursors: by type name and ordering."""

    ids: Mapping[str, Sequence[str]]
    cursors: Mapping[str, Mapping[str, Sequence[str]]]
    words: Sequence[str]


@dataclass
class _Writing:
    schema: GraphQLSchema
    material: Material
    random: Random
    # Two values of each: the document is asked with the one, then with the other.
    variables: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    # Of those, what one may leave out, for it has a default or may be null.
    optional: set[str] = field(default_factory=set)
    definitions: list[str] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)
    aliases: int = 0

    def one_of(self, values: Sequence[Any]) -> Any:
        return self.random.choice(values)

    def chance(self, one_in: int) -> bool:
        return self.random.randrange(one_in) == 0

    # ── Values ───────────────────────────────────────────────────────────────────────────────────

    def variable(self, type_: str, value: Any, other: Any, default: str = "") -> str:
        name = f"v{len(self.definitions)}"
        self.definitions.append(f"${name}: {type_}{default}")
        self.variables[name] = value, other
        if default or not type_.endswith("!"):
            self.optional.add(name)
        return f"${name}"

    def given(self, type_: Any, value: Any, other: Any) -> str:
        """A value as a literal or, now and then, as a variable, which may have a default."""
        text = _literal(value)
        if isinstance(get_named_type(type_), GraphQLEnumType):
            text = text.replace('"', "")
        if not self.chance(3):
            return text
        named = str(type_)
        default = f" = {text}" if value is not None and self.chance(4) else ""
        return self.variable(named.removesuffix("!") if default else named, value, other, default)

    def value(self, type_: Any, ids: Sequence[str]) -> Any:
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        elif self.chance(8):
            return None
        if isinstance(type_, GraphQLList):
            return [self.value(type_.of_type, ids) for _ in range(2)]
        named = get_named_type(type_)
        if isinstance(named, GraphQLEnumType):
            return self.one_of(list(named.values))
        if named.name == "ID":
            return self.one_of([*ids, "nonsense"])
        if named.name == "Int":
            return self.one_of([0, 1, 2, 9])
        if named.name == "Date":
            return (date(2025, 1, 1) + timedelta(days=self.one_of([0, 60, 200, 500]))).isoformat()
        if named.name == "Boolean":
            return self.one_of([True, False])
        return self.one_of(self.material.words)

    # ── Selections ───────────────────────────────────────────────────────────────────────────────

    def arguments(self, parent: GraphQLObjectType, name: str) -> str:
        graphql_field = parent.fields[name]
        _attribute, declared = declared_fields(parent)[name]
        given, others = {}, {}
        target = get_named_type(graphql_field.type)
        for argument, definition in graphql_field.args.items():
            required = isinstance(definition.type, GraphQLNonNull)
            if isinstance(get_named_type(definition.type), GraphQLInputObjectType):
                continue
            if not required and not self.chance(4):
                continue
            ids = self._ids(declared, argument, target)
            given[argument] = self.value(definition.type, ids)
            others[argument] = self.value(definition.type, ids)
        if isinstance(declared, Connection):
            self._page(given, declared)
            self._page(others, declared, like=given)
        if not given:
            return ""
        texts = [
            f"{argument}: {self.given(graphql_field.args[argument].type, value, others[argument])}"
            for argument, value in given.items()
        ]
        return f"({', '.join(texts)})"

    def _ids(self, declared: Any, argument: str, target: Any) -> Sequence[str]:
        own = getattr(declared, "inputs", {}).get(_snake(argument))
        if isinstance(own, IdOf):
            return self.material.ids.get(own.type_name, [])
        if isinstance(declared, ById):
            return self.material.ids.get(target.name, [])
        return [one for some in self.material.ids.values() for one in some[:1]]

    def _page(
        self, given: dict[str, Any], declared: Connection, like: Mapping[str, Any] | None = None
    ) -> None:
        """Mostly pages that make sense; cursors of the order that was asked for. like: another page
        that the same arguments are given of."""
        if like is not None:
            return self._page_like(given, declared, like)
        if not self.chance(10):
            given.pop("last" if self.chance(2) else "first", None)
        if "first" not in given and "last" not in given:
            given["first"] = self.one_of([1, 2, 3])
        type_ = declared.of()
        order = given.get("orderBy") or next(iter(type_._meta.orderings))
        cursors = self.material.cursors.get(type_._meta.name, {}).get(order, [])
        for side in ("after", "before"):
            given.pop(side, None)
            if self.chance(5) and cursors:
                given[side] = self.one_of([*cursors, "nonsense"] if self.chance(5) else cursors)

    def _page_like(
        self, given: dict[str, Any], declared: Connection, like: Mapping[str, Any]
    ) -> None:
        type_ = declared.of()
        order = given.get("orderBy") or next(iter(type_._meta.orderings))
        cursors = self.material.cursors.get(type_._meta.name, {}).get(order, [])
        for name in like.keys() & {"first", "last"}:
            given[name] = self.one_of([1, 2, 3])
        for name in like.keys() & {"after", "before"}:
            given[name] = self.one_of([None, *cursors])

    def directives(self) -> str:
        if not self.chance(7):
            return ""
        name = self.one_of(["skip", "include"])
        if self.chance(2):
            return f" @{name}(if: {self._yes_or_no()})"
        return f" @{name}(if: {self.one_of(['true', 'false'])})"

    def _yes_or_no(self) -> str:
        value = self.one_of([True, False])
        return self.variable("Boolean!", value, not value)

    def selection(self, type_: Any, depth: int) -> str:
        if isinstance(type_, GraphQLInterfaceType):
            return "{ __typename id }"
        names = [name for name, f in type_.fields.items() if depth > 0 or is_leaf_type(_leaf(f))]
        names = names or list(type_.fields)
        chosen = self.random.sample(names, self.random.randint(1, min(4, len(names))))
        parts = [self.field(type_, name, depth) for name in chosen]
        if self.chance(6):
            parts.append("__typename")
        if self.chance(8):
            inner = self.selection(type_, depth)
            parts.append(f"... on {type_.name}{self.directives()} {inner}")
        if self.chance(8):
            name = f"F{len(self.fragments)}"
            self.fragments.append("")
            place = int(name[1:])
            inner = self.selection(type_, depth)
            self.fragments[place] = f"fragment {name} on {type_.name} {inner}"
            parts.append(f"...{name}{self.directives()}")
        return "{ " + " ".join(parts) + " }"

    def field(self, parent: Any, name: str, depth: int) -> str:
        # With arguments always an alias: two uses with other arguments must not meet.
        self.aliases += 1
        aliased = bool(parent.fields[name].args) or self.chance(5)
        alias = f"a{self.aliases}: " if aliased else ""
        graphql_field = parent.fields[name]
        type_ = get_named_type(graphql_field.type)
        inner = "" if is_leaf_type(type_) else " " + self.selection(type_, depth - 1)
        arguments = self.arguments(parent, name) if graphql_field.args else ""
        return f"{alias}{name}{arguments}{self.directives()}{inner}"


def document(
    schema: graphene.Schema, material: Material, random: Random
) -> tuple[str, list[dict[str, Any]]]:
    """A query, and several sets of variables for it: other values, and some left out."""
    writing = _Writing(schema.graphql_schema, material, random)
    root = schema.graphql_schema.query_type
    assert root is not None
    chosen = random.sample(sorted(root.fields), random.choice([1, 1, 2]))
    parts = [writing.field(root, name, random.randint(1, DEEPEST)) for name in chosen]
    definitions = f"({', '.join(writing.definitions)})" if writing.definitions else ""
    text = f"query{definitions} {{ {' '.join(parts)} }}"
    one, other = (
        {name: values[place] for name, values in writing.variables.items()} for place in (0, 1)
    )
    left_out = [{k: v for k, v in one.items() if k not in writing.optional}]
    asked = [one, other, *left_out] if writing.variables else [one]
    return "\n".join([text, *writing.fragments]), asked


def _leaf(graphql_field: Any) -> Any:
    return get_named_type(graphql_field.type)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_literal(one) for one in value)}]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
