"""From a published version to its signed file."""

from __future__ import annotations

import json
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
from linli.library.packages.form import (
    ALGORITHM,
    FORMAT,
    FORMAT_VERSION,
    MOST_ANCESTORS,
    spelled,
)
from linli.library.signing import fingerprint, signing_key


def export(version: PublishedVersion) -> bytes:
    """The file of a version: of one that came as a file that file, else signed by this installation.

    The same version gives the same file. Refused: SIGNING_KEY_MISSING, PACKAGE_TOO_LARGE.
    """
    if version.author_id is None:
        return _as_it_came(version)
    signed = sign(content_of(version), signing_key())
    if len(signed) > PACKAGE_BYTES:
        raise too_large()
    return signed


def sign(content: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    """The whole file."""
    package = {"format": FORMAT, "format_version": FORMAT_VERSION, "content": content}
    signed = spelled(package)
    value = b64encode(key.sign(signed)).decode()
    identity = fingerprint(key.public_key())
    signature = {"algorithm": ALGORITHM, "fingerprint": identity, "value": value}
    return signed.removesuffix(b"}") + b',"signature":' + spelled(signature) + b"}"


def without_pictures(package: dict[str, Any]) -> str:
    """What is kept of a file beside the pictures' bytes, which `_as_it_came` puts back."""
    content = package["content"]
    pictures = [one | {"content": ""} for one in content["pictures"]]
    return canonical(package | {"content": content | {"pictures": pictures}})


def _as_it_came(version: PublishedVersion) -> bytes:
    package = json.loads(PackageFile.objects.get(version=version).content)
    originals = version.pictures.order_by("position").values_list("original", flat=True)
    for picture, original in zip(package["content"]["pictures"], originals, strict=True):
        assert original is not None  # it came in a package
        picture["content"] = b64encode(original).decode()
    return spelled(package)


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
        "pictures": [
            _picture(one) for one in version.pictures.order_by("position").defer("original")
        ],
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
