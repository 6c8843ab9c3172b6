"""From a file that somebody hands in to what stands in it: believed only once its signature holds.

In this order, so that nothing of a stranger's content is looked into: size, JSON, form of the whole,
version of the form, signature, form of the content, digest, document, bounds.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ValidationError

from linli import sizes
from linli.errors import Refused
from linli.library.bounds import MOST_PLACES, Origin, parse_bounds
from linli.library.document import digest, parse_document
from linli.library.layers import resolve
from linli.library.models import PACKAGE_BYTES
from linli.library.packages.form import FORMAT, FORMAT_VERSION, Content, Picture, Signature, spelled
from linli.library.packages.writing import too_large
from linli.library.pictures import alt_missing
from linli.rules import is_blank

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_DEPTH = 64
MOST_FAULTS = 100

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_Shape = TypeVar("_Shape", bound=BaseModel)


@dataclass(frozen=True)
class Opened:
    """A file whose signature has yet to be verified: nothing of ``content`` counts before.
    ``signed``: all but the signature in its one spelling."""

    signature: Signature
    content: Any
    signed: bytes

    def verify(self, key: Ed25519PublicKey) -> None:
        """Refused: PACKAGE_TAMPERED."""
        value = b64decode(self.signature.value)
        try:
            key.verify(value, self.signed)
        except InvalidSignature:
            raise _tampered() from None
        if b64encode(value).decode() != self.signature.value:  # the last bits of base64 are loose
            raise _tampered()


def open_package(file: bytes) -> Opened:
    """The file's signature and what it is over, in whatever way the JSON is set, in UTF-8.

    Refused: PACKAGE_TOO_LARGE, PACKAGE_INVALID, PACKAGE_TOO_NEW.
    """
    if len(file) > PACKAGE_BYTES:
        raise too_large()
    package = _load(file)
    if not isinstance(package, dict) or package.get("format") != FORMAT:
        raise _invalid(
            _("This is no package of an operating model: choose the file as it was made.")
        )
    version = package.get("format_version")
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT_VERSION:
        message = _(
            "This package is of form {version}, and this installation knows forms up to {known}."
            " Bring it up to date, or ask for the package in an older form."
        )
        told = format_lazy(message, version=version, known=FORMAT_VERSION)
        raise Refused("PACKAGE_TOO_NEW", told, field="format_version", known=FORMAT_VERSION)
    if package.keys() != {"format", "format_version", "content", "signature"} or (
        version != FORMAT_VERSION or isinstance(version, bool)
    ):
        raise misplaced("format_version")
    signature = _shaped(Signature, package.pop("signature"), "signature")
    try:
        return Opened(signature, package["content"], spelled(package))
    except ValueError as error:  # a number beyond all bounds
        raise misplaced("content") from error


def _read_day(text: str | None, place: str) -> date | None:
    return None if text is None else _read(date.fromisoformat, text, place)


def read_content(opened: Opened, *, profiles: Collection[str]) -> Content:
    """What stands in a file whose signature holds; ``profiles`` are those known here.

    Refused: PACKAGE_INVALID, PACKAGE_DIGEST, and what is refused of documents and bounds, with
    their paths.
    """
    content = _shaped(Content, opened.content, "content")
    for place, text in (("title", content.title), ("author.name", content.author.name)):
        if is_blank(text):
            raise misplaced(f"content.{place}")
    for position, picture in enumerate(content.pictures):
        if is_blank(picture.alt):
            raise alt_missing(f"content.pictures.{position}.alt")
        _check_bytes(picture, f"content.pictures.{position}")
    if _read(datetime.fromisoformat, content.published_at, "content.published_at").tzinfo is None:
        raise misplaced("content.published_at")
    for measure, outcome in content.evidence.items():
        for name in ("as_of", "start_as_of"):
            _read_day(getattr(outcome, name), f"content.evidence.{measure}.{name}")
    starts_on = _read_day(content.evidence_starts_on, "content.evidence_starts_on")
    ends_on = _read_day(content.evidence_ends_on, "content.evidence_ends_on")
    if (starts_on is None) != (ends_on is None) or (starts_on and ends_on and starts_on >= ends_on):
        raise misplaced("content.evidence_ends_on")
    unknown = [one for one in content.profiles if one not in profiles]
    if unknown or len(set(content.profiles)) < len(content.profiles):
        raise misplaced("content.profiles")
    for name in ("document", "bounds", "evidence"):
        if sizes.size_of(opened.content[name]) > sizes.DOCUMENT:
            raise misplaced(f"content.{name}")
    if digest({"document": content.document, "bounds": content.bounds}) != content.digest:
        message = _("The document and its bounds are not those that the digest was made of.")
        raise Refused("PACKAGE_DIGEST", message, field="content.digest")
    document = parse_document(content.document)
    if len(content.bounds) > MOST_PLACES:
        raise misplaced("content.bounds")
    resolve(document, parse_bounds(content.bounds), base=Origin("model", content.author.name))
    return content


def _check_bytes(picture: Picture, at: str) -> None:
    try:
        raw = b64decode(picture.content, validate=True)
    except ValueError as error:
        raise misplaced(f"{at}.content") from error
    if b64encode(raw).decode() != picture.content:  # the last bits of base64 are loose
        raise misplaced(f"{at}.content")
    if len(raw) != picture.size:
        raise misplaced(f"{at}.size")
    if sha256(raw).hexdigest() != picture.digest:
        raise misplaced(f"{at}.digest")


def _load(file: bytes) -> Any:
    try:
        value = json.loads(
            file.decode("utf-8-sig"), object_pairs_hook=_each_once, parse_constant=_no_number
        )
    except (ValueError, RecursionError) as error:
        message = _("This is no JSON that can be read: choose the file as it was made.")
        raise _invalid(message) from error
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MOST_DEPTH or any(map(_unstorable, level)):
            message = _("This is no JSON that can be read: choose the file as it was made.")
            raise _invalid(message)
        level = [inner for one in level for inner in _inside(one)]
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_number(word: str) -> None:
    raise ValueError(word)


def _unstorable(value: Any) -> bool:
    texts = value if isinstance(value, dict) else [value]
    return any(isinstance(one, str) and _UNSTORABLE.search(one) for one in texts)


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _shaped(shape: type[_Shape], value: Any, at: str) -> _Shape:
    try:
        return shape.model_validate_json(spelled(value))
    except ValidationError as error:
        places = [
            ".".join([at, *map(str, fault["loc"])])[:200]
            for fault in error.errors(include_url=False, include_input=False)[:MOST_FAULTS]
        ]
    except ValueError as error:
        raise misplaced(at) from error
    causes = [misplaced(place) for place in dict.fromkeys(places)]
    if len(causes) == 1:
        raise causes[0]
    message = _("Several places of this package are not as a package has them.")
    raise Refused("PACKAGE_INVALID", message, causes=causes)


def _read(read: Callable[[str], Any], text: str, place: str) -> Any:
    try:
        return read(text)
    except ValueError as error:
        raise misplaced(place) from error


def misplaced(place: str) -> Refused:
    """PACKAGE_INVALID for what stands at a place."""
    message = _("What stands at {place} is not as a package has it (docs/packages.md).")
    return _invalid(format_lazy(message, place=place), place)


def _invalid(message: StrOrPromise, place: str | None = None) -> Refused:
    return Refused("PACKAGE_INVALID", message, field=place)


def _tampered() -> Refused:
    message = _(
        "This package is not what was signed: something in it was changed on its way. Ask for it anew."
    )
    return Refused("PACKAGE_TAMPERED", message)
