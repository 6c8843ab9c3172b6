"""Answers a read of which everything is known: who asks, the document, its plan.

One statement, which also tells whether who asks still stands as known. Whatever is new, refused, a
fault or anything but a planned read is None here, and nothing has come of it: it goes the whole way,
which also makes known what was new.
"""

from io import BytesIO
from typing import NamedTuple

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.utils import translation

from linli.budget import lease
from linli.budget.headers import headers
from linli.clients import admission, usage
from linli.clients.admission import Known
from linli.errors import Refused
from linli.registry.models import Tenant
from linli.shares import CROWDED
from linli.tenancy.postgresql.lines import Failed, Lines
from linli.trusted import selectors as trusted
from linli_api import documents, limits, metering
from linli_api.door import HEADERS
from linli_api.errors import AnswerTooLarge, InvalidRequest
from linli_api.execution import Answer, Request, extensions, failed
from linli_api.express.incoming import Asked
from linli_api.incoming import document_in
from linli_api.limits.deadline import TimedOut
from linli_api.planner import Ready, known_plan
from linli_api.schema import platform_schema, tenant_schema

# Points: what costs no more is answered in no time, and may be asked for together with others.
CHEAP = 200
_FIXED = [
    (name.encode(), value.encode())
    for name, value in {"Content-Type": "application/json", **HEADERS}.items()
]


class Read(NamedTuple):
    """A read that may be run, if who asks still stands as known."""

    known: Known
    ready: Ready
    price: int

    @property
    def schema(self) -> str:
        return self.known.tenant.schema_name if self.known.tenant else "public"


class Answered(NamedTuple):
    content: bytes
    headers: list[tuple[bytes, bytes]]


class Reads:
    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    async def answer(self, asked: Asked, body: bytes) -> Answered | None:
        """Raises CROWDED, and nothing was spent."""
        read = read_of(asked, body)
        if read is None:
            return None
        caller = read.known.admitted.actor.client_id
        held = lease.spend_held(caller, read.price) if caller else None
        if caller is None or held is None:
            return None
        try:
            answer = await self._answer(asked, read)
        except CROWDED:
            lease.give_back(held, caller, read.price)
            raise
        if answer is None:
            lease.give_back(held, caller, read.price)
            return None
        answer.extensions = extensions(read.price, metering.told(held))
        return Answered(answer.text.encode(), _headers(held))

    async def _answer(self, asked: Asked, read: Read) -> Answer | None:
        known, plan = read.known, read.ready.plan
        statement = plan.beside(known.stands, len(known.of))
        seconds = settings.LINLI_READ_SECONDS
        try:
            row = await self._lines.row(
                read.schema,
                statement,
                [*known.of, *read.ready.params],
                seconds=seconds,
                alone=read.price > CHEAP,
                caller=known.caller,
            )
        except Failed as failure:
            return _refused(asked, TimedOut(seconds * 1000)) if failure.late else None
        try:
            data = plan.answer(row[1:]) if row[0] == known.stamp else None
        except AnswerTooLarge as refused:
            return _refused(asked, refused)
        return Answer(data) if data is not None else None


def read_of(asked: Asked, body: bytes) -> Read | None:
    """None where anything of it is new or not to be run. Asks nobody."""
    known = admission.known(asked.host, asked.token)
    if known is None or usage.is_due(known.admitted):
        return None
    try:
        request = document_in(body, lambda document_id: _trusted(known.tenant, document_id))
        limits.check_variables(request.variables)
    except (Refused, InvalidRequest):
        return None
    if not request.trusted and known.tenant and not trusted.known_to_take_any(known.tenant.pk):
        return None
    schema = tenant_schema if known.tenant else platform_schema
    document = documents.known(schema.graphql_schema, request.query)
    price = _price(document, request) if document else None
    if document is None or price is None:
        return None
    actor = known.admitted.actor
    ready = known_plan(document, request.operation_name, actor, request.variables)
    return Read(known, ready, price) if ready else None


def _trusted(tenant: Tenant | None, document_id: str) -> str:
    text = trusted.known_text(tenant.pk, document_id) if tenant else None
    if text is None:
        raise InvalidRequest("DOCUMENT_NOT_TRUSTED", "")
    return text


def _price(document: documents.Document, request: Request) -> int | None:
    cost = document.cost(request.operation_name)
    if cost is None or document.introspection:
        return None
    price = cost.price(request.variables)
    return price if price <= settings.LINLI_POINTS_A_REQUEST else None


def _refused(asked: Asked, why: Refused) -> Answer:
    language = translation.get_language_from_request(ASGIRequest(asked.scope, BytesIO()))
    with translation.override(language):
        return failed(why)


def _headers(held: lease.Lease) -> list[tuple[bytes, bytes]]:
    return [*_FIXED, *((name.encode(), value.encode()) for name, value in headers(held, 200))]
