"""From a published version to its signed file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library.document import canonical
from linli.library.models import PACKAGE_BYTES, PackageFile, Picture, PublishedVersion
from linli.library.packages.form import ALGORITHM, FORMAT, FORMAT_VERSION, MOST_ANCESTORS
from linli.library.signing import fingerprint, signing_key


def export(version: PublishedVersion) -> str:
    """The file of a version: of one that came as a file that file, else signed by this installation.

    The same version gives the same file. Refused: SIGNING_KEY_MISSING, PACKAGE_TOO_LARGE.
    """
    if version.author_id is None:
        return PackageFile.objects.get(version=version).content
    signed = sign(content_of(version), signing_key())
    if len(signed.encode()) > PACKAGE_BYTES:
        raise too_large()
    return signed


def sign(content: dict[str, Any], key: Ed25519PrivateKey) -> str:
    """The whole file."""
    package = {"format": FORMAT, "format_version": FORMAT_VERSION, "content": content}
    value = b64encode(key.sign(canonical(package).encode())).decode()
    identity = fingerprint(key.public_key())
    signature = {"algorithm": ALGORITHM, "fingerprint": identity, "value": value}
    return canonical(package | {"signature": signature})


def content_of(version: PublishedVersion) -> dict[str, Any]:
    """All that travels of a version, as JSON values; a statement for its pictures and one for each version
    before it."""
    author = version.author
    assert author is not None
    return {
        "author": {
            "id": str(author.pk),
            "name": author.name,
            "within": [above.name for above in author.ancestors()],
        },
        "key": version.key,
        "number": version.number,
        "title": version.title,
        "document": version.document,
        "bounds": version.bounds,
        "digest": version.digest,
        "notes": version.notes,
        "profiles": version.profiles,
        "case_text": version.case_text,
        "evidence": version.evidence,
        "evidence_starts_on": _day(version.evidence_starts_on),
        "evidence_ends_on": _day(version.evidence_ends_on),
        "ran_in": version.ran_in,
        "pictures": [_picture(one) for one in version.pictures.order_by("position")],
        "published_at": version.published_at.astimezone(UTC).isoformat(),
        "derived_from": [
            {
                "author_id": str(one.written_by),
                "key": one.key,
                "number": one.number,
                "digest": one.digest,
            }
            for one in _ancestors(version)
        ],
    }


def _picture(picture: Picture) -> dict[str, Any]:
    return {
        "content_type": picture.content_type,
        "width": picture.width,
        "height": picture.height,
        "size": picture.size,
        "digest": picture.digest,
        "alt": picture.alt,
        "caption": picture.caption,
        "content": b64encode(picture.content).decode(),
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def too_large() -> Refused:
    message = _("A package holds {most} bytes at most.")
    return Refused(
        "PACKAGE_TOO_LARGE", format_lazy(message, most=PACKAGE_BYTES), most=PACKAGE_BYTES
    )


def _ancestors(version: PublishedVersion) -> Iterator[PublishedVersion]:
    """The nearest first, as many as a package tells."""
    before = version.derived_from
    for _place in range(MOST_ANCESTORS):
        if before is None:
            return
        yield before
        before = before.derived_from


def file_name(version: PublishedVersion) -> str:
    return f"{version.key}-v{version.number}.linli.json"
