"""``/graphql``: POST runs a document, GET shows GraphiQL to logged-in people in development.

A program sends ``Authorization: Bearer …``; then no cookie counts and none needs a CSRF token.
"""

import json
import re
from functools import partial
from typing import Any
from uuid import UUID

import graphene_django.views
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from linli.accounts.policy import Actor, actor_for
from linli.budget.lease import RateLimited
from linli.clients import usage
from linli.clients.admission import Admitted, admit
from linli.errors import Refused
from linli.registry.models import Tenant
from linli_api import limits
from linli_api.errors import InvalidRequest
from linli_api.execution import Answer, Request
from linli_api.limits.cost import REFUSED
from linli_api.metering import Meter
from linli_api.repeats import checked_key, run_once
from linli_api.schema import platform_schema, tenant_schema
from linli_api.trusted.requests import check_untrusted, text_of

# Of what was not run; anything else is a 400.
STATUS = {
    "METHOD_NOT_ALLOWED": 405,
    "BODY_TOO_LARGE": 413,
    "JSON_EXPECTED": 415,
    "CSRF_FAILED": 403,
    "RATE_LIMITED": 429,
    "INTERNAL": 500,
    "TOKEN_INVALID": 401,
    "IDEMPOTENCY_KEY_IN_USE": 409,
    "IDEMPOTENCY_KEY_REUSED": 422,
}
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


# Exempt from the middleware only: `_check_csrf` does the same and answers in JSON.
@method_decorator(csrf_exempt, name="dispatch")
class GraphQLView(graphene_django.views.GraphQLView):
    """One document a request. The host decides the schema: a tenant's or the platform's.

    graphene-django's view sorts out methods and who wants HTML; what it would do with the body and
    with errors is replaced: no documents in addresses or forms, no batches, no words of exceptions.
    """

    graphiql_template = "linli_api/graphiql.html"
    admitted: Admitted | None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "GET" and settings.LINLI_GRAPHIQL:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), reverse("sign_in"))
        elif request.method != "POST":
            return _refusal(
                InvalidRequest("METHOD_NOT_ALLOWED", _("Send the document by POST, as JSON.")),
                Allow="POST",
            )
        try:
            self.admitted = _admitted(request)
        except InvalidRequest as refused:
            self.admitted, self.meter = None, Meter(request, None)
            return self._refuse(refused, **{"WWW-Authenticate": 'Bearer error="invalid_token"'})
        self.meter = Meter(request, self._caller(request))
        try:
            response = super().dispatch(request, *args, **kwargs)
        except InvalidRequest as refused:
            response = self._refuse(refused)
        for name, value in self.meter.headers(response.status_code):
            response[name] = value
        if getattr(request, "replayed", False):
            response["Idempotent-Replayed"] = "true"
        if self.admitted is not None:  # when the answer is on its way
            response._resource_closers.append(partial(usage.note, self.admitted))
        return response

    def can_display_graphiql(self, request: HttpRequest, data: Any) -> bool:
        return request.method == "GET"

    def parse_body(self, request: HttpRequest) -> Request | None:
        if request.method == "GET":
            return None
        if self.admitted is None:
            _check_csrf(request)
        return _read(request, _tenant(request))

    def get_response(
        self, request: HttpRequest, data: Request, show_graphiql: bool = False
    ) -> tuple[str, int]:
        tenant = _tenant(request)
        actor = self.admitted.actor if self.admitted else _actor(request)
        if not data.trusted:
            check_untrusted(tenant, actor)
        schema = platform_schema if tenant is None else tenant_schema
        key = checked_key(request.headers.get("Idempotency-Key"))
        answer = run_once(schema, data, actor, key, self.meter)
        request.replayed = answer.replayed  # type: ignore[attr-defined]
        return answer.text, 200 if answer.ran else _status(answer)

    def _caller(self, request: HttpRequest) -> UUID | None:
        """Whose points it costs: a program's, or the person's in a session."""
        if self.admitted is not None:
            return self.admitted.actor.client_id
        return request.user.pk if request.user.is_authenticated else None

    def _refuse(self, refused: Refused, **headers: str) -> HttpResponse:
        """What is no request costs what a bad document does."""
        try:
            self.meter.spend(REFUSED)
        except RateLimited as limited:
            refused = limited
        return _refusal(refused, **headers)


