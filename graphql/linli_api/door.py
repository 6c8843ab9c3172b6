"""The door of programs: a POST with ``Authorization: Bearer …`` goes straight to its answer.

No cookie counts for it, so sessions, CSRF and what else a page needs are passed by. The first
middleware: one statement tells the host's tenant and who asks there. A host that is not served, or is
none, is left to the tenants' own middleware, which says so.
"""

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils import translation

from linli.clients import usage
from linli.clients.admission import Admitted, admit_at, admit_at_platform
from linli.registry.models import Tenant
from linli.tenancy.context import connection, tenant_context
from linli.tenancy.unit import unit_of_work
from linli_api.errors import TokenInvalid
from linli_api.incoming import bearer_token
from linli_api.responding import fault, refuse, respond

PATH = "/graphql"
# Of every answer to a program.
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class Door:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = bearer_token(request)
        open_wire = settings.SECURE_SSL_REDIRECT and not request.is_secure()
        if token is None or request.path_info != PATH or request.method != "POST" or open_wire:
            return self.get_response(request)
        connection.set_schema_to_public()
        try:
            return self._answered(request, token)
        except DatabaseError as error:  # nothing was looked up, so nothing was run
            return fault(error)

    def _answered(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            host = split_domain_port(request.get_host())[0]
        except DisallowedHost:
            return self.get_response(request)
        if host in settings.LINLI_PLATFORM_HOSTS:
            return _let_in(request, None, admit_at_platform(token))
        tenant, admitted = admit_at(host, token)
        if tenant is None or not tenant.is_served:
            return self.get_response(request)
        with tenant_context(tenant), unit_of_work({tenant.schema_name: tenant.rules_stamp}):
            return _let_in(request, tenant, admitted)


def _let_in(request: HttpRequest, tenant: Tenant | None, admitted: Admitted | None) -> HttpResponse:
    with translation.override(translation.get_language_from_request(request)):
        if admitted is None:
            response = refuse(request, TokenInvalid(), **TokenInvalid.headers)
        else:
            response = respond(request, tenant, admitted.actor, admitted.actor.client_id)
            # When the answer is made, before it is sent.
            response._resource_closers.append(partial(usage.note, admitted))  # type: ignore[attr-defined]
    for name, value in HEADERS.items():
        response[name] = value
    return response
