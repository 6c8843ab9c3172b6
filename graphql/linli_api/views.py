"""``/graphql``: POST runs a document, GET shows GraphiQL to people who are logged in."""

import json
from typing import Any

import graphene_django.views
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from linli.accounts.policy import Actor, actor_for
from linli_api import graphiql, limits
from linli_api.errors import InvalidRequest
from linli_api.execution import Request, run
from linli_api.schema import platform_schema, tenant_schema

STATUS = {
    "METHOD_NOT_ALLOWED": 405,
    "BODY_TOO_LARGE": 413,
    "JSON_EXPECTED": 415,
    "CSRF_FAILED": 403,
}


# Exempt from the middleware only: `_check_csrf` does the same and answers in JSON.
@method_decorator(csrf_exempt, name="dispatch")
class GraphQLView(graphene_django.views.GraphQLView):
    """One document a request. The host decides the schema: a tenant's or the platform's.

    graphene-django's view sorts out methods and who wants HTML; what it would do with the body and
    with errors is replaced: no documents in addresses or forms, no batches, no words of exceptions.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if graphiql.wanted(request):
            return graphiql.page(request)
        if request.method != "POST":
            return _refusal(
                InvalidRequest("METHOD_NOT_ALLOWED", _("Send the document by POST, as JSON.")),
                Allow="POST",
            )
        try:
            return super().dispatch(request, *args, **kwargs)
        except InvalidRequest as refused:
            return _refusal(refused)

    def parse_body(self, request: HttpRequest) -> Request:
        _check_csrf(request)
        return _read(request)

    def get_response(
        self, request: HttpRequest, data: Request, show_graphiql: bool = False
    ) -> tuple[str, int]:
        schema = platform_schema if _tenant(request) is None else tenant_schema
        answer = run(schema, data, _actor(request))
        return json.dumps(answer.body, ensure_ascii=False), 200 if answer.ran else 400


def _tenant(request: HttpRequest) -> Any:
    return request.tenant  # type: ignore[attr-defined]


def _actor(request: HttpRequest) -> Actor | None:
    user = request.user
    return actor_for(user, _tenant(request)) if user.is_authenticated else None


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


def _read(request: HttpRequest) -> Request:
    """The document in the body; raises InvalidRequest."""
    if request.content_type != "application/json":
        raise InvalidRequest("JSON_EXPECTED", _("Send the document as application/json."))
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > limits.BODY_BYTES:
        raise InvalidRequest("BODY_TOO_LARGE", _("A request may hold 1 MB at most."))
    try:
        body = json.loads(
            request.body.decode(), object_pairs_hook=_each_key_once, parse_constant=_no_number
        )
    except (ValueError, RecursionError):
        body = None
    query = body.get("query") if isinstance(body, dict) else None
    if not isinstance(query, str):
        message = _(
            'The body must be one JSON object, each key once: {"query": "…", "variables": {…}}.'
        )
        raise InvalidRequest("REQUEST_INVALID", message)
    variables, name = body.get("variables"), body.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        message = _("variables must be an object and operationName a string.")
        raise InvalidRequest("REQUEST_INVALID", message)
    return Request(query, variables or {}, name)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values under one key, the last would win in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _refusal(refused: InvalidRequest, **headers: str) -> HttpResponse:
    entry = {"message": str(refused.message), "extensions": {"code": refused.code}}
    return JsonResponse(
        {"errors": [entry]},
        status=STATUS.get(refused.code, 400),
        json_dumps_params={"ensure_ascii": False},
        headers=headers,
    )
