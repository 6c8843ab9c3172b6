"""Runs one document for one actor. HTTP is in `views`; this is the place a planner would hang on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import graphene
from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import gettext as _
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    execute,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)

from linli.accounts.policy import Actor, Permission
from linli.errors import Refused
from linli_api import limits
from linli_api.errors import InvalidRequest, answers
from linli_api.limits import cost, deadline
from linli_api.metering import Meter


@dataclass(frozen=True)
class Request:
    """A document with its variables, as a client sends it. trusted: it was named by its hash."""

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None
    trusted: bool = False


@dataclass(frozen=True)
class Context:
    """What resolvers find at ``info.context``. actor: None for an anonymous caller."""

    actor: Actor | None


@dataclass(frozen=True)
class Answer:
    """body: the JSON value to send. ran: False when nothing was executed (HTTP 400)."""

    body: dict[str, Any]
    ran: bool


def run(
    schema: graphene.Schema, request: Request, actor: Actor | None, meter: Meter | None = None
) -> Answer:
    """meter: whose points it costs; without one, as in a job, it may cost what it will and has its
    time."""
    try:
        if meter:
            meter.open()
        return _run(schema.graphql_schema, request, actor, meter)
    except (Refused, DatabaseError) as error:  # before anything of it ran
        return Answer({"errors": answers([GraphQLError(str(error), original_error=error)])}, False)


def may_introspect(actor: Actor | None) -> bool:
    """Whether the schema may be asked about itself."""
    if actor is None:
        return False
    return settings.LINLI_INTROSPECTION_OPEN or actor.holds(Permission.SCHEMA_INTROSPECT)


def _run(
    schema: GraphQLSchema, request: Request, actor: Actor | None, meter: Meter | None
) -> Answer:
    try:
        document = read(schema, request, introspects=may_introspect(actor))
        # None where it is not clear which is meant; execution says so.
        operation = get_operation_ast(document, request.operation_name)
        compiled = operation and cost.compile_cost(schema, document, operation)
        price = compiled.price(request.variables) if compiled else cost.REFUSED
        if compiled and meter and price > settings.LINLI_POINTS_A_REQUEST:
            raise rejected(compiled.too_high(request.variables, settings.LINLI_POINTS_A_REQUEST))
    except Rejected as refused:
        if meter:
            meter.spend(cost.REFUSED)
        return Answer({"errors": answers(refused.errors)}, ran=False)
    if meter:
        meter.spend(price)
    with deadline.within(operation.operation if operation and meter else None):
        result: Any = execute(
            schema,
            document,
            context_value=Context(actor),
            variable_values=dict(request.variables),
            operation_name=request.operation_name,
            execution_context_class=deadline.Timed,
        )
    body: dict[str, Any] = {"errors": answers(result.errors)} if result.errors else {}
    if result.data is None and all(error.path is None for error in result.errors or ()):
        return Answer(body, ran=False)
    told = {"requested": price, "limit": settings.LINLI_POINTS_A_REQUEST}
    extensions = {"cost": told | (meter.told() if meter else {})}
    return Answer({**body, "data": result.data, "extensions": extensions}, ran=True)


class Rejected(Exception):
    """The document does not parse, breaks a limit or does not fit the schema."""

    def __init__(self, *errors: GraphQLError) -> None:
        super().__init__(*errors)
        self.errors = errors


def rejected(refused: InvalidRequest) -> Rejected:
    return Rejected(GraphQLError(str(refused.message), original_error=refused))


def read(schema: GraphQLSchema, request: Request, *, introspects: bool) -> DocumentNode:
    """The document, valid and within its limits; raises Rejected."""
    rules = specified_rules if introspects else (*specified_rules, NoSchemaIntrospectionCustomRule)
    try:
        limits.check_variables(request.variables)
        limits.check_text(request.query)
        document = parse(
            request.query, max_lexical_tokens=limits.TOKENS, max_comments=limits.COMMENTS
        )
        limits.check(document)
    except GraphQLError as error:
        raise Rejected(error) from error
    except InvalidRequest as refused:
        raise rejected(refused) from refused
    except RecursionError as error:
        too_deep = InvalidRequest("DOCUMENT_TOO_DEEP", _("The document nests too deep."))
        raise rejected(too_deep) from error
    errors = validate(schema, document, rules, max_errors=20)
    if errors:
        raise Rejected(*errors)
    return document
