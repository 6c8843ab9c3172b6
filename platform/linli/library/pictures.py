"""Pictures of a case: taken in, written anew, kept until they are published.

What comes is told by its content and decoded here; what is kept is what we wrote from the pixels. So
no place, camera, time or name travels in it, nor anything behind its end.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.library.models import Picture, PublishedVersion, Upload
from linli.registry.models import Tenant
from linli.rules import check_fields, is_blank
from linli.tenancy.context import public_context

MOST_BYTES = 8_000_000
# Decoded, a pixel takes up to four bytes: a small file may claim to be very large.
MOST_PIXELS = 40_000_000
# A progressive JPEG is drawn once for each of its scans. Cameras and programs make ten or so; a small
# file may hold thousands.
MOST_SCANS = 20
LONGEST_SIDE = 2_000
MOST_PICTURES = 20
# A unit's, that wait to be published.
MOST_WAITING = 60
KEPT_FOR = timedelta(days=1)

_TYPES = {
    "JPEG": Upload.ContentType.JPEG,
    "PNG": Upload.ContentType.PNG,
    "WEBP": Upload.ContentType.WEBP,
}
_WRITTEN: Mapping[str, Mapping[str, Any]] = {
    "JPEG": {"quality": 85, "optimize": True},
    # Measured: the smallest takes six to twenty times as long, and is up to a fifth smaller.
    "PNG": {"compress_level": 4},
    "WEBP": {"quality": 85},
}
# Of a JPEG: what is no byte of pixels, in which FF is followed by 00; the first that has a length; where a
# scan begins, and where all ends.
_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_FIRST_WITH_LENGTH, _SCAN, _END = 0xC0, 0xDA, 0xD9
_RESTARTS = range(0xD0, 0xD9)
TOLD = ("content_type", "width", "height", "size", "digest")


def add_picture(*, actor: Actor, tenant: Tenant, content: bytes) -> Upload:
    """Take a picture in, to be named when a version is published within a day (M4).

    Refused: PICTURE_TOO_LARGE, PICTURE_UNREADABLE, TOO_MANY_PICTURES.
    """
    actor.require(Permission.MODELS_PUBLISH)
    made = written_anew(content)
    with public_context(), transaction.atomic():
        with connection.cursor() as cursor:  # so that two at once are both counted
            lock = f"pictures of {tenant.pk}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
        if Upload.objects.filter(tenant=tenant).count() >= MOST_WAITING:
            message = _(
                "{most} pictures of this unit wait to be published. Publish with some of them, or wait a day."
            )
            raise Refused("TOO_MANY_PICTURES", format_lazy(message, most=MOST_WAITING))
        made.tenant = tenant
        made.save(force_insert=True)
        told = snapshot(made, "tenant", *TOLD)
        record(actor=actor, action="library.add_picture", obj=made, before=None, after=told)
    return made


def written_anew(content: bytes) -> Upload:
    """The picture as it is kept, not saved: decoded, turned upright, made smaller, encoded again.

    Refused: PICTURE_TOO_LARGE (bytes, pixels), PICTURE_UNREADABLE (another form, broken, or drawn in
    more scans than anyone needs).
    """
    if len(content) > MOST_BYTES:
        raise too_heavy()
    return drawn_anew(content)


def drawn_anew(content: bytes) -> Upload:
    """The same of however many bytes: what is kept may have more than what came. Refused as there."""
    try:
        form, drawn = _drawn(content)
    except Refused:
        raise
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    # A broken file, or broken EXIF in it, may raise anything in a decoder, struct.error and TypeError
    # among it; that we run out of memory is no fault of the file's.
    except MemoryError:
        raise
    except Exception as error:
        raise _unreadable() from error
    drawn.info.clear()
    out = BytesIO()
    drawn.save(out, form, **_WRITTEN[form])
    kept = out.getvalue()
    return Upload(
        content=kept,
        content_type=_TYPES[form],
        width=drawn.width,
        height=drawn.height,
        size=len(kept),
        digest=sha256(kept).hexdigest(),
    )


def claimed(content: bytes) -> tuple[str, int, int]:
    """The type, width and height that it says it has, told without decoding. Refused: PICTURE_UNREADABLE."""
    try:
        opened = Image.open(BytesIO(content), formats=list(_TYPES))
    except MemoryError:
        raise
    except Exception as error:
        raise _unreadable() from error
    return _TYPES[_form(opened)], opened.width, opened.height


def _form(opened: Image.Image) -> str:
    return "JPEG" if opened.format == "MPO" else str(opened.format)  # the first of several


def _drawn(content: bytes) -> tuple[str, Image.Image]:
    """Its form, and what is seen of it: upright, small enough, in eight bits of RGB or RGBA."""
    opened = Image.open(BytesIO(content), formats=list(_TYPES))
    form = _form(opened)
    if opened.width * opened.height > MOST_PIXELS:
        raise _too_many_pixels()
    if form == "JPEG":
        if _has_too_many_scans(content):
            raise _unreadable()
        # Decoded at a half, a quarter or an eighth where that is more than is kept.
        opened.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
    upright = ImageOps.exif_transpose(opened)
    if upright.mode.startswith("I"):  # 16 bits of grey, which would all be cut off at white
        upright = upright.convert("I").point(lambda grey: grey / 257, "F").convert("L")
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    clear = form != "JPEG" and upright.has_transparency_data
    return form, upright.convert("RGBA" if clear else "RGB")


def _has_too_many_scans(jpeg: bytes) -> bool:
    """Told without decoding: from marker to marker, past what a segment holds, such as a picture in EXIF."""
    scans, at = 0, 2
    while (found := _MARKER.search(jpeg, at)) and (marker := found[0][1]) != _END:
        scans += marker == _SCAN
        if scans > MOST_SCANS:
            return True
        at = found.end()
        if marker >= _FIRST_WITH_LENGTH and marker not in _RESTARTS:
            at += int.from_bytes(jpeg[at : at + 2], "big")
    return False


def check_words(pictures: Sequence[Mapping[str, Any]]) -> None:
    """Each is there once and says what it shows. Refused: TOO_MANY_PICTURES, PICTURE_TWICE, ALT_MISSING."""
    if len(pictures) > MOST_PICTURES:
        message = format_lazy(_("A case has {most} pictures at most."), most=MOST_PICTURES)
        raise Refused("TOO_MANY_PICTURES", message, field="pictures", most=MOST_PICTURES)
    seen: set[UUID] = set()
    for index, picture in enumerate(pictures):
        if picture["picture_id"] in seen:
            message = _("This picture stands here twice. Keep one of them.")
            raise Refused("PICTURE_TWICE", message, field=f"pictures.{index}.pictureId")
        seen.add(picture["picture_id"])
        if is_blank(picture["alt"]):
            raise alt_missing(f"pictures.{index}.alt")


def alt_missing(field: str) -> Refused:
    message = _("Say what the picture shows, for those who do not see it.")
    return Refused("ALT_MISSING", message, field=field)


def attach(
    version: PublishedVersion, author: Tenant, pictures: Sequence[Mapping[str, Any]]
) -> None:
    """Move uploads of the author's to its version, in this order; part of publishing.

    Refused: NOT_FOUND for what is not waiting there, ALT_INVALID, CAPTION_INVALID.
    """
    waiting = {
        upload.pk: upload
        for upload in Upload.objects.select_for_update().filter(
            tenant=author, pk__in=[picture["picture_id"] for picture in pictures]
        )
    }
    for index, given in enumerate(pictures):
        upload = waiting.get(given["picture_id"])
        if upload is None:
            raise NotFound(_("picture"), field=f"pictures.{index}.pictureId")
        told = {name: getattr(upload, name) for name in ("id", "content", *TOLD)}
        words = {"alt": given["alt"].strip(), "caption": given["caption"].strip()}
        picture = Picture(version=version, position=index, **told, **words)
        _check_fields(picture, f"pictures.{index}.")
        picture.save(force_insert=True)
    Upload.objects.filter(pk__in=waiting).delete()


def _check_fields(picture: Picture, prefix: str) -> None:
    try:
        check_fields(picture)
    except Refused as refused:
        faults = [
            Refused(fault.code, fault.message, field=f"{prefix}{fault.field}")
            for fault in refused.faults
        ]
        raise Refused(refused.code, refused.message, causes=faults) from refused


def _unreadable() -> Refused:
    message = _("This is no JPEG, PNG or WebP picture that can be read. Save it anew as one.")
    return Refused("PICTURE_UNREADABLE", message)


def too_heavy() -> Refused:
    message = _("A picture has 8 MB at most.")
    return Refused("PICTURE_TOO_LARGE", message, most_bytes=MOST_BYTES)


def _too_many_pixels() -> Refused:
    message = _("A picture has {most} million pixels at most.")
    told = format_lazy(message, most=MOST_PIXELS // 1_000_000)
    return Refused("PICTURE_TOO_LARGE", told, most_pixels=MOST_PIXELS)


def sweep() -> int:
    """Throw away what nobody published within a day; how many."""
    return Upload.objects.filter(uploaded_at__lt=timezone.now() - KEPT_FOR).delete()[0]


def pictures_by_version(
    rows: Iterable[PublishedVersion], actor: Actor
) -> dict[UUID, list[Picture]]:
    """The pictures of each, in their order, without their content."""
    found: dict[UUID, list[Picture]] = {row.pk: [] for row in rows}
    listed = Picture.objects.filter(version__in=list(found)).order_by("version", "position")
    for picture in listed.defer("content", "original"):
        found[picture.version_id].append(picture)
    return found
