"""Where a text stops being GraphQL, and what stands there."""

import re
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from graphql import GraphQLError

from linli_api.wording.misfit import misfit, named

_NAME = re.compile(r"[_A-Za-z]\w*", re.ASCII)
_ABORTED = "Syntax Error: Document contains"


def syntax_fault(error: GraphQLError) -> GraphQLError:
    """The error of `graphql.parse`, worded."""
    if error.message.startswith(_ABORTED):
        message: Any = _(
            "The document holds more tokens or comments than a document may. Split it, or send its values as variables."
        )
    else:
        location = error.locations[0] if error.locations else None
        message = format_lazy(
            _("This is no GraphQL: {found} at line {line}, column {column} is not expected there."),
            found=_found(error),
            line=location.line if location else 1,
            column=location.column if location else 1,
        )
    return misfit(error, message, code="SYNTAX_ERROR")


def _found(error: GraphQLError) -> Any:
    """What stands there: a name or a sign as it is, of a value only its kind."""
    body = error.source.body if error.source else ""
    rest = body[next(iter(error.positions or ()), len(body)) :]
    if not rest:
        return _("the end of the document")
    if name := _NAME.match(rest):
        return format_lazy(_("the name {name}"), name=named(name[0]))
    if rest[0] == '"':
        return _("a text")
    if rest[0].isdigit() or rest[0] == "-":
        return _("a number")
    return format_lazy(_("the sign {sign}"), sign=rest[0]) if rest[0].isprintable() else _("a sign")
