"""``/pictures``: a POST takes one in for a case that is about to be published, a GET of its address
gives it to whoever may see the version; in a person's session or with a bearer token."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from linli.accounts.policy import Actor, Permission
from linli.errors import NotFound, Refused
from linli.library.models import Picture
from linli.library.pictures import MOST_BYTES, add_picture
from linli.library.selectors import published_versions
from linli.registry.models import Tenant
from linli_api import ids
from linli_api.caller import actor_of
from linli_api.errors import InvalidRequest, TokenMissing
from linli_api.incoming import bearer_token, check_csrf, refusal

STATUS = {
    "NOT_FOUND": 404,
    "TENANT_SUSPENDED": 403,
    "PICTURE_TOO_LARGE": 413,
    "PICTURE_UNREADABLE": 415,
    "TOO_MANY_PICTURES": 429,
}
View = Callable[..., HttpResponse]


def _answering(view: View) -> View:
    """What is refused is said as the API says it. CSRF is checked here: the middleware answers pages."""

    @csrf_exempt
    @wraps(view)
    def answered(request: HttpRequest, **values: UUID) -> HttpResponse:
        try:
            response = view(request, **values)
        except Refused as refused:
            response = refusal(refused, **getattr(refused, "headers", {}))
            response.status_code = STATUS.get(refused.code, response.status_code)
        response["X-Content-Type-Options"] = "nosniff"
        return response

    return answered


@_answering
def pictures(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        message = _("A picture is sent by POST.")
        return refusal(InvalidRequest("METHOD_NOT_ALLOWED", message), Allow="POST")
    if request.content_type not in Picture.ContentType.values:
        message = _("Send the picture itself, as image/jpeg, image/png or image/webp.")
        raise Refused("PICTURE_UNREADABLE", message)
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
    actor.require(Permission.MODELS_PUBLISH)  # before anything is taken in
    made = add_picture(actor=actor, tenant=tenant, content=_body(request))
    told = {
        "pictureId": ids.encode("Picture", made.pk),
        "contentType": made.content_type,
        "width": made.width,
        "height": made.height,
        "size": made.size,
        "digest": made.digest,
    }
    return JsonResponse(told, status=201, headers={"Cache-Control": "no-store"})


@_answering
def picture(request: HttpRequest, picture_id: UUID) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        message = _("A picture is fetched by GET.")
        return refusal(InvalidRequest("METHOD_NOT_ALLOWED", message), Allow="GET, HEAD")
    found = _seen_by(actor_of(request), picture_id)
    tag = f'"{found.digest}"'
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        content = Picture.objects.values_list("content", flat=True).get(pk=found.pk)
        response = HttpResponse(bytes(content), content_type=found.content_type)
        response["Content-Disposition"] = "inline"
        # Should anything ever take it for a page: nothing of it runs.
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["ETag"] = tag
    # It never changes; who may see it does, so whoever keeps it asks each time.
    patch_cache_control(response, private=True, no_cache=True)
    return response


def _seen_by(actor: Actor, picture_id: UUID) -> Picture:
    """Without its content. Refused: NOT_FOUND, FORBIDDEN."""
    seen = published_versions(actor=actor).order_by().values("pk")
    found = Picture.objects.defer("content").filter(pk=picture_id, version__in=seen).first()
    if found is None:
        raise NotFound(_("picture"))
    return found


def _body(request: HttpRequest) -> bytes:
    """Raises InvalidRequest LENGTH_REQUIRED, Refused PICTURE_TOO_LARGE before anything is read."""
    length = request.META.get("CONTENT_LENGTH")
    if not length:
        message = _("Send the body in one piece, with its length in the header Content-Length.")
        raise InvalidRequest("LENGTH_REQUIRED", message)
    if not length.isdigit() or int(length) > MOST_BYTES:
        raise Refused("PICTURE_TOO_LARGE", _("A picture has 8 MB at most."))
    return request.read(MOST_BYTES + 1)
