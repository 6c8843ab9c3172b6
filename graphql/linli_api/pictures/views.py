"""``/pictures``: a POST takes one in for a case that is about to be published, a GET of its address
gives it to whoever may see the version; in a person's session or with a bearer token."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _

from linli.accounts.policy import Actor, Permission
from linli.errors import NotFound, Refused
from linli.library.models import Picture
from linli.library.pictures import MOST_BYTES, add_picture, too_heavy
from linli.library.selectors import published_versions
from linli_api import ids
from linli_api.caller import actor_of
from linli_api.errors import InvalidRequest
from linli_api.incoming import refusal
from linli_api.posting import answering, length_of, poster

STATUS = {
    "NOT_FOUND": 404,
    "TENANT_SUSPENDED": 403,
    "PICTURE_TOO_LARGE": 413,
    "PICTURE_UNREADABLE": 415,
    "TOO_MANY_PICTURES": 429,
}


@answering(STATUS)
def pictures(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        message = _("A picture is sent by POST.")
        return refusal(InvalidRequest("METHOD_NOT_ALLOWED", message), Allow="POST")
    if request.content_type not in Picture.ContentType.values:
        message = _("Send the picture itself, as image/jpeg, image/png or image/webp.")
        raise Refused("PICTURE_UNREADABLE", message)
    actor, tenant = poster(request, Permission.MODELS_PUBLISH)
    length_of(request, MOST_BYTES, too_heavy)
    made = add_picture(actor=actor, tenant=tenant, content=request.read(MOST_BYTES + 1))
    told = {
        "pictureId": ids.encode("Picture", made.pk),
        "contentType": made.content_type,
        "width": made.width,
        "height": made.height,
        "size": made.size,
        "digest": made.digest,
    }
    return JsonResponse(told, status=201, headers={"Cache-Control": "no-store"})


@answering(STATUS)
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
    found = (
        Picture.objects.defer("content", "original").filter(pk=picture_id, version__in=seen).first()
    )
    if found is None:
        raise NotFound(_("picture"))
    return found
