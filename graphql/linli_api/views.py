"""``/graphql``: POST runs a document, GET shows GraphiQL to logged-in people in development."""

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie

from linli.accounts.policy import Actor, actor_for
from linli_api import limits
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
class GraphQLView(View):
    """One document a request. The host decides the schema: a tenant's or the platform's."""

    http_method_names = ["get", "post"]

    @method_decorator(ensure_csrf_cookie)
    def get(self, request: HttpRequest) -> HttpResponse:
        if not settings.LINLI_GRAPHIQL:
            return self.http_method_not_allowed(request)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("sign_in"))
        return render(request, "linli_api/graphiql.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            _check_csrf(request)
            document = _read(request)
        except InvalidRequest as refused:
            return _refusal(refused)
        schema = platform_schema if _tenant(request) is None else tenant_schema
        answer = run(schema, document, _actor(request))
        return _json(answer.body, 200 if answer.ran else 400)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kw: Any) -> HttpResponse:
        response = _refusal(
            InvalidRequest("METHOD_NOT_ALLOWED", _("Send the document by POST, as JSON."))
        )
        response["Allow"] = "POST"
        return response


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
        body = json.loads(request.body.decode())
    except (ValueError, RecursionError):
        body = None
    query = body.get("query") if isinstance(body, dict) else None
    if not isinstance(query, str):
        message = _('The body must be one JSON object: {"query": "…", "variables": {…}}.')
        raise InvalidRequest("REQUEST_INVALID", message)
    variables, name = body.get("variables"), body.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        message = _("variables must be an object and operationName a string.")
        raise InvalidRequest("REQUEST_INVALID", message)
    return Request(query, variables or {}, name)


def _refusal(refused: InvalidRequest) -> HttpResponse:
    entry = {"message": str(refused.message), "extensions": {"code": refused.code}}
    return _json({"errors": [entry]}, STATUS.get(refused.code, 400))


def _json(body: dict[str, Any], status: int) -> HttpResponse:
    return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
