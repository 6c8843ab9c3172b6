"""The one boundary where an exception becomes an answer of the API.

`Refused` keeps its code, sentence and field. What the client wrote wrongly gets a code of this
module. Anything else is a fault of ours: the answer holds ``INTERNAL`` and a reference, and the
log holds the rest under that reference. No SQL and no path ever reaches an answer.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError
from django.utils.translation import gettext as _
from graphql import GraphQLError

from linli.errors import Refused

logger = logging.getLogger(__name__)

LONGEST_MESSAGE = 500
MOST_ERRORS = 100
MOST_LOCATIONS = 10


class Unauthenticated(Refused):
    def __init__(self) -> None:
        super().__init__("UNAUTHENTICATED", _("Log in first."))


class InvalidRequest(Refused):
    """The request breaks a limit or the form of GraphQL over HTTP; nothing of it was run.

    Its data are told: numbers of the limit it breaks.
    """


class Misfit(InvalidRequest):
    """The document or its variables are not what GraphQL or the schema takes (`linli_api.wording`).

    suggested: names of the schema that may have been meant, told to who may ask for all of it.
    """

    def __init__(
        self,
        message: Any,
        *,
        code: str = "REQUEST_INVALID",
        field: str | None = None,
        suggested: Sequence[str] = (),
    ) -> None:
        super().__init__(code, message, field=field)
        self.suggested = tuple(suggested)


class AnswerTooLarge(InvalidRequest):
    """What was asked for comes to more than an answer may hold; wrote: a mutation has run."""

    def __init__(self, *, wrote: bool = False) -> None:
        most = settings.LINLI_ANSWER_BYTES
        message = _(
            "The answer would hold more than {most} bytes. Ask for shorter lists, for fewer fields,"
            " or in several requests."
        )
        if wrote:
            message = _(
                "The request has run, but its answer would hold more than {most} bytes. Read what"
                " it changed, asking for less of it."
            )
        super().__init__("ANSWER_TOO_LARGE", message.format(most=most), limit=most)


class TokenInvalid(InvalidRequest):
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}

    def __init__(self) -> None:
        message = _("This token is not valid here, or no longer. Get a new one.")
        super().__init__("TOKEN_INVALID", message)


class TokenMissing(InvalidRequest):
    headers = {"WWW-Authenticate": "Bearer"}

    def __init__(self) -> None:
        message = _(
            "Send a token in the header Authorization: Bearer …. A client gets one at /oauth/token;"
            " a person makes one with createPersonalToken, or logs in."
        )
        super().__init__("TOKEN_MISSING", message)


def broken_constraint(error: IntegrityError) -> Refused | None:
    """The rule that the database just upheld, if a model states it: a named constraint with a
    message. Its code is the constraint's ``violation_error_code``, or else its name."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    for model in apps.get_models():
        for rule in model._meta.constraints:
            message = rule.violation_error_message
            if rule.name == name and message and message != rule.default_violation_error_message:
                return Refused(rule.violation_error_code or rule.name.upper(), message)
    return None


def answers(
    errors: Iterable[GraphQLError], suggests: Callable[[], bool] = lambda: False
) -> list[dict[str, Any]]:
    """The ``errors`` entry of an answer; several faults of one refusal become several entries.

    A hundred at most: where every row of a list has a fault, the first tell what it is. suggests:
    whether names of the schema may be told.
    """
    found = (entry for error in errors for entry in _entries(error, suggests))
    return list(islice(found, MOST_ERRORS))


def _entries(error: GraphQLError, suggests: Callable[[], bool]) -> list[dict[str, Any]]:
    cause = error.original_error
    if isinstance(cause, Misfit) and cause.suggested and suggests():
        message = _("{fault} Did you mean {names}?")
        whole = message.format(fault=cause.message, names=", ".join(cause.suggested))
        return [_entry(error, cause.code, whole, cause.field)]
    if isinstance(cause, Refused):
        told = cause.data if isinstance(cause, InvalidRequest) else {}
        return [_entry(error, f.code, str(f.message), f.field, **told) for f in cause.faults]
    if is_the_clients(error):  # found while it ran; `linli_api.wording` knows it no better
        message = _("The request does not fit the schema at the place that is named.")
        return [_entry(error, "REQUEST_INVALID", message)]
    reference = uuid4().hex[:12]
    logger.error("reference %s at %s", reference, error.path, exc_info=cause or error)
    message = _("This is our fault, not yours. Quote the reference when you report it.")
    return [_entry(error, "INTERNAL", message, reference=reference)]


def is_the_clients(error: GraphQLError) -> bool:
    """graphql-core found the fault in the document or its variables, not in our answer."""
    if error.path is None:
        return error.original_error is None or isinstance(error.original_error, GraphQLError)
    # A bad argument is found while the field runs; it points at its node before it is located.
    return isinstance(error.original_error, GraphQLError) and bool(error.original_error.nodes)


def _entry(
    error: GraphQLError, code: str, message: str, field: str | None = None, **extensions: Any
) -> dict[str, Any]:
    entry: dict[str, Any] = {"message": message[:LONGEST_MESSAGE]}
    if error.locations:
        entry["locations"] = [location.formatted for location in error.locations[:MOST_LOCATIONS]]
    if error.path is not None:
        entry["path"] = error.path
    entry["extensions"] = {"code": code, **({"field": field} if field else {}), **extensions}
    return entry
