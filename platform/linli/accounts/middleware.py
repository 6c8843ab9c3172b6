"""A session is good at the host it was made at, and nowhere else."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port

from linli.accounts.sessions import HOST
from linli.registry.models import Tenant


class HostRequest(HttpRequest):
    """A request as `TenantMiddleware` passes it on: with the tenant of its host, if it has one."""

    tenant: Tenant | None


class SessionHostMiddleware:
    """Stands directly after Django's SessionMiddleware.

    Cookies are host-only, but all sessions lie in one table: without this, a key that leaked at
    one tenant's host would open every other host of its person.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        host = hostname(request)
        if request.session.get(HOST, host) != host:
            request.session = type(request.session)()
        response = self.get_response(request)
        if request.session.modified and not request.session.is_empty():
            request.session[HOST] = host
        return response


def hostname(request: HttpRequest) -> str:
    """The host of a request, without its port."""
    return split_domain_port(request.get_host())[0].lower()
