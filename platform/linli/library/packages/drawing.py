"""The pictures in a package: what comes is decoded and written anew, as if each had been uploaded here."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import TypeVar

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library import models, pictures
from linli.library.packages.bare import is_bare
from linli.library.packages.form import Content, Picture
from linli.library.packages.reading import misplaced
from linli.library.pictures import claimed, drawn_anew

_Read = TypeVar("_Read")


def draw(content: Content) -> list[models.Picture]:
    """Each as it is kept here, in its order, not saved and of no version yet.

    What each says of itself is held to its bytes first, so that none is decoded that is larger than a
    kept one. Refused: PACKAGE_INVALID by its place, such as ``content.pictures.2.content``, and
    PICTURE_NOT_BARE there, for what holds more than pixels.
    """
    return [_kept(position, one) for position, one in enumerate(content.pictures)]


def _kept(position: int, given: Picture) -> models.Picture:
    at = f"content.pictures.{position}"
    raw = b64decode(given.content)
    told = _read(claimed, raw, at)
    for name, value in zip(("content_type", "width", "height"), told, strict=True):
        if getattr(given, name) != value:
            raise misplaced(f"{at}.{name}")
    made = _read(drawn_anew, raw, at)
    if not is_bare(raw, given.content_type):
        raise _not_bare(position, f"{at}.content")
    kept = {name: getattr(made, name) for name in ("content", *pictures.TOLD)}
    return models.Picture(
        position=position, alt=given.alt, caption=given.caption, original=raw, **kept
    )


def _read(read: Callable[[bytes], _Read], raw: bytes, at: str) -> _Read:
    try:
        return read(raw)
    except Refused as refused:
        raise misplaced(f"{at}.content") from refused


def _not_bare(position: int, at: str) -> Refused:
    message = _(
        "Picture {number} of this package holds more than its pixels, such as where and with what it was taken."
        " Ask for the package with pictures that were saved without it."
    )
    return Refused("PICTURE_NOT_BARE", format_lazy(message, number=position + 1), field=at)