def _status(answer: Answer) -> int:
    return STATUS.get(answer.errors[0]["extensions"]["code"], 400)


def _tenant(request: HttpRequest) -> Any:
    return request.tenant  # type: ignore[attr-defined]


def _actor(request: HttpRequest) -> Actor | None:
    user = request.user
    return actor_for(user, _tenant(request)) if user.is_authenticated else None


def _admitted(request: HttpRequest) -> Admitted | None:
    """Who asks with a bearer token, None for who sends none. Raises InvalidRequest TOKEN_INVALID."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if request.method != "POST" or scheme.lower() != "bearer":
        return None
    admitted = admit(token.strip(), _tenant(request))
    if admitted is None:
        message = _("This token is not valid here, or no longer. Get a new one.")
        raise InvalidRequest("TOKEN_INVALID", message)
    return admitted


class _Csrf(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _check_csrf(request: HttpRequest) -> None:
    """A session's cookie alone must not be enough to write."""
    csrf = _Csrf(lambda _request: HttpResponse())
    csrf.process_request(request)
    if csrf.process_view(request, HttpResponse, (), {}):
        message = _("Send the value of the cookie {cookie} in the header X-CSRFToken.")
        raise InvalidRequest("CSRF_FAILED", message.format(cookie=settings.CSRF_COOKIE_NAME))


def _read(request: HttpRequest, tenant: Tenant | None) -> Request:
    """The document in the body; raises InvalidRequest."""
    if request.content_type != "application/json":
        raise InvalidRequest("JSON_EXPECTED", _("Send the document as application/json."))
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > limits.BODY_BYTES:
        raise InvalidRequest("BODY_TOO_LARGE", _("A request may hold 1 MB at most."))
    body = _json(request.body)
    if isinstance(body, list):
        message = _("Several documents at once are not run. Send each in a request of its own.")
        raise InvalidRequest("BATCH_REFUSED", message)
    body = body if isinstance(body, dict) else {}
    query, document_id = body.get("query"), body.get("documentId")
    if [type(one) for one in (query, document_id) if one is not None] != [str]:
        message = _(
            'The body must be one JSON object, each key once: {"query": "…", "variables": {…}}, or'
            ' with "documentId" in place of "query".'
        )
        raise InvalidRequest("REQUEST_INVALID", message)
    variables, name = body.get("variables"), body.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        message = _("variables must be an object and operationName a string.")
        raise InvalidRequest("REQUEST_INVALID", message)
    if document_id is not None:
        return Request(text_of(tenant, document_id), variables or {}, name, trusted=True)
    return Request(str(query), variables or {}, name)


def _json(body: bytes) -> Any:
    """None for what is no JSON; raises InvalidRequest for text that nothing can store or show."""
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_each_key_once, parse_constant=_no_number
        )
        # Half a character can only come as an escape; looked for where there is one.
        if _SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        message = _("The text holds a NUL or half a character. Type it anew.")
        raise InvalidRequest("TEXT_INVALID", message) from error
    except (ValueError, RecursionError):
        return None
    return value


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values under one key, the last would win in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _refusal(refused: Refused, **headers: str) -> HttpResponse:
    where = {"field": refused.field} if refused.field else {}
    entry = {"message": str(refused.message), "extensions": {"code": refused.code, **where}}
    return JsonResponse(
        {"errors": [entry]},
        status=STATUS.get(refused.code, 400),
        json_dumps_params={"ensure_ascii": False},
        headers=headers,
    )
