"""A fault that graphql-core found, worded."""

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from linli_api.errors import Misfit

LONGEST_NAME = 80


def misfit(
    error: GraphQLError,
    message: Any,
    *,
    code: str = "REQUEST_INVALID",
    suggested: Sequence[str] = (),
) -> GraphQLError:
    """The error at its place in the document, saying something else."""
    return GraphQLError(
        "",
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        original_error=Misfit(message, code=code, suggested=suggested),
    )


def named(name: object) -> str:
    """A name that the client made up, as long as names are."""
    return str(name)[:LONGEST_NAME]
