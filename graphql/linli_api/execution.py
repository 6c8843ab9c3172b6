"""Runs one document for one actor. HTTP is in `views`.

A query that the planner knows is answered by its plan; all else, and whatever ends in an error, by
graphql-core's executor over the same declarations.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import graphene
from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import gettext as _
from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute,
)

from linli.accounts.policy import Actor, Permission
from linli.errors import Forbidden, Refused
from linli.registry.selectors import is_sandbox
from linli_api import documents, limits
from linli_api.documents import Document, Rejected, is_query, rejected
from linli_api.errors import (
    AnswerTooLarge,
    InvalidRequest,
    Unauthenticated,
    answers,
    is_the_clients,
)
from linli_api.limits import cost, deadline
from linli_api.metering import Meter
from linli_api.planner import planned_answer
from linli_api.wording import variable_faults, worded


@dataclass(frozen=True)
class Request:
    """A document with its variables, as a client sends it. trusted: it was named by its hash."""

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None
    trusted: bool = False


@dataclass(frozen=True)
class Context:
    """What resolvers find at ``info.context``. actor: None for an anonymous caller. revealed: the
    secrets that the answer tells (`linli_api.fields.Revealed`)."""

    actor: Actor | None
    revealed: list[str] = field(default_factory=list)


@dataclass
class Answer:
    """data: its JSON text; None when nothing was executed (HTTP 400). kept: the whole answer, where
    it was given before under the same key (`linli_api.repeats`). revealed: the secrets in it.
    late: what of it was refused for its time."""

    data: str | None
    errors: list[dict[str, Any]] = field(default_factory=list)
    extensions: Mapping[str, Any] = field(default_factory=dict)
    kept: str | None = None
    revealed: Sequence[str] = ()
    late: deadline.TimedOut | None = None

    @property
    def ran(self) -> bool:
        return self.data is not None or self.replayed

    @property
    def replayed(self) -> bool:
        return self.kept is not None

    @cached_property
    def text(self) -> str:
        """The whole answer, as it is sent."""
        if self.kept is not None:
            return self.kept
        parts = []
        if self.errors:
            parts.append(f'"errors":{_json(self.errors)}')
        if self.data is not None:
            parts.append(f'"data":{self.data}')
            if self.extensions:
                parts.append(f'"extensions":{_json(self.extensions)}')
        return "{" + ",".join(parts) + "}"

    @property
    def to_keep(self) -> str:
        """The same with null for each secret: those are told once."""
        text = self.text
        for secret in self.revealed:
            text = text.replace(_json(secret), "null")
        return text

    @property
    def body(self) -> dict[str, Any]:
        """The whole answer as a JSON value."""
        return json.loads(self.text)


@dataclass(frozen=True)
class Prepared:
    """A request that may be run: read, priced and paid for."""

    document: Document
    request: Request
    actor: Actor | None
    price: int
    meter: Meter | None

    @property
    def operation(self) -> OperationDefinitionNode | None:
        """None where it is not clear which is meant; execution says so."""
        return self.document.operation(self.request.operation_name)

    @property
    def writes(self) -> bool:
        """Whether the document holds a mutation, be it this one or not: its key is for all of it."""
        held = self.document.operations.values()
        return any(one.operation is OperationType.MUTATION for one in held)

    def run(self) -> Answer:
        timed = self.operation.operation if self.operation and self.meter else None
        with deadline.within(timed):
            answer = _answer(self.document, self.request, self.actor)
        told = self.meter.told() if self.meter else {}
        answer.extensions = extensions(self.price, told)
        answer.late = deadline.passed()
        return answer


def extensions(price: int, told: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer says of its cost. told: of the caller's minute."""
    cost = {"requested": price, "limit": settings.LINLI_POINTS_A_REQUEST, **told}
    return {"cost": cost}


def run(
    schema: graphene.Schema, request: Request, actor: Actor | None, meter: Meter | None = None
) -> Answer:
    """meter: whose points it costs; without one, as in a job, it may cost what it will and has its
    time."""
    prepared = prepare(schema, request, actor, meter)
    return prepared if isinstance(prepared, Answer) else prepared.run()


