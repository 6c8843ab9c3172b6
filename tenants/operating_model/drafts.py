"""Versions that are still being written, by several people in turn (M2).

Whoever saves says which version of the draft they saw: who comes second is told who was first, and
nothing is overwritten. A draft may be incomplete or wrong; finishing it is what is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.library import paths
from linli.library.bounds import check_shape
from linli.library.changes import differences
from linli.library.document import canonical, storable
from linli.library.places import check_possible
from linli.rules import save_changes
from tenants.operating_model.models import Draft, ModelVersion
from tenants.operating_model.proposals import (
    by_path,
    ran_here,
    refuse_withdrawn_copy,
    tenant_of,
    version_here,
    version_to_adopt,
)
from tenants.operating_model.rulebook import one_at_a_time
from tenants.operating_model.selectors import LastChange, last_changes
from tenants.operating_model.versions import (
    add_version,
    check_names,
    contents_of,
    last_version,
)


def open_draft(
    *,
    actor: Actor,
    key: str | None = None,
    title: str | None = None,
    version_id: UUID | None = None,
    published_id: UUID | None = None,
) -> Draft:
    """Begin to write the next version of the model ``key``.

    From a version here, or from a published one, of which a copy is frozen here: with its document,
    bounds, and, unless told, its key and title. Without either it is empty. Refused: NOT_FOUND,
    ONE_VERSION, VERSION_INVALID (key, title), WITHDRAWN of another's version that never ran here.
    """
    actor.require(Permission.MODELS_AUTHOR)
    tenant = tenant_of(actor)
    with one_at_a_time():
        source = None
        if version_id is not None or published_id is not None:
            source = version_to_adopt(tenant, published_id, version_id, to_write=True)
            if not ran_here(source):
                refuse_withdrawn_copy(source)
        draft = Draft(
            key=(source.key if source and key is None else key) or "",
            title=((source.title if source and title is None else title) or "").strip(),
            document=source.document if source else {},
            bounds=source.bounds if source else {},
        )
        check_names(draft.key, draft.title)
        if source and source._state.adding:
            source.save(force_insert=True)
        draft.derived_from = source or last_version(tenant, draft.key)
        draft.save(force_insert=True)
        record(
            actor=actor,
            action="models.open_draft",
            obj=draft,
            before=None,
            after=snapshot(draft, "key", "title", "derived_from"),
        )
    return draft


def save_draft(
    *,
    actor: Actor,
    draft_id: UUID,
    document: str | bytes | Mapping[str, Any] | None = None,
    bounds: Mapping[str, Any] | None = None,
    title: str | None = None,
    notes: str | None = None,
    derived_from_id: UUID | None = None,
    expected_version: int | None = None,
) -> Draft:
    """Put what is given in the place of what the draft holds; the rest stays.

    ``document`` and ``bounds`` are whole. ``derived_from_id``: the version that the draft now
    starts from, once its author has seen what that holds. What changes nothing leaves no trace.
    Refused: NOT_FOUND, VERSION_CONFLICT, VERSION_INVALID (title), and of document and bounds only
    what cannot be kept: DOCUMENT_INVALID, NOT_BY_PATH, TOO_MANY_PLACES, UNKNOWN_PATH (a path's
    form), BOUND_INVALID (its shape). The database refuses what is too large for a row.
    """
    actor.require(Permission.MODELS_AUTHOR)
    source = version_here(derived_from_id, "derivedFromId") if derived_from_id else None
    with transaction.atomic():
        draft = _locked(actor, draft_id, expected_version)
        changed = _copy(draft)
        if document is not None:
            changed.document = storable(document)
        if bounds is not None:
            changed.bounds = _kept_bounds(bounds)
        if title is not None:
            check_names(draft.key, title)
            changed.title = title.strip()
        if notes is not None:
            changed.notes = notes
        if source is not None:
            changed.derived_from = source
        return _changed(actor, "models.save_draft", draft, changed)


def edit_draft(
    *,
    actor: Actor,
    draft_id: UUID,
    values: Mapping[str, Any],
    expected_version: int | None = None,
) -> Draft:
    """Set places of the draft's document, by path, as a layer does; members on the way are added.

    At an item's path an object with a new key adds that item, and None takes the item away.
    Refused: NOT_FOUND, VERSION_CONFLICT, NOT_BY_PATH, TOO_MANY_PLACES, UNKNOWN_PATH (no model has
    it, or its item is not there), KEY_CHANGED, DOCUMENT_INVALID (cannot be kept).
    """
    actor.require(Permission.MODELS_AUTHOR)
    told = by_path(values, "values")
    for path in told:
        check_possible(path, one=True)
    with transaction.atomic():
        draft = _locked(actor, draft_id, expected_version)
        document = draft.document
        for path, value in sorted(told.items(), key=lambda item: len(item[0])):
            document = paths.grow(document, path, value)
        changed = _copy(draft)
        changed.document = storable(document)
        return _changed(actor, "models.edit_draft", draft, changed)


def discard_draft(
    *,
    actor: Actor,
    draft_id: UUID,
    reason: str = "",
    expected_version: int | None = None,
) -> UUID:
    """End a draft without a version; the trail keeps what it held. Its id.

    Refused: NOT_FOUND, VERSION_CONFLICT.
    """
    actor.require(Permission.MODELS_AUTHOR)
    with transaction.atomic():
        draft = _locked(actor, draft_id, expected_version)
        record(
            actor=actor,
            action="models.discard_draft",
            obj=draft,
            before=snapshot(draft),
            after=None,
            reason=reason,
        )
        draft.delete()
    return draft_id


def finish_draft(
    *,
    actor: Actor,
    draft_id: UUID,
    notes: str | None = None,
    expected_version: int | None = None,
) -> ModelVersion:
    """Make of the draft the next version of its key, which never changes; the draft ends.

    ``notes`` in the place of the draft's. One transaction: there is the draft, or the version.
    Refused: NOT_FOUND, VERSION_CONFLICT, DRAFT_BEHIND (a later version was written meanwhile, and
    the draft was not saved as derived from it), and what `write_version` refuses.
    """
    actor.require(Permission.MODELS_AUTHOR)
    tenant = tenant_of(actor)
    with one_at_a_time():
        draft = _locked(actor, draft_id, expected_version)
        _refuse_behind(draft, last_version(tenant, draft.key))
        version = add_version(
            actor=actor,
            key=draft.key,
            title=draft.title,
            contents=contents_of(draft.document, draft.bounds, tenant),
            notes=draft.notes if notes is None else notes,
            source=draft.derived_from,
        )
        record(
            actor=actor,
            action="models.finish_draft",
            obj=draft,
            before=snapshot(draft, "key", "title", "version", "derived_from"),
            after={"version_id": str(version.pk), **snapshot(version, "number", "digest")},
        )
        draft.delete()
    return version


def _locked(actor: Actor, draft_id: UUID, expected_version: int | None) -> Draft:
    """The draft, which nobody else changes until this transaction ends."""
    draft = Draft.objects.select_for_update().filter(pk=draft_id).first()
    if draft is None:
        raise NotFound(_("draft"), field="draftId")
    if expected_version not in (None, draft.version):
        raise _changed_meanwhile(actor, draft, expected_version)
    return draft


def _changed_meanwhile(actor: Actor, draft: Draft, expected: int | None) -> Refused:
    last = last_changes([draft], actor).get(draft.pk, LastChange())
    message = _(
        "{who} changed this draft on {at}: it is at version {now}, not {expected}. Nothing of yours "
        "was written. Read it again, and decide anew."
    )
    return Refused(
        "VERSION_CONFLICT",
        format_lazy(message, who=last.who, at=last.told_at, now=draft.version, expected=expected),
        field="expectedVersion",
        version=draft.version,
        changed_by=str(last.who),
        changed_at=last.at.isoformat() if last.at else None,
    )


def _refuse_behind(draft: Draft, last: ModelVersion | None) -> None:
    """The next version would be without what is new in the last one, and nobody has looked."""
    source = draft.derived_from
    own = source is None or (last and (source.author_id, source.key) == (last.author_id, last.key))
    if last is None or source == last:
        return
    # Of one that starts from somebody else's, or from another model, what was there when it was opened
    # is known to whoever opened it; keys are in the order of time.
    if not own and last.pk < draft.pk:
        return
    message = _(
        "Meanwhile {version} was written, and this draft starts from an earlier one. Compare the "
        "two, take over what is wanted, and save the draft as derived from {version}."
    )
    raise Refused(
        "DRAFT_BEHIND",
        format_lazy(message, version=str(last)),
        field="draftId",
        version_id=str(last.pk),
    )


def _kept_bounds(bounds: Mapping[str, Any]) -> dict[str, Any]:
    told = by_path(bounds, "bounds")
    for path, bound in told.items():
        check_shape(path, bound)
    return storable(told)


def _copy(draft: Draft) -> Draft:
    return Draft(**{field.attname: field.value_from_object(draft) for field in Draft._meta.fields})


def _changed(actor: Actor, action: str, draft: Draft, changed: Draft) -> Draft:
    """Write what differs; in the trail by path, for the whole would be large and tell little."""
    before, after = _told(draft), _told(changed)
    differing = [name for name in after if canonical(after[name]) != canonical(before[name])]
    if not differing:
        return draft
    for name in differing:
        setattr(draft, name, getattr(changed, name))
    save_changes(draft, differing)
    was: dict[str, Any] = {}
    now: dict[str, Any] = {}
    for name in differing:
        was[name], now[name] = before[name], after[name]
        if name in ("document", "bounds"):
            places = differences(before[name], after[name])
            was[name] = {change.path: change.before for change in places}
            now[name] = {change.path: change.after for change in places}
    record(actor=actor, action=action, obj=draft, before=was, after=now)
    return draft


def _told(draft: Draft) -> dict[str, Any]:
    source = draft.derived_from_id
    return {
        "title": draft.title,
        "notes": draft.notes,
        "document": draft.document,
        "bounds": draft.bounds,
        "derived_from_id": str(source) if source else None,
    }
