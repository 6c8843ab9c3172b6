"""What the types of the API are made of: `Object`, the Node interface, extensions.

A type that shows rows names its model, who may see it and the selector its rows come from. All
ways to a row (root field, relation, connection, node) go through that selector, so what narrows it
holds everywhere.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from uuid import UUID

import graphene
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model, QuerySet
from graphene import NonNull
from graphene.types.mountedtype import MountedType
from graphene.types.objecttype import ObjectTypeOptions
from graphene.types.unmountedtype import UnmountedType
from graphene.types.utils import yank_fields_from_attrs
from graphene.utils.str_converters import to_camel_case
from graphql import GraphQLSchema

from linli.accounts.policy import Actor, Permission
from linli_api import ids
from linli_api.fields import Computed, InYuan, Total
from linli_api.guard import Rule, declared

Selector = Callable[..., QuerySet]

Orderings = Mapping[str, tuple[str, ...]]
BY_AGE: Orderings = {"OLDEST": ("id",), "NEWEST": ("-id",)}


class Options(ObjectTypeOptions):
    """permission: who may see the type. model, selector: where its rows come from, as in
    ``selector(actor=actor)``. reads: the permissions beside that which decide which rows these are.
    orderings: the orders a list of it can be asked for, by name: columns
    of the model that are never null, "-" for descending; the first one is the default and the key
    breaks ties. For what has an id and is no row of its own: its class, and `found`, which gives
    the one with a key or None: ``found(key, actor=actor)``."""

    permission: Rule
    model: type[Model] | None = None
    selector: Selector | None = None
    reads: frozenset[Permission] = frozenset()
    orderings: Orderings = BY_AGE
    shape: type | None = None
    found: Callable[..., Any] | None = None


class Object(graphene.ObjectType):
    """Base of every object type. Fields are columns of the same name unless a resolver says else."""

    class Meta:
        abstract = True

    @classmethod
    def __init_subclass_with_meta__(
        cls,
        *,
        permission: Rule | None = None,
        model: type[Model] | None = None,
        selector: Selector | None = None,
        reads: frozenset[Permission] = frozenset(),
        orderings: Orderings | None = None,
        shape: type | None = None,
        found: Callable[..., Any] | None = None,
        _meta: Options | None = None,
        **options: Any,
    ) -> None:
        _meta = _meta or Options(cls)
        _meta.permission = declared("Type", cls.__name__, permission)
        if model is not None:
            _meta.model, _meta.selector, _meta.reads = model, selector, reads
            _meta.orderings = orderings or BY_AGE
            _check_rows(cls, model, _meta)
        _meta.shape, _meta.found = shape, found
        if model is not None or shape is not None:
            options.setdefault("interfaces", (Node,))
        for name, field in _in_yuan(vars(cls)).items():
            setattr(cls, name, field)
        super().__init_subclass_with_meta__(_meta=_meta, **options)

    @classmethod
    def rows_for(cls, actor: Actor) -> QuerySet:
        """The rows of this type that the actor may read."""
        return cls._meta.selector(actor=actor)

    @classmethod
    def key_of(cls, value: str, *, field: str = "id") -> Any:
        """The primary key inside a global id of this type; NotFound otherwise."""
        parse = cls._meta.model._meta.pk.to_python if cls._meta.model else UUID
        return ids.decode(cls._meta.name, value, field=field, parse=parse)

    def resolve_id(self: Any, info: Any) -> str:
        return ids.encode(info.parent_type.name, self.pk)


class Node(graphene.Interface):
    """Anything with a global id."""

    id = graphene.ID(required=True, description="Opaque, and the same for as long as it exists.")

    @classmethod
    def resolve_type(cls, instance: Any, info: Any) -> type[Object]:
        return node_types(info.schema)[type(instance)]


@cache
def node_types(schema: GraphQLSchema) -> dict[type, type[Object]]:
    """What has a global id, by the class of what it shows."""
    found: dict[type, type[Object]] = {**types_by_model(schema)}
    for graphql_type in schema.type_map.values():
        type_: Any = getattr(graphql_type, "graphene_type", None)
        shape = getattr(getattr(type_, "_meta", None), "shape", None)
        if shape is not None:
            found[shape] = type_
    return found


@cache
def types_by_model(schema: GraphQLSchema) -> dict[type[Model], type[Object]]:
    """The type that shows a model's rows in this schema; TypeError when there are two."""
    found: dict[type[Model], type[Object]] = {}
    for graphql_type in schema.type_map.values():
        type_: Any = getattr(graphql_type, "graphene_type", None)
        model = getattr(getattr(type_, "_meta", None), "model", None)
        if model is not None and found.setdefault(model, type_) is not type_:
            raise TypeError(f"{type_.__name__} and {found[model].__name__} show the same model.")
    return found


def extends(target: type[Object]) -> Callable[[type], type]:
    """Class decorator: adds fields to a type of a domain that need not know of this one.

    ``@extends(Community) class CommunityFund: fund = One(Fund, back="community_id")``
    """

    def add(extension: type) -> type:
        declared = {**vars(extension), **_in_yuan(vars(extension))}
        for name, field in yank_fields_from_attrs(declared, _as=graphene.Field).items():
            if name in target._meta.fields:
                raise TypeError(f"{target.__name__}.{name} of {extension.__name__} exists already")
            target._meta.fields[name] = field
            resolver = vars(extension).get(f"resolve_{name}")
            if resolver is not None:
                setattr(target, f"resolve_{name}", resolver)
        return extension

    return add


def _in_yuan(declared: Mapping[str, Any]) -> dict[str, InYuan]:
    """For every amount in fen, the same as text in yuan: amountFen, amountYuan."""
    return {
        f"{name.removesuffix('_fen')}_yuan": InYuan(
            to_camel_case(name),
            required=_is_required(field),
            cost=int(isinstance(field, Computed | Total)),
            description="The same in yuan, as people write it: 1,234.50.",
        )
        for name, field in declared.items()
        if name.endswith("_fen") and isinstance(field, MountedType | UnmountedType)
    }


def _is_required(field: Any) -> bool:
    options = field.kwargs if isinstance(field, UnmountedType) else {}
    return bool(options.get("required")) or isinstance(getattr(field, "_type", None), NonNull)


def _check_rows(cls: type, model: type[Model], meta: Options) -> None:
    """A list can only be paged by keys that every row has."""
    if meta.selector is None:
        raise TypeError(f"Type {cls.__name__} has a model but no selector to read its rows with.")
    for name, columns in meta.orderings.items():
        for column in columns:
            try:
                field: Any = model._meta.get_field(column.removeprefix("-"))
            except FieldDoesNotExist:
                field = None
            if not isinstance(field, Field) or field.null:
                raise TypeError(
                    f"Ordering {name} of {cls.__name__} needs a column that is never null; "
                    f"{column!r} is none."
                )
