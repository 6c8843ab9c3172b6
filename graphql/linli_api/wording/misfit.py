"""A fault that graphql-core found, worded."""

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from linli_api.errors import Misfit
from linli_api.members import LONGEST_NAME


def misfit(
    error: GraphQLError,
    message: Any,
    *,
    code: str = "REQUEST_INVALID",
    field: str | None = None,
    suggested: Sequence[str] = (),
) -> GraphQLError:
    """The error at its place in the document, saying something else. field: of the input."""
    return GraphQLError(
        "",
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        original_error=Misfit(message, code=code, field=field, suggested=suggested),
    )


def named(name: object) -> str:
    """A name that the client made up, as long as names are."""
    return str(name)[:LONGEST_NAME]
