"""Requests for every root field of a schema, made from the schema itself.

Nothing here names a field of the API: what is added later is asked for without anyone remembering.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import graphene
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
    is_leaf_type,
)
from graphql.pyutils import Undefined

from linli_api.fields import ById
from linli_api.inputs import IdOf

NOBODY = "00000000-0000-7000-8000-000000000000"

Path = tuple[str, ...]

# Something a rule may take; a name that is not here gets a word no rule knows.
TEXTS = {
    "document": "{ communities { nodes { name } } }",
    "path": "partners.contributions[stationed].rate",
    "kind": "enterprise",
    "ruleKey": "stationed",
    "share": "services",
    "use": "activities",
    "measure": "communities",
    "slug": "dongjie",
    "code": "370303",
    "username": "newcomer",
    "locale": "zh-hans",
    "text": "{ viewer { permissions } }",
}
# Optional, and yet nothing is done without.
WANTED = {"value": "0.03"}
SCALARS: dict[str, Any] = {
    "Boolean": False,
    "Int": 1,
    "Fen": 100,
    "Rate": "0.03",
    "Date": date.today().isoformat(),
    "DateTime": "2026-01-31T12:00:00+08:00",
    "Decimal": "1",
    "Document": {"any": "thing"},
}
# Where one day has to come before another.
_LONG_AGO = (date.today() - timedelta(days=1000)).isoformat()
EARLIER = {("since", "Date"): _LONG_AGO, ("startsOn", "Date"): _LONG_AGO}


@dataclass(frozen=True)
class Slot:
    """A place in the arguments that takes an id. kind: the type it must be of, where declared.
    raw: it takes a bare UUID."""

    path: Path
    kind: str | None
    raw: bool

    def holding(self, kind: str, key: Any) -> str:
        """An id of a kind and key, as this place takes it."""
        return str(key) if self.raw else b64encode(f"{kind}:{key}".encode()).decode()


@dataclass(frozen=True)
class Probe:
    """One root field."""

    schema: graphene.Schema
    operation: str
    name: str

    def __str__(self) -> str:
        return f"{self.operation}-{self.name}"

    @property
    def field(self) -> GraphQLField:
        return self._root.fields[self.name]

    @property
    def declared(self) -> Any:
        """The field as it was declared in Python."""
        fields = self._root.graphene_type._meta.fields  # type: ignore[attr-defined]
        return fields.get(_snake(self.name)) or fields[self.name]

    @property
    def type_name(self) -> str:
        """The type it leads to."""
        return get_named_type(self.field.type).name

    @cached_property
    def slots(self) -> list[Slot]:
        return [
            slot
            for name, argument in self.field.args.items()
            for slot in _slots(argument.type, (name,), self._kinds)
        ]

    @cached_property
    def documents(self) -> list[str]:
        """One with all plain fields, one for each relation of the type, two steps deep; a mutation
        is asked once, for everything."""
        target = get_named_type(self.field.type)
        if is_leaf_type(target):
            return [self._document("")]
        if self.operation == "mutation":
            return [self._document(_plain(target, 2))]
        if isinstance(target, GraphQLInterfaceType):
            built = self.schema.graphql_schema
            return [
                self._document(f"{{ __typename id ... on {one.name} {_plain(one, 1)} }}")
                for one in built.get_possible_types(target)
            ]
        return [self._document(selection) for selection in _selections(target)]

    def variables(self, ids: Mapping[Path, str], own: Mapping[str, Any]) -> dict[str, Any]:
        """What is required, and the ids given; other ids that are required are our ``own``."""
        filling = _Filling(ids, own, self._kinds)
        return {
            name: filling.value(argument.type, (name,))
            for name, argument in self.field.args.items()
            if filling.wants(argument, (name,))
        }

    @property
    def _root(self) -> GraphQLObjectType:
        built = self.schema.graphql_schema
        root = built.query_type if self.operation == "query" else built.mutation_type
        assert root is not None
        return root

    @cached_property
    def _kinds(self) -> dict[Path, str]:
        if self.operation == "mutation":
            input_type = get_named_type(self.field.type).graphene_type.input_type  # type: ignore[union-attr]
            kinds = dict(_kinds(input_type._meta.fields, ("input",))) if input_type else {}
        else:
            kinds = dict(_kinds(getattr(self.declared, "inputs", {}), ()))
        if isinstance(self.declared, ById):
            kinds["id",] = get_named_type(self.field.type).name
        return kinds

    def _document(self, selection: str) -> str:
        arguments = self.field.args
        declared = ", ".join(f"${name}: {one.type}" for name, one in arguments.items())
        passed = ", ".join(f"{name}: ${name}" for name in arguments)
        head = f"{self.operation}({declared})" if arguments else self.operation
        call = f"{self.name}({passed})" if arguments else self.name
        return f"{head} {{ {call} {selection} }}"


def probes(schema: graphene.Schema) -> list[Probe]:
    built = schema.graphql_schema
    roots = {"query": built.query_type, "mutation": built.mutation_type}
    return [
        Probe(schema, operation, name)
        for operation, root in roots.items()
        if root is not None
        for name in root.fields
    ]


@dataclass(frozen=True)
class _Filling:
    ids: Mapping[Path, str]
    own: Mapping[str, Any]
    kinds: Mapping[Path, str]

    def wants(self, argument: Any, path: Path) -> bool:
        given = any(slot[: len(path)] == path for slot in self.ids)
        required = isinstance(argument.type, GraphQLNonNull)
        needed = required and argument.default_value is Undefined
        return given or needed or path[-1] in WANTED

    def value(self, type_: Any, path: Path) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self.value(type_.of_type, path)
        if isinstance(type_, GraphQLList):
            return [self.value(type_.of_type, path)]
        if isinstance(type_, GraphQLInputObjectType):
            return {
                name: self.value(one.type, (*path, name))
                for name, one in type_.fields.items()
                if self.wants(one, (*path, name))
            }
        if isinstance(type_, GraphQLEnumType):
            return next(iter(type_.values))
        if type_.name in ("ID", "UUID"):
            if path in self.ids:
                return self.ids[path]
            kind = self.kinds.get(path, "Nothing")
            return Slot(path, kind, type_.name == "UUID").holding(kind, self.own.get(kind, NOBODY))
        if path[-1] in WANTED:
            return WANTED[path[-1]]
        if (path[-1], type_.name) in EARLIER:
            return EARLIER[path[-1], type_.name]
        return TEXTS.get(path[-1], "whatever") if type_.name == "String" else SCALARS[type_.name]


def _kinds(inputs: Mapping[str, Any], prefix: Path) -> Iterator[tuple[Path, str]]:
    """Where an id is declared to be of a type, inside the items of a list too."""
    for name, one in inputs.items():
        path, type_ = (*prefix, _camel(name)), one.type
        while hasattr(type_, "of_type"):
            type_ = type_.of_type
        if isinstance(one, IdOf) and one.type_name != "object":
            yield path, one.type_name
        elif isinstance(type_, type) and issubclass(type_, graphene.InputObjectType):
            yield from _kinds(type_._meta.fields, path)


def _slots(type_: Any, path: Path, kinds: Mapping[Path, str]) -> Iterator[Slot]:
    named = get_named_type(type_)
    if isinstance(named, GraphQLInputObjectType):
        for name, one in named.fields.items():
            yield from _slots(one.type, (*path, name), kinds)
    elif isinstance(named, GraphQLScalarType) and named.name in ("ID", "UUID"):
        yield Slot(path, kinds.get(path), named.name == "UUID")


def _selections(type_: Any) -> Iterator[str]:
    """Selections of a type: its plain fields, then each relation with its plain fields and theirs."""
    around, inner = _unwrapped(type_)
    yield around.replace("…", _plain(inner, 0))
    for name, field in inner.fields.items():
        if not is_leaf_type(get_named_type(field.type)):
            plain = " ".join(_leaves(inner))
            yield around.replace("…", f"{{ {plain} {_one(name, field, 1)} }}")


def _unwrapped(type_: GraphQLObjectType) -> tuple[str, GraphQLObjectType]:
    """A connection's rows are what counts; "…" stands for their selection."""
    if type_.name.endswith("Connection"):
        inner = get_named_type(type_.fields["nodes"].type)
        page = "pageInfo { startCursor endCursor }"
        return f"{{ __typename totalCount {page} nodes … edges {{ cursor }} }}", inner
    return "…", type_


def _plain(type_: Any, depth: int) -> str:
    around, inner = _unwrapped(type_)
    relations = [
        _one(name, field, depth - 1)
        for name, field in inner.fields.items()
        if depth > 0 and not is_leaf_type(get_named_type(field.type))
    ]
    return around.replace("…", f"{{ {' '.join([*_leaves(inner), *relations])} }}")


def _leaves(type_: GraphQLObjectType) -> list[str]:
    leaves = [
        name + _literals(field)
        for name, field in type_.fields.items()
        if is_leaf_type(get_named_type(field.type))
    ]
    return ["__typename", *leaves]


def _one(name: str, field: GraphQLField, depth: int) -> str:
    return f"{name}{_literals(field)} {_plain(get_named_type(field.type), depth)}"


def _literals(field: GraphQLField) -> str:
    """What a field inside the answer requires; such arguments are plain text so far."""
    required = {
        name: TEXTS[name]
        for name, one in field.args.items()
        if isinstance(one.type, GraphQLNonNull) and one.default_value is Undefined
    }
    inside = ", ".join(f'{name}: "{value}"' for name, value in required.items())
    return f"({inside})" if inside else ""


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
