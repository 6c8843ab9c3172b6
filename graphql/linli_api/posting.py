"""What is posted as it is, to an address that is no ``/graphql``: a picture, a package."""

from collections.abc import Callable, Mapping
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from linli.accounts.policy import Actor, Permission
from linli.errors import Refused
from linli.registry.models import Tenant
from linli_api.caller import actor_of
from linli_api.errors import InvalidRequest, TokenMissing
from linli_api.incoming import bearer_token, check_csrf, refusal

View = Callable[..., HttpResponseBase]


def answering(status: Mapping[str, int]) -> Callable[[View], View]:
    """What the view refuses is said as the API says it, ``status`` by its code. CSRF is `poster`'s to check:
    the middleware answers pages."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answered(request: HttpRequest, **values: UUID) -> HttpResponseBase:
            response: HttpResponseBase
            try:
                response = view(request, **values)
            except Refused as refused:
                response = refusal(refused, **getattr(refused, "headers", {}))
                response.status_code = status.get(refused.code, response.status_code)
            response["X-Content-Type-Options"] = "nosniff"
            return response

        return answered

    return decorate


def poster(request: HttpRequest, permission: Permission) -> tuple[Actor, Tenant]:
    """Who posts at a tenant's host, before anything is taken in; in a session, with what CSRF asks for.

    Raises TokenMissing, TokenInvalid, InvalidRequest CSRF_FAILED, Refused TENANT_SUSPENDED, FORBIDDEN.
    """
    if bearer_token(request) is None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            raise TokenMissing
        check_csrf(request)
    actor = actor_of(request)
    tenant = actor.tenant
    assert tenant is not None  # no such address at the platform's host
    if tenant.status == Tenant.Status.SUSPENDED:
        message = _("This unit is suspended: everything can be read, nothing changed.")
        raise Refused("TENANT_SUSPENDED", message)
    actor.require(permission)
    return actor, tenant


def length_of(request: HttpRequest, most: int, too_large: Callable[[], Refused]) -> int:
    """Bytes of the body, of which nothing is read. Raises InvalidRequest LENGTH_REQUIRED, ``too_large``."""
    length = request.META.get("CONTENT_LENGTH")
    if not length:
        message = _("Send the body in one piece, with its length in the header Content-Length.")
        raise InvalidRequest("LENGTH_REQUIRED", message)
    if not length.isdigit() or int(length) > most:
        raise too_large()
    return int(length)
