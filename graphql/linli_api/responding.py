"""The way of a POST from its bytes to its answer, the same for programs and people."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from graphql import GraphQLError

from linli.accounts.policy import Actor
from linli.budget.lease import RateLimited
from linli.errors import Refused
from linli.registry.models import Tenant
from linli_api import incoming
from linli_api.errors import InvalidRequest, answers
from linli_api.execution import Answer
from linli_api.limits.cost import REFUSED
from linli_api.metering import Meter
from linli_api.repeats import checked_key, run_once
from linli_api.schema import platform_schema, tenant_schema
from linli_api.trusted.requests import check_untrusted


def respond(
    request: HttpRequest, tenant: Tenant | None, actor: Actor | None, caller: UUID | None
) -> HttpResponse:
    """caller: whose points it costs, the program or the person; None: the address counts."""
    meter = Meter(request, caller)
    try:
        response = _sent(_answer(request, tenant, actor, meter))
    except InvalidRequest as refused:
        response = _refused(refused, meter)
    for name, value in meter.headers(response.status_code):
        response[name] = value
    return response


def refuse(request: HttpRequest, refused: Refused, **headers: str) -> HttpResponse:
    """What is not let in costs its address what a bad document does."""
    meter = Meter(request, None)
    response = _refused(refused, meter, **headers)
    for name, value in meter.headers(response.status_code):
        response[name] = value
    return response


def fault(error: Exception) -> HttpResponse:
    """What went wrong with us before anything was run: with a reference, and no more of it."""
    return _sent(Answer(None, answers([GraphQLError("", original_error=error)])))


def _answer(
    request: HttpRequest, tenant: Tenant | None, actor: Actor | None, meter: Meter
) -> Answer:
    asked = incoming.read(request, tenant)
    if not asked.trusted:
        check_untrusted(tenant, actor)
    schema = platform_schema if tenant is None else tenant_schema
    key = checked_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
    return run_once(schema, asked, actor, key, meter)


def _sent(answer: Answer) -> HttpResponse:
    status = 200
    if not answer.ran:
        status = incoming.STATUS.get(answer.errors[0]["extensions"]["code"], 400)
    response = HttpResponse(answer.text, content_type="application/json", status=status)
    if answer.replayed:
        response["Idempotent-Replayed"] = "true"
    return response


def _refused(refused: Refused, meter: Meter, **headers: str) -> HttpResponse:
    try:
        meter.spend(REFUSED)
    except RateLimited as limited:
        refused = limited
    return incoming.refusal(refused, **headers)
