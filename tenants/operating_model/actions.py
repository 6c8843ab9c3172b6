"""What people decide about a tenant's rules. Past days keep theirs: each change has its day."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission, system_actor
from linli.audit.record import record, snapshot
from linli.errors import Refused
from linli.events.emit import emit
from linli.jobs import defer_for
from linli.library import actions as library
from linli.library.bounds import Origin, parse_bounds
from linli.library.document import brief, digest, parse_document
from linli.library.layers import Effective, resolve
from linli.library.models import Policy, PublishedVersion
from linli.library.places import check_possible
from linli.library.selectors import published_from
from linli.registry.models import Tenant
from linli.registry.selectors import is_sandbox
from linli.rules import check_count, is_blank
from tenants.communities.models import Community
from tenants.communities.selectors import community_to_act_on
from tenants.operating_model import jobs
from tenants.operating_model.models import Adoption, Layer, ModelVersion, RuleSnapshot
from tenants.operating_model.policies import land_policies, settle_clashes, tell_layer
from tenants.operating_model.proposals import (
    bounds_by_path,
    by_path,
    propose_adoption,
    propose_layer,
    refuse_past,
    tenant_of,
    version_here,
    version_to_adopt,
)
from tenants.operating_model.rulebook import Rulebook, decided_at, one_at_a_time
from tenants.operating_model.selectors import measured_outcomes
from tenants.operating_model.telling import tell_changes

# By rules that are kept themselves (`tenants.operating_model.rulebook`). Snapshots are never deleted.
_frozen: WeakKeyDictionary[Effective, RuleSnapshot] = WeakKeyDictionary()

_KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*", re.ASCII)


def write_version(
    *,
    actor: Actor,
    key: str,
    title: str,
    document: str | bytes | Mapping[str, Any],
    bounds: Mapping[str, Any],
    notes: str = "",
) -> ModelVersion:
    """Write the next version of the model ``key``: immutable from then on (M1, M2).

    ``bounds`` by path, the author's own (M3). Refused: VERSION_INVALID (key, title),
    DOCUMENT_INVALID, BOUND_INVALID, UNKNOWN_PATH, OUTSIDE_BOUNDS (the document breaks its own
    bounds), VERSION_UNCHANGED.
    """
    actor.require(Permission.MODELS_AUTHOR)
    tenant = tenant_of(actor)
    _check_names(key, title)
    parsed = parse_document(document)
    told = bounds_by_path(bounds)
    resolve(parsed, parse_bounds(told), base=Origin("model", tenant.name))
    content = {"document": brief(parsed), "bounds": told}
    with one_at_a_time():
        last = ModelVersion.objects.filter(author_id=tenant.pk, key=key).order_by("-number").first()
        if last and last.digest == digest(content):
            message = _("Nothing differs from {version}. Change something, or use that version.")
            raise Refused("VERSION_UNCHANGED", format_lazy(message, version=str(last)))
        version = ModelVersion.objects.create(
            key=key,
            number=last.number + 1 if last else 1,
            title=title.strip(),
            digest=digest(content),
            notes=notes,
            author_id=tenant.pk,
            author_name=tenant.name,
            **content,
        )
        record(
            actor=actor,
            action="models.write_version",
            obj=version,
            before=snapshot(last, "number", "digest") if last else None,
            after=snapshot(version, "key", "number", "title", "digest"),
        )
        emit(
            actor=actor,
            type="model_version.written",
            obj=version,
            data={"key": version.key, "number": version.number},
        )
    return version


def publish_version(
    *, actor: Actor, version_id: UUID, profiles: Sequence[str], case_text: str = ""
) -> PublishedVersion:
    """Put an own version into the library, for the communities it suits (M4).

    The evidence is what the platform has measured here by now, never typed in. Refused: NOT_FOUND,
    NOT_THE_AUTHOR (a copy), PROFILE_UNKNOWN, ALREADY_PUBLISHED, SANDBOX_STAYS_INSIDE.
    """
    actor.require(Permission.MODELS_PUBLISH)
    tenant = tenant_of(actor)
    if is_sandbox(tenant):
        message = _("What a sandbox holds is made up, and stays inside it.")
        raise Refused("SANDBOX_STAYS_INSIDE", message)
    version = version_here(version_id)
    if version.author_id != tenant.pk:
        message = _("{author} wrote this version. Write one of your own to publish it.")
        raise Refused(
            "NOT_THE_AUTHOR", format_lazy(message, author=version.author_name), field="versionId"
        )
    for profile in profiles:
        if profile not in Community.Profile.values:
            message = _("There is no profile {profile}. Choose from: {allowed}.")
            allowed = ", ".join(Community.Profile.values)
            raise Refused(
                "PROFILE_UNKNOWN",
                format_lazy(message, profile=profile, allowed=allowed),
                field="profiles",
                allowed=Community.Profile.values,
            )
    package = library.Package(
        key=version.key,
        number=version.number,
        title=version.title,
        document=version.document,
        bounds=version.bounds,
        digest=version.digest,
        notes=version.notes,
        profiles=list(dict.fromkeys(profiles)),
        case_text=case_text,
        evidence=measured_outcomes(tenant),
    )
    with one_at_a_time():
        adoptions = Adoption.objects.filter(version=version).values_list("pk", flat=True)
        published = library.publish(
            actor=actor, author=tenant, package=package, adoptions=list(adoptions)
        )
        record(
            actor=actor,
            action="models.publish_version",
            obj=version,
            before=None,
            after={"published_id": str(published.pk), "profiles": published.profiles},
        )
        emit(
            actor=actor,
            type="model_version.published",
            obj=version,
            data={"key": version.key, "number": version.number},
        )
    return published


def adopt_version(
    *,
    actor: Actor,
    effective_from: date,
    published_id: UUID | None = None,
    version_id: UUID | None = None,
    values: Mapping[str, Any] | None = None,
    bounds: Mapping[str, Any] | None = None,
    reason: str = "",
    expected_version: int | None = None,
    expected_layer_version: int | None = None,
) -> Adoption:
    """Run a published version (a copy of it is frozen here) or one that is here, from a day on (M5).

    With ``values`` or ``bounds`` given, the street's layer of the same day becomes these; without,
    it stays what it is. Today or later; the first adoption of a tenant may name an earlier day,
    since nothing was in force then. ``expected_version`` is how many adoptions there were when this
    was decided, ``expected_layer_version`` how many layers of the street. Refused: NOT_FOUND,
    ONE_VERSION, VERSION_CONFLICT, TENANT_KIND, CHANGE_BACKDATED, NOTHING_CHANGES, and what `resolve` refuses, CLASHES_BELOW or RULES_CLASH for what would no
    longer fit.
    """
    actor.require(Permission.MODELS_ADOPT)
    tenant = tenant_of(actor)
    with one_at_a_time():
        version = version_to_adopt(published_id, version_id)
        check_count(Adoption.objects.count(), expected_version)
        streets = decided_at((Layer.Kind.STREET, None))
        check_count(streets, expected_layer_version, field="expectedLayerVersion")
        if not Adoption.objects.exists():
            # The doors may have opened just after a policy came: rules begin with all of them.
            land_policies(tenant, actor=system_actor(tenant))
        proposal = propose_adoption(
            Rulebook.load(),
            tenant=tenant,
            version=version,
            effective_from=effective_from,
            values=values,
            bounds=bounds,
            reason=reason,
        )
        proposal.check()
        adoption, layer = proposal.adoption, proposal.layer
        assert adoption is not None
        if version._state.adding:
            version.save(force_insert=True)
        adoption.save(force_insert=True)
        if layer:
            layer.save(force_insert=True)
        previous = proposal.before.adoption(effective_from)
        replaced = proposal.before.layer(Layer.Kind.STREET, None, effective_from)
        record(
            actor=actor,
            action="models.adopt_version",
            obj=adoption,
            before=_told(previous, replaced if layer else None) if previous else None,
            after=_told(adoption, layer),
            reason=reason,
        )
        emit(
            actor=actor,
            type="model_version.adopted",
            obj=adoption,
            data={
                "version": version.pk,
                "effective_from": effective_from,
                "layer": layer.pk if layer else None,
            },
        )
        library.record_adoption(
            actor=actor,
            tenant=tenant,
            adoption_id=adoption.pk,
            published=published_from(
                author_id=version.author_id, key=version.key, number=version.number
            ),
            effective_from=effective_from,
        )
        tell_changes(actor=actor, tenant=tenant, since=effective_from)
        settle_clashes(actor=actor)
    return adoption


def set_layer(
    *,
    actor: Actor,
    values: Mapping[str, Any],
    bounds: Mapping[str, Any],
    effective_from: date,
    community_id: UUID | None = None,
    reason: str = "",
    expected_version: int | None = None,
) -> Layer:
    """What the street (or one community) sets on top of the model from a day on (M3).

    The whole of it: what is not given is no longer set. Today or later. ``expected_version`` is how
    many layers of this place there were when it was decided. Refused: NOT_FOUND, VERSION_CONFLICT, TENANT_KIND, CHANGE_BACKDATED, NO_MODEL_IN_FORCE, NOTHING_CHANGES, and what `resolve` refuses,
    CLASHES_BELOW or RULES_CLASH for communities whose layers would no longer fit.
    """
    actor.require(Permission.MODELS_OVERRIDE, community_id=community_id)
    if community_id is None:
        actor.require(Permission.MODELS_ADOPT)  # the street's own rules: who chooses the model
    community = community_to_act_on(community_id) if community_id else None
    kind = Layer.Kind.COMMUNITY if community_id else Layer.Kind.STREET
    with one_at_a_time():
        check_count(decided_at((kind, community_id)), expected_version)
        proposal = propose_layer(
            Rulebook.load(),
            tenant=tenant_of(actor),
            community=community,
            values=values,
            bounds=bounds,
            effective_from=effective_from,
            reason=reason,
        )
        proposal.check()
        layer = proposal.layer
        assert layer is not None
        layer.save(force_insert=True)
        previous = proposal.before.layer(layer.kind, layer.community_id, effective_from)
        record(
            actor=actor,
            action="models.set_layer",
            obj=layer,
            before=snapshot(previous) if previous else None,
            after=snapshot(layer),
            reason=reason,
        )
        tell_layer(actor, "layer.set", layer)
        tell_changes(actor=actor, tenant=tenant_of(actor), since=effective_from)
        settle_clashes(actor=actor)
    return layer


def issue_policy(
    *,
    actor: Actor,
    values: Mapping[str, Any],
    bounds: Mapping[str, Any],
    effective_from: date,
    reason: str = "",
    expected_version: int | None = None,
) -> Policy:
    """Bind every tenant below this district or city from a day on, today or later (M3).

    The whole policy: it replaces the issuer's earlier one. It is frozen here at once and below by
    a job for each tenant; where it clashes with what a street has set it waits there.
    ``expected_version`` is how many of its policies stood here when it was decided. Refused:
    VERSION_CONFLICT, TENANT_KIND, CHANGE_BACKDATED, NOT_BY_PATH, BOUND_INVALID, UNKNOWN_PATH.
    """
    actor.require(Permission.MODELS_ISSUE_POLICY)
    tenant = tenant_of(actor)
    if tenant.kind == Tenant.Kind.STREET:
        message = _("A street office issues no policy. Set its layer instead.")
        raise Refused("TENANT_KIND", message, kind=tenant.kind)
    refuse_past(effective_from)
    told_values, told_bounds = by_path(values, "values"), bounds_by_path(bounds)
    for path in told_values:
        check_possible(path, one=True)
    for path in told_bounds:
        check_possible(path)
    with one_at_a_time():
        check_count(decided_at((tenant.kind, None)), expected_version)
        policy = library.issue(
            actor=actor,
            issuer=tenant,
            values=told_values,
            bounds=told_bounds,
            effective_from=effective_from,
            reason=reason,
        )
        land_policies(tenant, actor=actor)
        for below in tenant.descendants():
            defer_for(jobs.freeze_policies, below)
    return policy


def freeze_rules(effective: Effective) -> RuleSnapshot:
    """The row that a contribution or a posting names as its rule; equal rules share one.

    Part of the caller's action and of its row in the trail. Safe against others doing the same.
    """
    assert effective.base.ref is not None  # rules of a tenant start from a version
    if (known := _frozen.get(effective)) is not None:
        return known
    frozen = RuleSnapshot.objects.filter(digest=effective.digest).first()
    if frozen is None:
        community_layer = Layer.Kind.COMMUNITY
        own = [o.ref for o in effective.origins.values() if o.ref and o.kind == community_layer]
        community = Layer.objects.filter(pk__in=own).values_list("community", flat=True).first()
        frozen, _created = RuleSnapshot.objects.get_or_create(
            digest=effective.digest,
            defaults={
                "version_id": effective.base.ref,
                "community_id": community,
                "content": effective.content(),
            },
        )
    # Only what is there for good: this transaction may yet be rolled back.
    transaction.on_commit(partial(_frozen.__setitem__, effective, frozen))
    return frozen


def _told(adoption: Adoption, layer: Layer | None) -> dict[str, Any]:
    """An adoption as the trail tells it, with the street's layer that came with it."""
    return {
        **snapshot(adoption, "version", "effective_from"),
        "layer": snapshot(layer, "id", "values", "bounds") if layer else None,
    }


def _check_names(key: str, title: str) -> None:
    if not _KEY.fullmatch(key) or len(key) > 60:
        message = _("A key has up to 60 small letters and digits, with - or _ between: chengnan-2.")
        raise Refused("VERSION_INVALID", message, field="key")
    if is_blank(title) or len(title.strip()) > 200:
        message = _("A title has 1 to 200 characters.")
        raise Refused("VERSION_INVALID", message, field="title")
