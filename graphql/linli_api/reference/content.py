"""The schema as the page shows it: what there is, of which type, what it takes to see it, and its
cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
    is_introspection_type,
    is_leaf_type,
    is_specified_scalar_type,
)
from graphql.pyutils import Undefined, inspect

from linli.accounts.policy import Permission
from linli.clients.scopes import scopes_with
from linli_api.guard import MEMBER, PUBLIC, own_rules, rule_of
from linli_api.limits.cost import Rate, rates
from linli_api.reference.glossary import Term, of_type
from linli_api.schema import SCHEMAS

ROOTS = ("Query", "Mutation")
OF_LISTS = ("Connection", "Edge", "PageInfo")


@dataclass(frozen=True)
class TypeName:
    """``[Partner!]!`` in three: what links is in the middle."""

    before: str
    name: str
    after: str

    @classmethod
    def of(cls, type_: Any) -> "TypeName":
        name = get_named_type(type_).name
        before, _name, after = str(type_).partition(name)
        return cls(before, name, after)


@dataclass(frozen=True)
class Argument:
    name: str
    type: TypeName
    default: str
    description: str
    deprecation: str


@dataclass(frozen=True)
class Entry:
    """A field, an input or an enum value; the latter has no type. needs: permissions; scopes: of a
    client that has these. cost: of a field in points, as a formula."""

    anchor: str
    name: str
    type: TypeName | None
    arguments: list[Argument]
    default: str
    description: str
    needs: list[str | Promise]
    scopes: list[str]
    cost: str
    deprecation: str


@dataclass(frozen=True)
class Type:
    name: str
    description: str
    terms: list[Term]
    interfaces: list[str]
    needs: list[str | Promise]
    scopes: list[str]
    entries: list[Entry]


@dataclass(frozen=True)
class Section:
    key: str
    title: str | Promise
    types: list[Type]


@cache
def sections(side: str) -> list[Section]:
    """Of the tenant's schema or the platform's: the two roots, then every type once."""
    built = SCHEMAS[side].graphql_schema
    roots = (built.query_type, built.mutation_type)
    found: dict[str, list[Type]] = {key: [] for key in _TITLES}
    for name, type_ in sorted(built.type_map.items()):
        if not is_introspection_type(type_):
            found[_section_of(name, type_, roots)].append(_type(type_))
    return [Section(key, title, found[key]) for key, title in _TITLES.items() if found[key]]


_TITLES = {
    "queries": _("Queries"),
    "mutations": _("Mutations"),
    "types": _("Types"),
    "inputs": _("Inputs"),
    "enums": _("Enums"),
    "scalars": _("Scalars"),
    "lists": _("Lists and their pages"),
}


def _section_of(name: str, type_: GraphQLNamedType, roots: tuple) -> str:
    if type_ in roots:
        return "queries" if type_ is roots[0] else "mutations"
    if name.endswith(OF_LISTS):
        return "lists"
    if isinstance(type_, GraphQLInputObjectType):
        return "inputs"
    if isinstance(type_, GraphQLEnumType):
        return "enums"
    return "scalars" if isinstance(type_, GraphQLScalarType) else "types"


def _type(type_: GraphQLNamedType) -> Type:
    parts: dict[str, Any] = {**getattr(type_, "fields", {}), **getattr(type_, "values", {})}
    own = own_rules(type_)
    rule = None if type_.name in ROOTS else rule_of(type_)
    costs = rates(type_) if isinstance(type_, GraphQLObjectType) else {}
    return Type(
        name=type_.name,
        description=_STANDARD if is_specified_scalar_type(type_) else type_.description or "",
        terms=of_type(type_.name),
        interfaces=[one.name for one in getattr(type_, "interfaces", ())],
        needs=list(_needs(rule)),
        scopes=_scopes([rule]),
        entries=[
            _shown(type_.name, name, part, own.get(name), costs.get(name))
            for name, part in sorted(parts.items())
        ],
    )


_STANDARD = "As GraphQL has it."


def _shown(type_name: str, name: str, part: Any, own_rule: Any, rate: Rate | None) -> Entry:
    type_ = getattr(part, "type", None)
    leads_to = get_named_type(type_) if type_ else None
    rules = [own_rule]
    if type_name in ROOTS:
        rules.append(rule_of(leads_to))
    return Entry(
        anchor=f"{type_name}.{name}",
        name=name,
        type=TypeName.of(type_) if type_ else None,
        arguments=[_argument(*one) for one in getattr(part, "args", {}).items()],
        default=_default(part),
        description=part.description or "",
        needs=list(dict.fromkeys(text for rule in rules for text in _needs(rule))),
        scopes=_scopes(rules),
        cost=_cost(rate) if rate else "",
        deprecation=part.deprecation_reason or "",
    )


def _argument(name: str, part: Any) -> Argument:
    return Argument(
        name,
        TypeName.of(part.type),
        _default(part),
        part.description or "",
        part.deprecation_reason or "",
    )


def _default(part: Any) -> str:
    value = getattr(part, "default_value", Undefined)
    return "" if value is Undefined or value is None else inspect(value)


def _needs(rule: Any) -> Iterator[str | Promise]:
    if isinstance(rule, Permission):
        yield rule.value
    elif rule is MEMBER:
        yield _("any role here")
    elif rule is PUBLIC:
        yield _("nothing")


def _scopes(rules: list[Any]) -> list[str]:
    """Of each permission the scopes that stand for it."""
    permissions = [rule for rule in rules if isinstance(rule, Permission)]
    return list(dict.fromkeys(scope for one in permissions for scope in scopes_with(one)))


def _cost(rate: Rate) -> str:
    """``1 + first × …``: the field's own points, and what stands inside it."""
    own = f"{rate.own} × {rate.per}" if rate.per else str(rate.own)
    if is_leaf_type(rate.type):
        return own
    rows = 1 if rate.of_page else rate.rows
    times = "first × " if rate.pages else f"{rows} × " if rows > 1 else ""
    return f"{own} + {times}…" if rate.own else f"{times}…"
