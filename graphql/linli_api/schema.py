"""Puts the domains together into the two schemas: a tenant's and the platform's."""

from collections import Counter
from collections.abc import Iterable, Sequence
from importlib import import_module

import graphene
from django.utils.translation import override

from linli_api import guard
from linli_api.domains import PLATFORM_DOMAINS, TENANT_DOMAINS
from linli_api.mutation import Mutation
from linli_api.types import types_by_model


def build(domains: Iterable[str], side: str) -> graphene.Schema:
    """The schema of one side, ``tenant`` or ``platform``."""
    parts = [import_module(f"linli_api.{domain}.{side}") for domain in domains]
    queries = [part.Query for part in parts if hasattr(part, "Query")]
    mutations = [one for part in parts for one in getattr(part, "MUTATIONS", [])]
    return assemble(queries, mutations)


def assemble(queries: Sequence[type], mutations: Sequence[type[Mutation]] = ()) -> graphene.Schema:
    """A guarded schema; raises Undeclared or TypeError for one that must not be served."""
    with override("en"):  # descriptions are part of the committed SDL
        schema = graphene.Schema(query=_query(queries), mutation=_mutation(mutations))
    guard.apply(schema.graphql_schema)
    types_by_model(schema.graphql_schema)
    return schema


def _query(queries: Sequence[type]) -> type[graphene.ObjectType]:
    _each_once(name for query in queries for name in vars(query) if name[0] != "_")
    doc = {
        "__doc__": "Everything that can be read. Chinese terms in brackets: see /graphql/docs#glossary."
    }
    return type("Query", (*queries, graphene.ObjectType), doc)


def _mutation(mutations: Sequence[type[Mutation]]) -> type[graphene.ObjectType] | None:
    names = [mutation.__name__[0].lower() + mutation.__name__[1:] for mutation in mutations]
    _each_once(names)
    if not mutations:
        return None
    fields = {name: one.as_field() for name, one in zip(names, mutations, strict=True)}
    doc = {"__doc__": "Everything that can be changed."}
    return type("Mutation", (graphene.ObjectType,), {**doc, **fields})


def _each_once(names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TypeError(f"Two domains declare the same root field: {', '.join(twice)}")


tenant_schema = build(TENANT_DOMAINS, "tenant")
platform_schema = build(PLATFORM_DOMAINS, "platform")
SCHEMAS = {"tenant": tenant_schema, "platform": platform_schema}
