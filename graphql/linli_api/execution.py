"""Runs one document for one actor. HTTP is in `views`; this is the place a planner would hang on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import graphene
from django.utils.translation import gettext as _
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    execute,
    parse,
    specified_rules,
    validate,
)

from linli.accounts.policy import Actor
from linli_api import limits
from linli_api.errors import InvalidRequest, answers


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
    """body: the JSON value to send. ran: False when nothing was executed (HTTP 400)."""

    body: dict[str, Any]
    ran: bool


def run(schema: graphene.Schema, request: Request, actor: Actor | None) -> Answer:
    try:
        document = read_document(
            schema.graphql_schema, request.query, introspects=actor is not None
        )
    except Rejected as rejected:
        return Answer({"errors": answers(rejected.errors)}, ran=False)
    result: Any = execute(
        schema.graphql_schema,
        document,
        context_value=Context(actor),
        variable_values=dict(request.variables),
        operation_name=request.operation_name,
    )
    body: dict[str, Any] = {"errors": answers(result.errors)} if result.errors else {}
    if result.data is None and all(error.path is None for error in result.errors or ()):
        return Answer(body, ran=False)
    return Answer({**body, "data": result.data}, ran=True)


class Rejected(Exception):
    """The document does not parse, breaks a limit or does not fit the schema."""

    def __init__(self, *errors: GraphQLError) -> None:
        super().__init__(*errors)
        self.errors = errors


def read_document(schema: GraphQLSchema, query: str, *, introspects: bool = False) -> DocumentNode:
    """The document, parsed, within the limits and fit for the schema; raises Rejected."""
    rules = specified_rules if introspects else (*specified_rules, NoSchemaIntrospectionCustomRule)
    try:
        document = parse(query, max_lexical_tokens=limits.TOKENS, max_comments=limits.COMMENTS)
        limits.check(document)
    except GraphQLError as error:
        raise Rejected(error) from error
    except InvalidRequest as refused:
        raise Rejected(GraphQLError(str(refused.message), original_error=refused)) from refused
    except RecursionError as error:
        too_deep = InvalidRequest("DOCUMENT_TOO_DEEP", _("The document nests too deep."))
        raise Rejected(GraphQLError("", original_error=too_deep)) from error
    errors = validate(schema, document, rules, max_errors=20)
    if errors:
        raise Rejected(*errors)
    return document
