"""``/packages/…`` at the platform's host: a version as its signed file, for who may read it in the
library, in a person's session or with a bearer token."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from linli.accounts.policy import Actor, actor_for
from linli.clients import usage
from linli.clients.admission import admit
from linli.errors import NotFound, Refused
from linli.library.packages.writing import export, file_name
from linli.library.visibility import to_take_along
from linli_api.errors import InvalidRequest, TokenInvalid, TokenMissing
from linli_api.incoming import bearer_token, refusal

STATUS = {
    "TOKEN_MISSING": 401,
    "TOKEN_INVALID": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "PACKAGE_TOO_LARGE": 422,
    "SIGNING_KEY_MISSING": 503,
}


# Nothing is done here, so nothing has to be guarded: whatever else is sent is told what may be.
@csrf_exempt
@never_cache
def download(request: HttpRequest, version_id: UUID) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        message = _("A file is fetched by GET.")
        return refusal(InvalidRequest("METHOD_NOT_ALLOWED", message), Allow="GET, HEAD")
    try:
        readable = to_take_along(_actor(request)).select_related("author", "derived_from")
        version = readable.filter(pk=version_id).first()
        if version is None:
            raise NotFound(_("published version"))
        content = export(version)
    except Refused as refused:
        entry = {"message": str(refused.message), "extensions": {"code": refused.code}}
        headers = getattr(refused, "headers", {})  # of those that ask for a token
        return JsonResponse({"errors": [entry]}, status=STATUS[refused.code], headers=headers)
    return HttpResponse(
        content.encode(),
        headers={
            "Content-Type": "application/json",
            "Content-Disposition": f'attachment; filename="{file_name(version)}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _actor(request: HttpRequest) -> Actor:
    """With a token no cookie counts."""
    token = bearer_token(request)
    if token is None:
        actor = actor_for(request.user, None)
        if actor.person is None:
            raise TokenMissing
        return actor
    admitted = admit(token, None)
    if admitted is None:
        raise TokenInvalid
    usage.note(admitted)
    return admitted.actor
