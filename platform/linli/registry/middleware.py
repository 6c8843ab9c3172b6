"""From the host of a request to the tenant it is for."""

from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import render

from linli.registry.models import Domain, Tenant
from linli.tenancy.context import tenant_context


class TenantMiddleware:
    """Sets ``request.tenant`` (None at the platform's own host) and works in its schema.

    The first middleware: a host nobody registered gets a 404 before anything else looks at the
    request, a tenant that is not finished a 503 (T2). The connection is put back to the public
    schema before the host is resolved, whatever the request before left it in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        connection.set_schema_to_public()  # type: ignore[attr-defined]
        host = split_domain_port(request.get_host())[0]
        if host in settings.LINLI_PLATFORM_HOSTS:
            request.tenant = None  # type: ignore[attr-defined]
            return self.get_response(request)
        tenant = tenant_of_host(host)
        if tenant is None:
            return render(request, "registry/unknown_host.html", {"host": host}, status=404)
        if not tenant.is_served:
            response = render(request, "registry/not_ready.html", {"tenant": tenant}, status=503)
            response["Retry-After"] = "30"
            return response
        request.tenant = tenant  # type: ignore[attr-defined]
        request.urlconf = "linli.tenant_urls"
        with tenant_context(tenant):
            return self.get_response(request)


def tenant_of_host(host: str) -> Tenant | None:
    """The tenant a host name leads to; a purged one is gone for good."""
    domain = (
        Domain.objects.select_related("tenant__parent__parent")
        .filter(domain=host.lower())
        .exclude(tenant__status=Tenant.Status.PURGED)
        .first()
    )
    return domain.tenant if domain else None