def prepare(
    schema: graphene.Schema, request: Request, actor: Actor | None, meter: Meter | None = None
) -> Prepared | Answer:
    """Outside of transactions, for points are spent here. An Answer is a refusal."""
    try:
        if meter:
            meter.open()
        try:
            document = _read(schema.graphql_schema, request, actor)
            price = _price(document, request, checked=meter is not None)
        except Rejected as refused:
            if meter:
                meter.spend(cost.REFUSED)
            return Answer(None, answers(refused.errors, partial(may_introspect, actor)))
        if meter:
            meter.spend(price)
    except (Refused, DatabaseError) as error:
        return Answer(None, answers([GraphQLError(str(error), original_error=error)]))
    return Prepared(document, request, actor, price, meter)


def may_introspect(actor: Actor | None) -> bool:
    """Whether the schema may be asked about itself."""
    if actor is None:
        return False
    if settings.LINLI_INTROSPECTION_OPEN or actor.holds(Permission.SCHEMA_INTROSPECT):
        return True
    return actor.tenant is not None and is_sandbox(actor.tenant)


def executed(document: Document, request: Request, actor: Actor | None) -> Answer:
    """What graphql-core's executor answers."""
    context, operation = Context(actor), document.operation(request.operation_name)
    result: Any = execute(
        document.schema,
        document.node,
        context_value=context,
        variable_values=dict(request.variables),
        operation_name=request.operation_name,
        execution_context_class=deadline.execution(document.operation(request.operation_name)),
    )
    errors = result.errors or ()
    if result.data is None and all(error.path is None for error in errors):
        why = _before_it_ran(document, operation, request, errors)
        return Answer(None, answers(why, partial(may_introspect, actor)))
    given_up = any(isinstance(error.original_error, AnswerTooLarge) for error in errors)
    text = "" if given_up else _json(result.data)
    if given_up or limits.is_too_large(text):
        return failed(AnswerTooLarge(wrote=operation is not None and not is_query(operation)))
    found = answers(worded(e) if is_the_clients(e) else e for e in errors)
    return Answer(text, found, revealed=context.revealed)


def _before_it_ran(
    document: Document,
    operation: OperationDefinitionNode | None,
    request: Request,
    errors: Sequence[GraphQLError],
) -> Sequence[GraphQLError]:
    """Why nothing was run: the variables, or no operation that is meant."""
    faults = variable_faults(document.schema, operation, request.variables) if operation else []
    return faults or [worded(error) for error in errors]


def _answer(document: Document, request: Request, actor: Actor | None) -> Answer:
    try:
        planned = planned_answer(document, request.operation_name, actor, request.variables)
    except (deadline.TimedOut, DatabaseError) as error:  # of the one statement: all of it failed
        return failed(error)
    except AnswerTooLarge as refused:
        return failed(refused)
    return Answer(planned) if planned is not None else executed(document, request, actor)


def failed(error: Exception) -> Answer:
    """The answer where all that was to run failed together."""
    return Answer("null", answers([GraphQLError("", original_error=error)]))


def _read(schema: GraphQLSchema, request: Request, actor: Actor | None) -> Document:
    try:
        limits.check_variables(request.variables)
    except InvalidRequest as refused:
        raise rejected(refused) from refused
    document = documents.read(schema, request.query)
    if document.introspection and not may_introspect(actor):
        why, at = _may_not_introspect(actor), document.introspection
        raise Rejected(GraphQLError(str(why.message), at, original_error=why))
    return document


def _may_not_introspect(actor: Actor | None) -> Refused:
    """Once for all of a document: a program is told the scope, a person the permission."""
    permission = Permission.SCHEMA_INTROSPECT
    if actor is None:
        return Unauthenticated()
    if actor.client is not None:
        return actor.forbidden(permission)
    message = _(
        "The schema may be asked about itself by who has the permission {permission}. Ask an "
        "administrator of your unit for a role with it."
    )
    return Forbidden(message.format(permission=permission.value), permission=permission.value)


def _price(document: Document, request: Request, *, checked: bool) -> int:
    """Raises Rejected COST_TOO_HIGH."""
    known = document.cost(request.operation_name)
    if known is None:
        return cost.REFUSED
    price, limit = known.price(request.variables), settings.LINLI_POINTS_A_REQUEST
    if checked and price > limit:
        raise rejected(known.too_high(request.variables, limit))
    return price


# Kept, where `json.dumps` would make one for each answer.
_json = json.JSONEncoder(ensure_ascii=False).encode
