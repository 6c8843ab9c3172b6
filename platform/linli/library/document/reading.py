"""From untrusted text to an operating model, and from a model to its one spelling."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import isfinite
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from linli.errors import Refused
from linli.library.document.contradictions import contradictions
from linli.library.document.faults import WHOLE, fault, from_validator, keyed
from linli.library.document.model import OperatingModel
from linli.library.document.schema import Loc
from linli.sizes import DOCUMENT, size_of

MAX_BYTES = 262_144  # as it comes, with spaces and nulls; what is kept of it is DOCUMENT
MAX_DEPTH = 32
MAX_FAULTS = 100  # told at once
MAX_WHOLE = 2**53 - 1

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # no PostgreSQL text, no UTF-8


def parse_document(raw: str | bytes | Mapping[str, Any]) -> OperatingModel:
    """The document, or Refused DOCUMENT_INVALID with one cause for each fault (M1).

    Each cause's field is the path of the fault, WHOLE where it is about all of it; its message says
    what would be right and its data carries the allowed values.
    """
    value, text = _json(raw)
    try:
        document = OperatingModel.model_validate_json(text)
    except ValidationError as error:
        _refuse(_told(error, value))
        raise
    _refuse(contradictions(document))
    if len(text) > DOCUMENT and (size := size_of(brief(document))) > DOCUMENT:  # never longer
        message = _(
            "The document has {size} bytes, and {maximum} at most are kept. Leave out what is not needed."
        )
        raise _too_large(message, size, DOCUMENT)
    return document


def faults_in_parts(raw: Mapping[str, Any]) -> list[Refused]:
    """What the schema finds in what is only a part of a document, what is missing in it included."""
    try:
        value, text = _json(raw)
        OperatingModel.model_validate_json(text)
    except Refused as refused:
        return list(refused.faults)
    except ValidationError as error:
        return list(_told(error, value))
    return []


def storable(raw: str | bytes | Mapping[str, Any]) -> dict[str, Any]:
    """A document that is still being written, as JSON values: it may be none yet, or a wrong one.

    Refused DOCUMENT_INVALID for what cannot be kept at all: what is no JSON or no object, holds a
    key twice, NaN or half a character, is too large or too deep.
    """
    value, text = _json(raw)
    if not isinstance(value, Mapping):
        message = _("A document is an object, with its sections as members.")
        raise _invalid(fault(message, WHOLE))
    kept: dict[str, Any] = json.loads(text)
    return kept


def _json(raw: str | bytes | Mapping[str, Any]) -> tuple[Any, bytes]:
    """What was written, as it came and as JSON text."""
    value = _load(raw) if isinstance(raw, str | bytes) else raw
    _refuse(_unfit(value, value))
    text = json.dumps(value, ensure_ascii=False, default=dict).encode()
    _check_size(text)
    return value, text


def plain(document: OperatingModel) -> dict[str, Any]:
    """The document as JSON values, each field at its place, defaults and nulls included."""
    return document.model_dump(mode="json")


def brief(document: OperatingModel) -> dict[str, Any]:
    """The document as JSON values without what stands at its default.

    What is stored and hashed: a field that a later release adds changes neither.
    """
    return document.model_dump(mode="json", exclude_defaults=True)


def canonical(value: Any) -> str:
    """The one spelling of a document or of any JSON value: sorted keys, no spaces."""
    if isinstance(value, OperatingModel):
        value = brief(value)
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )


def digest(value: Any) -> str:
    """SHA-256 of the canonical spelling, in hex."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its members stood there twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        times = Counter(name for name, _value in pairs)
        self.repeated = [name for name, count in times.items() if count > 1]


def _load(raw: str | bytes) -> Any:
    _check_size(raw)
    try:
        text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
        return json.loads(text, object_pairs_hook=_Object)
    except RecursionError:
        raise _invalid(_too_deep(WHOLE)) from None
    except json.JSONDecodeError as error:
        message = _("This is not JSON: line {line}, column {column}.")
        where = format_lazy(message, line=error.lineno, column=error.colno)
        raise _invalid(fault(where, WHOLE)) from None
    except ValueError:
        message = _("This is not JSON in UTF-8, or a number in it is too long.")
        raise _invalid(fault(message, WHOLE)) from None


def _unfit(whole: Any, value: Any, loc: Loc = ()) -> Iterator[Refused]:
    """What JSON could carry and a document must not, or a mapping that is no JSON."""
    if len(loc) >= MAX_DEPTH:
        yield _too_deep(keyed(whole, loc))
        return
    match value:
        case Mapping():
            for name in getattr(value, "repeated", ()):
                yield fault(
                    _("This key stands twice in one object. Keep one of them."),
                    keyed(whole, (*loc, name)),
                )
            for name, inner in value.items():
                yield from _unfit(whole, name, loc)
                yield from _unfit(whole, inner, (*loc, str(name)))
        case list() | tuple():
            for position, inner in enumerate(value):
                yield from _unfit(whole, inner, (*loc, position))
        case str() if _UNSTORABLE.search(value):
            yield fault(_("This text has characters that cannot be stored."), keyed(whole, loc))
        case bool() | None | str():
            pass
        case int() if abs(value) <= MAX_WHOLE:
            pass
        case float() if isfinite(value):
            pass
        case _:
            yield fault(
                _(
                    "Only text, whole numbers up to 2^53 − 1, true, false, null, lists and objects stand in a document."
                ),
                keyed(whole, loc),
            )


def _told(error: ValidationError, value: Any) -> Iterator[Refused]:
    details = error.errors(include_url=False, include_input=False)
    return (from_validator(detail, value) for detail in _without_echoes(details))


def _without_echoes(details: Sequence[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Not a list that is too short only because its items are faulty, which is told of them."""
    holders = {detail["loc"][:end] for detail in details for end in range(len(detail["loc"]))}
    for detail in details:
        if detail["type"] != "too_short" or detail["loc"] not in holders:
            yield detail


def _refuse(faults: Iterable[Refused]) -> None:
    """Raise if there are any."""
    causes = tuple(islice(faults, MAX_FAULTS))
    if causes:
        raise _invalid(*causes)


def _invalid(*causes: Refused) -> Refused:
    message = _("The document is not valid. Faults found: {count}.")
    return Refused("DOCUMENT_INVALID", format_lazy(message, count=len(causes)), causes=causes)


def _check_size(raw: str | bytes) -> None:
    size = len(raw.encode(errors="replace")) if isinstance(raw, str) else len(raw)
    if size > MAX_BYTES:
        message = _(
            "The document comes in {size} bytes, and {maximum} at most are read. Leave out what is not needed."
        )
        raise _too_large(message, size, MAX_BYTES)


def _too_large(message: Any, size: int, most: int) -> Refused:
    return _invalid(fault(format_lazy(message, size=size, maximum=most), WHOLE, maximum=most))


def _too_deep(field: str) -> Refused:
    message = _("A document is at most {maximum} levels deep. Nest this less.")
    return fault(format_lazy(message, maximum=MAX_DEPTH), field, maximum=MAX_DEPTH)
