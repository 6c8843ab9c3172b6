"""What clients count on beside the documents: the codes of errors and the names of headers. Written
as a schema that is never served, so that a change of them is noticed and told like one of the others.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext_lazy as _
from graphql import GraphQLSchema, build_schema

from linli.embedded import checkout
from linli_api.evolution.writing import written_enum, written_field, written_type

PAGE = (checkout() or Path.cwd()) / "docs/errors.md"
_ROW = re.compile(
    r"^\| `(?P<code>[^`]+)` \| (?P<wrong>.+?) +\| (?P<what_to_do>.+?) +\|$", re.MULTILINE
)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
# A code that goes says so at the end of what to do: "Since …, removed after …. Match on OTHER."
_GOES = re.compile(r"Since \d{4}-\d\d-\d\d, removed after .+$")


@dataclass(frozen=True)
class Header:
    """form: as GraphQL has it; ``!`` where it always comes, or has to."""

    name: str
    form: str
    description: str
    deprecation: str = ""

    @property
    def spelled(self) -> str:
        """As a name of GraphQL, which holds no hyphen."""
        return self.name.replace("-", "_")


REQUEST = (
    Header("Content-Type", "String!", "`application/json`."),
    Header("Content-Length", "Int!", "The body's length; it does not come in chunks."),
    Header("Authorization", "String", "`Bearer` and a token; a session has its cookie instead."),
    Header("X-CSRFToken", "String", "In a session, the value of the CSRF cookie."),
    Header("Accept-Language", "String", "The language of messages: `zh-hans` or `en`."),
    Header("Idempotency-Key", "String", "The request's own; sent twice under it, it is done once."),
)
ANSWER = (
    Header("RateLimit-Policy", "String", 'The points of a minute: `"points";q=60000;w=60`.'),
    Header("RateLimit", "String", 'What is left of them: `"points";r=59937;t=42`.'),
    Header("Retry-After", "Int", "After how many seconds to ask again; with 409, 429 and 503."),
    Header("WWW-Authenticate", "String", "`Bearer`, with 401."),
    Header("Idempotent-Replayed", "String", "`true` with an answer that was given before."),
)
WEBHOOK = (
    Header("Content-Type", "String!", "`application/json`."),
    Header("User-Agent", "String!", "`Linli-Webhooks/1`."),
    Header("Linli-Event", "String!", "The body's `type`, such as `partner.admitted`."),
    Header(
        "Linli-Delivery",
        "ID!",
        "The id of the `WebhookDelivery`, the same each time that the event is sent to the endpoint.",
    ),
    Header("Linli-Signature", "String!", "`t=`, the time, and a `v1=` for each live secret."),
)
RECEIVER = (Header("Retry-After", "Int", "Seconds to wait before the next attempt, up to 3,600."),)


# Whose they are, as the reference has them.
HEADERS = {
    "request": (_("Headers of a request"), REQUEST),
    "answer": (_("Headers of an answer"), ANSWER),
    "webhook": (_("Headers of a webhook"), WEBHOOK),
    "receiver": (_("Headers of a receiver's answer"), RECEIVER),
}


@dataclass(frozen=True)
class Code:
    """As docs/errors.md tells of it. deprecation: a notice, where it is going to be answered no more."""

    name: str
    wrong: str
    what_to_do: str
    deprecation: str

    @property
    def spelled(self) -> str:
        """<FIELD>_INVALID, which stands for NAME_INVALID and others, as a name of GraphQL."""
        return self.name.translate({ord("<"): None, ord(">"): None})


def codes() -> list[Code]:
    """In the order of the page; none in an installed package, which has no pages."""
    return list(_codes(PAGE.read_text())) if PAGE.exists() else []


def _codes(page: str) -> Iterator[Code]:
    for row in _ROW.finditer(_LINK.sub(r"\1", page)):
        goes = _GOES.search(row["what_to_do"])
        yield Code(row["code"], row["wrong"], row["what_to_do"], goes[0] if goes else "")


def http() -> GraphQLSchema:
    return shaped(codes())


def shaped(known: Iterable[Code]) -> GraphQLSchema:
    listed = sorted(known, key=lambda code: code.spelled)
    told = {code.spelled: code.wrong for code in listed}
    goes = {code.spelled: code.deprecation for code in listed if code.deprecation}
    says = "What `code` holds, in `errors` of a payload and in `extensions` of an answer's."
    return build_schema(
        "\n".join(
            [
                written_enum("ErrorCode", says, told, goes),
                _headers("Request", "Headers of a request that are read.", REQUEST, "input"),
                _headers("Answer", "Headers that answers of `/graphql` have.", ANSWER),
                _headers("Webhook", "Headers of a webhook.", WEBHOOK),
                _headers("Receiver", "Headers of a receiver's answer to one.", RECEIVER, "input"),
            ]
        )
    )


def _headers(of: str, says: str, headers: Iterable[Header], keyword: str = "type") -> str:
    fields = (
        written_field(one.spelled, one.form, f"`{one.name}`: {one.description}", one.deprecation)
        for one in headers
    )
    return written_type(f"{of}Headers", says, fields, keyword)
