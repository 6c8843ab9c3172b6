"""The door of programs: a POST with ``Authorization: Bearer …`` goes straight to its answer.

No cookie counts for it, so sessions, CSRF and what else a page needs are passed by. The middleware
stands right after the tenant's: the request is in its tenant's schema already.
"""

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from linli.clients import usage
from linli.clients.admission import admit
from linli_api.errors import TokenInvalid
from linli_api.incoming import bearer_token
from linli_api.responding import refuse, respond

PATH = "/graphql"


class Door:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = bearer_token(request)
        open_wire = settings.SECURE_SSL_REDIRECT and not request.is_secure()
        if token is None or request.path_info != PATH or request.method != "POST" or open_wire:
            return self.get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            response = _let_in(request, token)
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "no-store"
        return response


def _let_in(request: HttpRequest, token: str) -> HttpResponse:
    tenant = request.tenant  # type: ignore[attr-defined]
    admitted = admit(token, tenant)
    if admitted is None:
        return refuse(request, TokenInvalid(), **TokenInvalid.headers)
    response = respond(request, tenant, admitted.actor, admitted.actor.client_id)
    # When the answer is on its way.
    response._resource_closers.append(partial(usage.note, admitted))  # type: ignore[attr-defined]
    return response
