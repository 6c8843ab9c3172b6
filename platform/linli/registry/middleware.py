"""From the host of a request to the tenant it is for."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.programs import refusal, wants_json
from linli.registry.hosts import tenant_of_host
from linli.tenancy.context import connection, tenant_context
from linli.tenancy.unit import unit_of_work


class TenantMiddleware:
    """Sets ``request.tenant`` (None at the platform's own host) and works in its schema.

    The first middleware: a host nobody registered gets a 404 before anything else looks at the
    request, what is no host name a 400, a tenant that is not finished a 503 (T2). The connection is
    put back to the public schema before the host is resolved, whatever the request before left it in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        connection.set_schema_to_public()
        try:
            host = split_domain_port(request.get_host())[0]
        except DisallowedHost:
            message = _("The header Host holds no host name. Send the one you ask at.")
            sent = request.META.get("HTTP_HOST", "")
            return _unknown(request, sent, Refused("HOST_INVALID", message), status=400)
        if host in settings.LINLI_PLATFORM_HOSTS:
            request.tenant = None  # type: ignore[attr-defined]
            return self.get_response(request)
        tenant = tenant_of_host(host)
        if tenant is None:
            message = _("No unit has this address. Check the host you ask at.")
            return _unknown(request, host, Refused("HOST_UNKNOWN", message), status=404)
        if not tenant.is_served:
            if wants_json(request):
                message = _("This unit is not ready yet, or not any more. Try again later.")
                response = refusal(request, Refused("TENANT_NOT_SERVED", message), status=503)
            else:
                page, shown = "registry/not_ready.html", {"tenant": tenant}
                response = render(request, page, shown, status=503)
            response["Retry-After"] = "30"
            return response
        request.tenant = tenant  # type: ignore[attr-defined]
        request.urlconf = "linli.tenant_urls"
        with tenant_context(tenant), unit_of_work({tenant.schema_name: tenant.rules_stamp}):
            return self.get_response(request)


def _unknown(request: HttpRequest, host: str, refused: Refused, *, status: int) -> HttpResponse:
    if wants_json(request):
        return refusal(request, refused, status=status)
    return render(request, "registry/unknown_host.html", {"host": host}, status=status)
