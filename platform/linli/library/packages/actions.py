"""Whom this installation believes, and taking in what comes from there (M5)."""

import json
from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.library.actions import add_outcomes
from linli.library.models import PackageFile, Picture, PublishedVersion, TrustedSource
from linli.library.packages.drawing import draw
from linli.library.packages.form import FORMAT, FORMAT_VERSION, Content
from linli.library.packages.reading import Opened, open_package, read_content
from linli.library.packages.writing import without_pictures
from linli.library.personal import check_texts, texts_of, texts_of_bounds
from linli.library.search import grams, one_spelling
from linli.library.signing import (
    fingerprint,
    own_fingerprint,
    parse_public,
    public_text,
    signing_key,
)
from linli.registry.models import Tenant
from linli.rules import check_fields, is_blank, upheld
from linli.tenancy.context import public_context


def add_trusted_source(
    *, actor: Actor, name: str, public_key: str, reason: str = ""
) -> TrustedSource:
    """Believe the packages of another installation from now on, by its public key (base64 or PEM).

    Refused: PUBLIC_KEY_INVALID, NAME_INVALID, SOURCE_KNOWN (the key, this installation's own
    included), SOURCE_NAME_TAKEN, SOURCE_REVOKED (a key that was revoked stays so).
    """
    actor.require(Permission.LIBRARY_TRUST)
    key = parse_public(public_key, field="publicKey")
    identity = fingerprint(key)
    source = TrustedSource(
        name=name.strip(), public_key=public_text(key), fingerprint=identity, reason=reason
    )
    check_fields(source)
    if identity == own_fingerprint():
        message = _("This is the key of this installation itself.")
        raise Refused("SOURCE_KNOWN", message, field="publicKey")
    with public_context(), transaction.atomic():
        with upheld(
            trusted_source_key_once=lambda: _known(identity), trusted_source_name_once=_name_taken
        ):
            source.save(force_insert=True)
        record(
            actor=actor,
            action="library.add_trusted_source",
            obj=source,
            before=None,
            after=snapshot(source, "name", "public_key", "fingerprint"),
            reason=reason,
        )
    return source


def revoke_trusted_source(*, actor: Actor, trusted_source_id: UUID, reason: str) -> TrustedSource:
    """Believe nothing more that is signed by this key, for good; what was imported stays.

    Refused: NOT_FOUND, REASON_MISSING, SOURCE_REVOKED.
    """
    actor.require(Permission.LIBRARY_TRUST)
    if is_blank(reason):
        message = _("Say why: it is kept, and shown to those who have imported from there.")
        raise Refused("REASON_MISSING", message, field="reason")
    with public_context(), transaction.atomic():
        source = TrustedSource.objects.select_for_update().filter(pk=trusted_source_id).first()
        if source is None:
            raise NotFound(_("trusted source"), field="trustedSourceId")
        if source.revoked_at is not None:
            raise _revoked(source, "trustedSourceId")
        before = snapshot(source, "revoked_at")
        source.revoked_at, source.revoked_reason = timezone.now(), reason
        source.save(update_fields=["revoked_at", "revoked_reason"])
        record(
            actor=actor,
            action="library.revoke_trusted_source",
            obj=source,
            before=before,
            after=snapshot(source, "revoked_at"),
            reason=reason,
        )
    return source


def take_in(
    *, actor: Actor, importer: Tenant, file: bytes, profiles: Collection[str]
) -> tuple[PublishedVersion, bool]:
    """Put the version in a package on the shelf, for every tenant; again: gives the same one.

    Second: whether it is new here. ``profiles``: the kinds of community known here. Refused: what
    `open_package`, `read_content` and `draw` refuse, PACKAGE_TAMPERED, SOURCE_UNKNOWN, SOURCE_REVOKED,
    AUTHOR_IS_HERE, PACKAGE_DIFFERS, PERSONAL_DATA.
    """
    actor.require(Permission.LIBRARY_IMPORT)
    opened = open_package(file)
    with public_context():
        source, key = _key_of(opened)
        opened.verify(key)
        content = read_content(opened, profiles=profiles)
        if Tenant.objects.filter(pk=content.author.id).exists():
            return _own(content), False
        if source is None:
            raise _unknown(opened.signature.fingerprint)
        if (here := _here(content, opened)) is not None:
            return here, False
        _check_nothing_personal(content)
        pictures = draw(content)  # takes its time, so nothing is locked yet
        return _put_up(actor, importer, opened, content, pictures)


def _put_up(
    actor: Actor, importer: Tenant, opened: Opened, content: Content, pictures: list[Picture]
) -> tuple[PublishedVersion, bool]:
    with transaction.atomic():
        # Locked, so that what is revoked meanwhile is not taken in.
        locked = TrustedSource.objects.select_for_update()
        source = _believed(locked, opened.signature.fingerprint)
        version = _version(content, source, importer)
        try:
            with transaction.atomic():
                version.save(force_insert=True)
        except IntegrityError:  # somebody was quicker with the same version
            if (here := _here(content, opened)) is None:
                raise
            return here, False
        PackageFile.objects.create(version=version, content=_kept(opened))
        for picture in pictures:
            picture.version = version
            picture.save(force_insert=True)
        add_outcomes(version)
        record(
            actor=actor,
            action="library.import_package",
            obj=version,
            before=None,
            after=snapshot(
                version,
                "source", "origin_author_id", "origin_name", "imported_by", "derived_from",
                "key", "number", "digest", "profiles", "case_text", "evidence",
            ) | {"pictures": [snapshot(picture, "id", "digest") for picture in pictures]},
        )  # fmt: skip
    return version, True


