"""``/packages``: at the platform's host a GET of a version's address gives its signed file to who may read it
in the library, at a tenant's a POST brings one in; in a person's session or with a bearer token.

A file may be large, and several times as large as it is read and written. So a process has one at a time
in memory, and who comes meanwhile waits as long as a read may take. While it is on its way from or to
somebody, who may be slow, it lies on disk.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import IO
from uuid import UUID

from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from linli.accounts.policy import Permission
from linli.errors import NotFound
from linli.library.models import PACKAGE_BYTES, PublishedVersion
from linli.library.packages.writing import export, file_name, too_large
from linli.library.visibility import to_take_along
from linli.shares import Overloaded
from linli_api import ids
from linli_api.caller import actor_of
from linli_api.errors import InvalidRequest
from linli_api.incoming import refusal
from linli_api.posting import answering, length_of, poster
from tenants.operating_model.packages import import_package

# Bytes of a file that are kept in memory while it is on its way, and that are read or written at once.
IN_MEMORY, PIECE = 1_000_000, 65_536

_turn = Lock()


@never_cache
@answering({"NOT_FOUND": 404, "PACKAGE_TOO_LARGE": 422, "SIGNING_KEY_MISSING": 503})
def download(request: HttpRequest, version_id: UUID) -> HttpResponseBase:
    if request.method not in ("GET", "HEAD"):
        message = _("A file is fetched by GET.")
        return refusal(InvalidRequest("METHOD_NOT_ALLOWED", message), Allow="GET, HEAD")
    readable = to_take_along(actor_of(request)).select_related("author", "derived_from")
    version = readable.filter(pk=version_id).first()
    if version is None:
        raise NotFound(_("published version"))
    file, size = _exported(version)
    return StreamingHttpResponse(
        _in_pieces(file),
        headers={
            "Content-Type": "application/json",
            "Content-Length": str(size),
            "Content-Disposition": f'attachment; filename="{file_name(version)}"',
        },
    )


@answering({"TENANT_SUSPENDED": 403, "PACKAGE_TOO_LARGE": 413})
def upload(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        message = _("A package is sent by POST.")
        return refusal(InvalidRequest("METHOD_NOT_ALLOWED", message), Allow="POST")
    if request.content_type != "application/json":
        raise InvalidRequest("JSON_EXPECTED", _("Send the file itself, as application/json."))
    actor, _tenant = poster(request, Permission.LIBRARY_IMPORT)
    with _sent(request, length_of(request, PACKAGE_BYTES, too_large)) as file, _one_at_a_time():
        version, is_new = import_package(actor=actor, file=file.read())
    told = {
        "publishedId": ids.encode("PublishedVersion", version.pk),
        "key": version.key,
        "number": version.number,
        "digest": version.digest,
        "authorName": version.written_by_name,
    }
    status = 201 if is_new else 200
    return JsonResponse(told, status=status, headers={"Cache-Control": "no-store"})


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Raises Overloaded where the turn does not come in time."""
    if not _turn.acquire(timeout=settings.LINLI_READ_SECONDS):
        raise Overloaded
    try:
        yield
    finally:
        _turn.release()


def _exported(version: PublishedVersion) -> tuple[IO[bytes], int]:
    """Its file, from its beginning, and the bytes it has. Raises Refused."""
    file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115, closed when it is sent
    with _one_at_a_time():
        size = file.write(export(version))
    file.seek(0)
    return file, size


def _in_pieces(file: IO[bytes]) -> Iterator[bytes]:
    with closing(file):
        while piece := file.read(PIECE):
            yield piece


@contextmanager
def _sent(request: HttpRequest, length: int) -> Iterator[IO[bytes]]:
    """The body, from its beginning. Raises InvalidRequest BODY_TOO_SLOW."""
    with SpooledTemporaryFile(IN_MEMORY) as file:
        while piece := request.read(PIECE):
            file.write(piece)
        if file.tell() < length:
            message = _("The body did not come whole, or not in time. Send it anew.")
            raise InvalidRequest("BODY_TOO_SLOW", message)
        file.seek(0)
        yield file
