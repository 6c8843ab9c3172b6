"""What a version may hold, and writing the next one: the same for one step and for a draft (M2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor
from linli.audit.record import record, snapshot
from linli.errors import Refused
from linli.events.emit import emit
from linli.library.bounds import Origin, parse_bounds
from linli.library.document import OperatingModel, brief, digest, parse_document
from linli.library.layers import resolve
from linli.registry.models import Tenant
from linli.rules import is_blank
from tenants.operating_model.models import ModelVersion
from tenants.operating_model.proposals import bounds_by_path, tenant_of

_KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True)
class Contents:
    """A document and its author's bounds by path, each in its one spelling, checked together."""

    document: dict[str, Any]
    bounds: dict[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 over both."""
        return digest({"document": self.document, "bounds": self.bounds})


def contents_of(
    document: str | bytes | Mapping[str, Any], bounds: Mapping[str, Any], author: Tenant
) -> Contents:
    """Refused: DOCUMENT_INVALID, NOT_BY_PATH, BOUND_INVALID, UNKNOWN_PATH, OUTSIDE_BOUNDS."""
    parsed = parse_document(document)
    told = bounds_by_path(bounds)
    _check_together(parsed, told, author)
    return Contents(brief(parsed), told)


def faults_of(
    document: Mapping[str, Any], bounds: Mapping[str, Any], author: Tenant
) -> list[Refused]:
    """All that `contents_of` would refuse, of both at once; empty for what could be a version.

    Whether bounds fit a document can be said only of one that is valid, by bounds that are.
    """
    faults: list[Refused] = []
    parsed = None
    try:
        parsed = parse_document(document)
    except Refused as refused:
        faults.extend(refused.faults)
    try:
        told = bounds_by_path(bounds)
    except Refused as refused:
        faults.extend(refused.faults)
    if parsed is not None and not faults:
        try:
            _check_together(parsed, told, author)
        except Refused as refused:
            faults.extend(refused.faults)
    return faults


def last_version(author: Tenant, key: str) -> ModelVersion | None:
    """The highest number of an own model."""
    own = ModelVersion.objects.filter(author_id=author.pk, key=key)
    return own.order_by("-number").first()


def add_version(
    *,
    actor: Actor,
    key: str,
    title: str,
    contents: Contents,
    notes: str,
    source: ModelVersion | None,
) -> ModelVersion:
    """The next number of the key, written from ``source`` or else from the last of the key.

    For actions, inside `one_at_a_time`. Refused: VERSION_UNCHANGED.
    """
    tenant = tenant_of(actor)
    last = last_version(tenant, key)
    if last and last.digest == contents.digest:
        message = _("Nothing differs from {version}. Change something, or use that version.")
        raise Refused("VERSION_UNCHANGED", format_lazy(message, version=str(last)))
    version = ModelVersion.objects.create(
        key=key,
        number=last.number + 1 if last else 1,
        title=title.strip(),
        document=contents.document,
        bounds=contents.bounds,
        digest=contents.digest,
        notes=notes,
        author_id=tenant.pk,
        author_name=tenant.name,
        derived_from=source or last,
    )
    record(
        actor=actor,
        action="models.write_version",
        obj=version,
        before=snapshot(last, "number", "digest") if last else None,
        after=snapshot(version, "key", "number", "title", "digest", "derived_from"),
    )
    emit(
        actor=actor,
        type="model_version.written",
        obj=version,
        data={"key": version.key, "number": version.number},
    )
    return version


def check_names(key: str, title: str) -> None:
    """Refused: VERSION_INVALID."""
    if not _KEY.fullmatch(key) or len(key) > 60:
        message = _("A key has up to 60 small letters and digits, with - or _ between: chengnan-2.")
        raise Refused("VERSION_INVALID", message, field="key")
    if is_blank(title) or len(title.strip()) > 200:
        message = _("A title has 1 to 200 characters.")
        raise Refused("VERSION_INVALID", message, field="title")


def _check_together(parsed: OperatingModel, bounds: Mapping[str, Any], author: Tenant) -> None:
    resolve(parsed, parse_bounds(bounds), base=Origin("model", author.name))