def _check_nothing_personal(content: Content) -> None:
    """What people typed over there goes to every unit here. Refused: PERSONAL_DATA, by where it stands."""
    typed = {
        "author.name": content.author.name,
        "key": content.key,
        "title": content.title,
        "notes": content.notes,
        "case_text": content.case_text,
    }
    for position, picture in enumerate(content.pictures):
        typed[f"pictures.{position}.alt"] = picture.alt
        typed[f"pictures.{position}.caption"] = picture.caption
    typed |= {f"document.{at}": text for at, text in texts_of(content.document).items()}
    typed |= texts_of_bounds(content.bounds)
    check_texts({f"content.{at}": text for at, text in typed.items()})


def _key_of(opened: Opened) -> tuple[TrustedSource | None, Ed25519PublicKey]:
    """Whose key the signature names; no source for this installation's own."""
    identity = opened.signature.fingerprint
    if (
        identity == own_fingerprint()
        and not TrustedSource.objects.filter(fingerprint=identity).exists()
    ):
        return None, signing_key().public_key()
    source = _believed(TrustedSource.objects.all(), identity)
    return source, parse_public(source.public_key)


def _believed(sources: QuerySet[TrustedSource], identity: str) -> TrustedSource:
    """Refused: SOURCE_UNKNOWN, SOURCE_REVOKED."""
    source = sources.filter(fingerprint=identity).first()
    if source is None:
        raise _unknown(identity)
    if source.revoked_at is not None:
        raise _revoked(source, "file")
    return source


def _own(content: Content) -> PublishedVersion:
    """A file that comes home: the version it was made of."""
    here = PublishedVersion.objects.filter(
        author=content.author.id, key=content.key, number=content.number, digest=content.digest
    ).first()
    if here is None:
        message = _(
            "{author} is a unit of this installation, and has not published this version here."
            " It publishes it itself."
        )
        told = format_lazy(message, author=content.author.name)
        raise Refused("AUTHOR_IS_HERE", told, field="file")
    return here


def _here(content: Content, opened: Opened) -> PublishedVersion | None:
    """The version that was imported before, by whichever source's signature: all that was signed is the
    same, its texts and evidence too. Refused: PACKAGE_DIFFERS."""
    here = (
        PublishedVersion.objects.select_related("source")
        .filter(
            author=None,
            origin_author_id=content.author.id,
            key=content.key,
            number=content.number,
        )
        .first()
    )
    if here is not None and not _same_content(here, opened):
        assert here.source is not None  # the constraint says so
        message = _(
            "{version} of {author} is in the library already, from {source}, and differs from this"
            " one. A version never changes: ask the author which of them is theirs."
        )
        told = format_lazy(
            message, version=str(here), author=here.origin_name, source=here.source.name
        )
        raise Refused("PACKAGE_DIFFERS", told, field="file")
    return here


def _same_content(here: PublishedVersion, opened: Opened) -> bool:
    """The digests stand for the pictures' bytes, of both."""
    kept = json.loads(PackageFile.objects.get(version=here).content)["content"]
    return bool(kept == json.loads(_kept(opened))["content"])


def _kept(opened: Opened) -> str:
    package = {"format": FORMAT, "format_version": FORMAT_VERSION, "content": opened.content}
    return without_pictures(package | {"signature": opened.signature.model_dump()})


def _version(content: Content, source: TrustedSource, importer: Tenant) -> PublishedVersion:
    searched = one_spelling(content.title, content.notes, content.case_text)
    return PublishedVersion(
        source=source,
        origin_author_id=content.author.id,
        origin_name=content.author.name,
        imported_by=importer,
        imported_at=timezone.now(),
        derived_from=_derived_from(content),
        key=content.key,
        number=content.number,
        title=content.title,
        document=content.document,
        bounds=content.bounds,
        digest=content.digest,
        notes=content.notes,
        profiles=content.profiles,
        case_text=content.case_text,
        evidence={key: one.model_dump(exclude_unset=True) for key, one in content.evidence.items()},
        evidence_starts_on=_day(content.evidence_starts_on),
        evidence_ends_on=_day(content.evidence_ends_on),
        ran_in=content.ran_in.model_dump(exclude_unset=True) if content.ran_in else None,
        searched=searched,
        grams=grams(searched),
        published_at=datetime.fromisoformat(content.published_at),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _derived_from(content: Content) -> PublishedVersion | None:
    """The nearest of the versions it came from that is in this library."""
    told = [(str(a.author_id), a.key, a.number, a.digest) for a in content.derived_from]
    known = PublishedVersion.objects.filter(digest__in=[digest for *_names, digest in told])
    by_name = {(str(one.written_by), one.key, one.number, one.digest): one for one in known}
    return next((by_name[name] for name in told if name in by_name), None)


def _known(identity: str) -> Refused:
    source = TrustedSource.objects.get(fingerprint=identity)
    if source.revoked_at is not None:
        return _revoked(source, "publicKey")
    message = _("This key is registered already, as {name}.")
    return Refused("SOURCE_KNOWN", format_lazy(message, name=source.name), field="publicKey")


def _name_taken() -> Refused:
    message = _("Another source has this name. Choose one that tells them apart.")
    return Refused("SOURCE_NAME_TAKEN", message, field="name")


def _unknown(identity: str) -> Refused:
    message = _(
        "Nobody here knows the key {fingerprint} that signed this package. Whoever runs this installation"
        " can register the other one's public key."
    )
    told = format_lazy(message, fingerprint=identity)
    return Refused("SOURCE_UNKNOWN", told, field="file", fingerprint=identity)


def _revoked(source: TrustedSource, field: str) -> Refused:
    message = _("The key of {name} was revoked: {reason}")
    told = format_lazy(message, name=source.name, reason=source.revoked_reason)
    return Refused("SOURCE_REVOKED", told, field=field, fingerprint=source.fingerprint)
