"""Pictures of a case: taken in, written anew, kept until they are published.

What comes is told by its content and decoded here; what is kept is what we wrote from the pixels. So
no place, camera, time or name travels in it, nor anything behind its end.
"""

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
from PIL import Image, ImageOps, UnidentifiedImageError

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.library.models import Picture, PublishedVersion, Upload
from linli.registry.models import Tenant
from linli.rules import check_fields, is_blank
from linli.tenancy.context import public_context

MOST_BYTES = 8_000_000
# Decoded, a pixel takes up to four bytes: a small file may claim to be very large.
MOST_PIXELS = 50_000_000
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
    "PNG": {"optimize": True},
    "WEBP": {"quality": 85},
}
_TOLD = ("content_type", "width", "height", "size", "digest")


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
        told = snapshot(made, "tenant", *_TOLD)
        record(actor=actor, action="library.add_picture", obj=made, before=None, after=told)
    return made


def written_anew(content: bytes) -> Upload:
    """The picture as it is kept, not saved: decoded, turned upright, made smaller, encoded again.

    Refused: PICTURE_TOO_LARGE (bytes, pixels), PICTURE_UNREADABLE (another form, or broken).
    """
    if len(content) > MOST_BYTES:
        message = _("A picture has 8 MB at most.")
        raise Refused("PICTURE_TOO_LARGE", message, most_bytes=MOST_BYTES)
    try:
        opened = Image.open(BytesIO(content), formats=list(_TYPES))
        form = str(opened.format)
        if opened.width * opened.height > MOST_PIXELS:
            raise _too_many_pixels()
        upright = ImageOps.exif_transpose(opened)
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        clear = form != "JPEG" and upright.has_transparency_data
        drawn = upright.convert("RGBA" if clear else "RGB")
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    # What a decoder makes of a broken file, it raises as any of these.
    except (UnidentifiedImageError, OSError, ValueError,
            SyntaxError, EOFError, IndexError, KeyError, OverflowError) as error:  # fmt: skip
        message = _("This is no JPEG, PNG or WebP picture that can be read. Save it anew as one.")
        raise Refused("PICTURE_UNREADABLE", message) from error
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
            message = _("Say what the picture shows, for those who do not see it.")
            raise Refused("ALT_MISSING", message, field=f"pictures.{index}.alt")


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
        told = {name: getattr(upload, name) for name in ("id", "content", *_TOLD)}
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
    for picture in listed.defer("content"):
        found[picture.version_id].append(picture)
    return found
