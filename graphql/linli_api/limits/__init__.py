"""What a request may be at most: its size (`size`), what it costs (`cost`), how long it takes
(`deadline`). Points a minute are the platform's: `linli.budget`."""

from linli_api.limits.size import (
    BODY_BYTES,
    COMMENTS,
    TOKENS,
    VALUE_DEPTH,
    check,
    check_text,
    check_variables,
    is_too_large,
)

__all__ = [
    "BODY_BYTES",
    "COMMENTS",
    "TOKENS",
    "VALUE_DEPTH",
    "check",
    "check_text",
    "check_variables",
    "is_too_large",
]
