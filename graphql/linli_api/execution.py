"""Runs one document for one actor. HTTP is in `views`.

A query that the planner knows is answered by its plan; all else, and whatever ends in an error, by
graphql-core's executor over the same declarations.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import graphene
from graphql import GraphQLSchema, execute

from linli.accounts.policy import Actor
from linli_api import documents
from linli_api.documents import Document, Rejected
from linli_api.errors import answers
from linli_api.planner import planned_answer


@dataclass(frozen=True)
class Request:
    """A document with its variables, as a client sends it."""

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None


@dataclass(frozen=True)
class Context:
    """What resolvers find at ``info.context``. actor: None for an anonymous caller."""

    actor: Actor | None


@dataclass(frozen=True)
class Answer:
    """data: its JSON text; None when nothing was executed (HTTP 400)."""

    data: str | None
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ran(self) -> bool:
        return self.data is not None

    @cached_property
    def text(self) -> str:
        """The whole answer, as it is sent."""
        parts = []
        if self.errors:
            parts.append(f'"errors":{_json(self.errors)}')
        if self.data is not None:
            parts.append(f'"data":{self.data}')
        return "{" + ",".join(parts) + "}"

    @property
    def body(self) -> dict[str, Any]:
        """The whole answer as a JSON value."""
        return json.loads(self.text)


def run(schema: graphene.Schema, request: Request, actor: Actor | None) -> Answer:
    try:
        document = _read(schema.graphql_schema, request, actor)
    except Rejected as rejected:
        return Answer(None, answers(rejected.errors))
    planned = planned_answer(document, request.operation_name, actor, request.variables)
    return Answer(planned) if planned is not None else executed(document, request, actor)


def executed(document: Document, request: Request, actor: Actor | None) -> Answer:
    """What graphql-core's executor answers."""
    result: Any = execute(
        document.schema,
        document.node,
        context_value=Context(actor),
        variable_values=dict(request.variables),
        operation_name=request.operation_name,
    )
    found = answers(result.errors or ())
    if result.data is None and all(error.path is None for error in result.errors or ()):
        return Answer(None, found)
    return Answer(_json(result.data), found)


def _read(schema: GraphQLSchema, request: Request, actor: Actor | None) -> Document:
    document = documents.read(schema, request.query)
    if actor is None and document.introspection:
        raise Rejected(*document.introspection)
    return document


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
