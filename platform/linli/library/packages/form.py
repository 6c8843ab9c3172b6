"""The form of a package: what may stand in it, and nothing else does (M4, M5).

A file is one JSON object in its one spelling (`linli.library.document.canonical`), UTF-8, without a
line's end:

    {"content": {…}, "format": "linli-package", "format_version": 1,
     "signature": {"algorithm": "Ed25519", "fingerprint": "…", "value": "…"}}

Signed is the one spelling of all but ``signature``. It is a whitelist: rules, texts about them,
measured outcomes, pictures and names of units; nothing in it is about a person.
"""

import json
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from linli.library.models import PACKAGE_BYTES
from linli.library.pictures import LONGEST_SIDE, MOST_PICTURES
from linli.sizes import TEXT

FORMAT = "linli-package"
FORMAT_VERSION = 1
ALGORITHM = "Ed25519"

MOST_ANCESTORS = 50

Key = Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=60)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Measure = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Side = Annotated[int, Field(ge=1, le=LONGEST_SIDE)]
Figure = Annotated[str, Field(pattern=r"^-?[0-9]{1,18}(\.[0-9]{1,6})?$")]


_SPELLING = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def spelled(value: Any) -> bytes:
    """The one spelling of a JSON value, which `canonical` gives as a text. Of a file with pictures that
    text would take twice as much, for the Chinese signs in it. ValueError for a number beyond all bounds."""
    return b"".join(part.encode() for part in _SPELLING.iterencode(value))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Author(_Part):
    """The unit that wrote it, and the district and city above it, nearest first; by its id over
    there."""

    id: UUID
    name: Name
    within: Annotated[list[Name], Field(max_length=3)]


class Ancestor(_Part):
    """A version that it was made from."""

    author_id: UUID
    key: Key
    number: Number
    digest: Digest


class Outcome(_Part):
    """What the platform there measured at the end of the period and at its start; null: missing."""

    value: Figure | None
    as_of: Day | None
    start_value: Figure | None = None
    start_as_of: Day | None = None
    unit: Annotated[str, Field(max_length=20)] | None = None


class RanIn(_Part):
    """How many days of that period communities ran it, how many of them by profile, and the residents of
    so many of them; null where they are too few to be told."""

    days: Count
    communities: Count | None
    profiles: Annotated[dict[Measure, Count], Field(max_length=20)]
    residents: Annotated[int, Field(ge=0, le=2**53 - 1)] | None
    residents_of: Count


class Picture(_Part):
    """A picture of the case, as it is kept: its bytes in base64, and what `linli.library.models.Picture`
    tells of them."""

    content_type: Literal["image/jpeg", "image/png", "image/webp"]
    width: Side
    height: Side
    size: Annotated[int, Field(ge=1, le=PACKAGE_BYTES)]
    digest: Digest
    alt: Annotated[str, Field(max_length=200)]
    caption: Annotated[str, Field(max_length=500)]
    content: str


class Content(_Part):
    """A published version."""

    author: Author
    key: Key
    number: Number
    title: Annotated[str, Field(min_length=1, max_length=200)]
    document: dict[str, Any]
    bounds: dict[str, Any]
    digest: Digest
    notes: Annotated[str, Field(max_length=TEXT)]
    profiles: Annotated[list[Measure], Field(max_length=20)]
    case_text: Annotated[str, Field(max_length=TEXT)]
    evidence: Annotated[dict[Measure, Outcome], Field(max_length=200)]
    # The period that evidence and ran_in are of, half-open; null: published without evidence.
    evidence_starts_on: Day | None = None
    evidence_ends_on: Day | None = None
    ran_in: RanIn | None = None
    pictures: Annotated[list[Picture], Field(max_length=MOST_PICTURES)]
    published_at: Annotated[str, Field(max_length=40)]
    # The nearest first.
    derived_from: Annotated[list[Ancestor], Field(max_length=MOST_ANCESTORS)]


class Signature(_Part):
    """Which key made it."""

    algorithm: Literal["Ed25519"]
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    value: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")]
