"""Who may see what: declared on every type and mutation, checked wherever a type is reached.

`apply` walks a finished schema once. It refuses to let one start that has an undeclared type, root
field or mutation, and wraps each resolver that leads to a type of another permission. Fields that
stay within their type's permission are not wrapped, so a check costs once per step, not per field.
A role that holds a permission in one community only passes here; which rows it then sees is the
selector's to say.
"""

from collections.abc import Callable
from enum import Enum
from functools import wraps
from typing import Any

from graphene.utils.str_converters import to_camel_case
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)

from linli.accounts.policy import Actor, Permission
from linli.errors import Forbidden
from linli_api.errors import Unauthenticated


class Access(Enum):
    PUBLIC = "anyone, logged in or not"
    MEMBER = "whoever has a role here; at the platform's host whoever is logged in"
    # For the parts of an answer that no root field hands out by itself: pages, errors, lines.
    INHERITED = "whoever was let through to the object it is part of"


PUBLIC, MEMBER, INHERITED = Access

Rule = Permission | Access

RULES = "linli_rules"


class Undeclared(TypeError):
    """A type, field or mutation says not who may see or do it; the process does not start."""


def check(actor: Actor | None, rule: Rule) -> None:
    """Raises Unauthenticated or Forbidden unless the rule lets the caller through."""
    if rule is PUBLIC or rule is INHERITED:
        return
    if actor is None:
        raise Unauthenticated
    if isinstance(rule, Permission):
        actor.require_somewhere(rule)
    elif actor.tenant is not None and not actor.grants:
        raise Forbidden


def declared(kind: str, name: str, rule: Rule | None) -> Rule:
    """The rule itself; Undeclared, naming the type or mutation, when there is none."""
    if not isinstance(rule, Permission | Access):
        raise Undeclared(
            f"{kind} {name} declares no permission. Add `class Meta: permission = Permission.…` "
            "(or PUBLIC, MEMBER, INHERITED of linli_api.guard)."
        )
    return rule


def apply(schema: GraphQLSchema) -> None:
    """Checks the declarations of a built schema and wraps what has to be checked at run time."""
    roots = (schema.query_type, schema.mutation_type)
    for name, graphql_type in schema.type_map.items():
        if not isinstance(graphql_type, GraphQLObjectType) or name.startswith("__"):
            continue
        within = None if graphql_type in roots else rule_of(graphql_type)
        for field_name, own in own_rules(graphql_type).items():
            field = graphql_type.fields[field_name]
            target = get_named_type(field.type)
            rules = [rule for rule in (own, rule_of(target)) if rule is not None]
            if within is None:
                _refuse_open_root(f"{name}.{field_name}", rules)
            if isinstance(target, GraphQLInterfaceType) and own is None:
                raise Undeclared(f"{name}.{field_name} leads to any type; only `node` may.")
            if graphql_type is schema.mutation_type:
                continue  # a mutation checks itself, to answer in its payload
            needed = tuple(r for r in rules if r not in (within, PUBLIC, INHERITED))
            if needed:
                field.extensions[RULES] = needed
                check_result = _checked_if_any if "errors" in graphql_type.fields else _checked
                field.resolve = check_result(field.resolve, needed)


def rules_of(field: GraphQLField) -> tuple[Rule, ...]:
    """What is checked when a field is reached, for whoever answers without its resolver."""
    return field.extensions.get(RULES, ())


def rule_of(graphql_type: Any) -> Rule | None:
    """What a type declares; None for what is no object."""
    if not isinstance(graphql_type, GraphQLObjectType):
        return None
    meta = graphql_type.graphene_type._meta  # type: ignore[attr-defined]
    return declared("Type", graphql_type.name, getattr(meta, "permission", None))


def own_rules(graphql_type: Any) -> dict[str, Rule | None]:
    """The rule each field declares beside its type's, by the field's name in the API."""
    if not isinstance(graphql_type, GraphQLObjectType):
        return {}
    fields = graphql_type.graphene_type._meta.fields  # type: ignore[attr-defined]
    return {
        field.name or to_camel_case(name): getattr(field, "permission", None)
        for name, field in fields.items()
    }


def _refuse_open_root(path: str, rules: list[Rule]) -> None:
    if all(rule is INHERITED for rule in rules):
        raise Undeclared(
            f"{path} declares no permission, and the type it leads to has none of its own. "
            "Declare the field as linli_api.fields.Field(…, permission=…)."
        )


def _checked(resolve: Callable[..., Any], rules: tuple[Rule, ...]) -> Callable[..., Any]:
    @wraps(resolve)
    def checked(root: Any, info: Any, **arguments: Any) -> Any:
        for rule in rules:
            check(info.context.actor, rule)
        return resolve(root, info, **arguments)

    return checked


def _checked_if_any(resolve: Callable[..., Any], rules: tuple[Rule, ...]) -> Callable[..., Any]:
    """For what has ``errors`` of its own, a payload or an item of one: where it was refused there is
    no object, and its errors say all there is to say."""
    checked = _checked(resolve, rules)

    @wraps(resolve)
    def checked_if_any(root: Any, info: Any, **arguments: Any) -> Any:
        return None if root.errors else checked(root, info, **arguments)

    return checked_if_any
