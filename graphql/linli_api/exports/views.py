"""``/exports/…`` at a tenant's host: the file, for who asked for it and may still read what is in it,
in a person's session or with a bearer token."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from linli.accounts.policy import Permission
from linli.errors import Forbidden, NotFound, Refused
from linli_api.caller import actor_of
from linli_api.errors import InvalidRequest
from linli_api.exports import files
from linli_api.exports.formats import CONTENT_TYPES
from linli_api.exports.models import Export
from linli_api.exports.requester import covers, scope_of
from linli_api.exports.selectors import exports
from linli_api.incoming import refusal

STATUS = {
    "TOKEN_MISSING": 401,
    "TOKEN_INVALID": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "EXPORT_NOT_DONE": 409,
    "EXPORT_EXPIRED": 410,
}


# Nothing is done here, so nothing has to be guarded: whatever else is sent is told what may be.
@csrf_exempt
@never_cache
def download(request: HttpRequest, export_id: UUID) -> HttpResponse | StreamingHttpResponse:
    if request.method not in ("GET", "HEAD"):
        message = _("A file is fetched by GET.")
        return refusal(InvalidRequest("METHOD_NOT_ALLOWED", message), Allow="GET, HEAD")
    try:
        export = _permitted(request, export_id)
    except Refused as refused:
        entry = {"message": str(refused.message), "extensions": {"code": refused.code}}
        headers = getattr(refused, "headers", {})  # of those that ask for a token
        return JsonResponse({"errors": [entry]}, status=STATUS[refused.code], headers=headers)
    kind = Export.Format(export.format)
    day = timezone.localdate(export.requested_at)
    return StreamingHttpResponse(
        files.read(export),
        headers={
            "Content-Type": CONTENT_TYPES[kind],
            "Content-Length": str(export.size),
            "Content-Disposition": f'attachment; filename="{day}-{export.pk}.{kind}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _permitted(request: HttpRequest, export_id: UUID) -> Export:
    actor = actor_of(request)
    export = exports(actor=actor).filter(pk=export_id).first()
    if export is None:
        raise NotFound(_("export"))
    if export.status == Export.Status.EXPIRED or export.expires_at <= timezone.now():
        raise Refused("EXPORT_EXPIRED", _("The file is thrown away. Ask for it again."))
    if export.status != Export.Status.DONE:
        raise Refused("EXPORT_NOT_DONE", _("The file is not done. Ask the export for its status."))
    if not covers(actor, export.scope):
        held = scope_of(actor)
        missing = [one for one in Permission if one.value in export.scope.keys() - held.keys()]
        raise actor.forbidden(missing[0]) if missing else Forbidden()
    return export
