"""The pictures in a package: what comes is decoded and written anew, as if each had been uploaded here."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import TypeVar

from linli.errors import Refused
from linli.library import models, pictures
from linli.library.packages.form import Content, Picture
from linli.library.packages.reading import misplaced
from linli.library.pictures import claimed, drawn_anew

_Read = TypeVar("_Read")


def draw(content: Content) -> list[models.Picture]:
    """Each as it is kept here, in its order, not saved and of no version yet.

    What each says of itself is held to its bytes first, so that none is decoded that is larger than a
    kept one. Refused: PACKAGE_INVALID by its place, such as ``content.pictures.2.content``.
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
    kept = {name: getattr(made, name) for name in ("content", *pictures.TOLD)}
    return models.Picture(
        position=position, alt=given.alt, caption=given.caption, original=raw, **kept
    )


def _read(read: Callable[[bytes], _Read], raw: bytes, at: str) -> _Read:
    try:
        return read(raw)
    except Refused as refused:
        raise misplaced(f"{at}.content") from refused
