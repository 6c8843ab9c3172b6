"""What people decide about a tenant's rules. Past days keep theirs: each change has its day."""

from __future__ import annotations

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
from linli.library.bounds import parse_bounds
from linli.library.layers import Effective, LayerSpec
from linli.library.models import Policy, PublishedVersion
from linli.library.personal import check_texts, texts_of, texts_of_bounds
from linli.library.selectors import published_from
from linli.library.written import check_policy
from linli.registry.models import Tenant
from linli.registry.selectors import is_sandbox
from linli.rules import check_count
from tenants.communities.models import Community
from tenants.communities.selectors import community_to_act_on
from tenants.operating_model import jobs
from tenants.operating_model.closing_requests import withdraw_overtaken
from tenants.operating_model.evidence import check_period, measured_outcomes, where_it_ran
from tenants.operating_model.governing import refuse_unapproved
from tenants.operating_model.models import Adoption, Layer, ModelVersion, RuleSnapshot
from tenants.operating_model.policies import (
    land_policies,
    policies_above,
    settle_clashes,
    tell_layer,
)
from tenants.operating_model.proposals import (
    bounds_by_path,
    by_path,
    despite,
    propose_adoption,
    propose_layer,
    refuse_past,
    tenant_of,
    version_here,
    version_to_adopt,
)
from tenants.operating_model.rulebook import Rulebook, decided_at, one_at_a_time
from tenants.operating_model.taking_effect import take_effect
from tenants.operating_model.telling import tell_changes
from tenants.operating_model.versions import add_version, check_names, contents_of
from tenants.operating_model.withdrawals import tell_withdrawn

# By rules that are kept themselves (`tenants.operating_model.rulebook`). Snapshots are never deleted.
_frozen: WeakKeyDictionary[Effective, RuleSnapshot] = WeakKeyDictionary()


def write_version(
    *,
    actor: Actor,
    key: str,
    title: str,
    document: str | bytes | Mapping[str, Any],
    bounds: Mapping[str, Any],
    notes: str = "",
    derived_from_id: UUID | None = None,
) -> ModelVersion:
    """Write the next version of the model ``key`` in one step: immutable from then on (M1, M2).

    ``bounds`` by path, the author's own (M3). ``derived_from_id``: the version here that it was
    written from, else the last of the key. Refused: VERSION_INVALID (key, title), DOCUMENT_INVALID,
    BOUND_INVALID, UNKNOWN_PATH, OUTSIDE_BOUNDS (the document breaks its own bounds), NOT_FOUND,
    VERSION_UNCHANGED.
    """
    actor.require(Permission.MODELS_AUTHOR)
    check_names(key, title)
    source = version_here(derived_from_id, "derivedFromId") if derived_from_id else None
    contents = contents_of(document, bounds, tenant_of(actor))
    with one_at_a_time():
        return add_version(
            actor=actor, key=key, title=title, contents=contents, notes=notes, source=source
        )


def publish_version(
    *,
    actor: Actor,
    version_id: UUID,
    profiles: Sequence[str],
    case_text: str = "",
    visibility: str = PublishedVersion.Visibility.ALL,
    evidence_starts_on: date | None = None,
    evidence_ends_on: date | None = None,
    pictures: Sequence[Mapping[str, Any]] = (),
) -> PublishedVersion:
    """Put an own version into the library, for the communities it suits (M4).

    ``evidence_starts_on`` and the day ``evidence_ends_on`` before which it ends: the period whose
    measured outcomes go along, never typed in; without, it is published without evidence, and that is
    shown. ``pictures``: picture_id, alt and caption of what was uploaded here. Refused: NOT_FOUND,
    NOT_THE_AUTHOR (a copy), PROFILE_UNKNOWN, PERIOD_INVALID, EVIDENCE_MISSING, PERSONAL_DATA,
    SANDBOX_STAYS_INSIDE, and what `linli.library.actions.publish` refuses.
    """
    actor.require(Permission.MODELS_PUBLISH)
    tenant = tenant_of(actor)
    if is_sandbox(tenant):
        message = _("What a sandbox holds is made up, and stays inside it.")
        raise Refused("SANDBOX_STAYS_INSIDE", message)
    version = _own_version(tenant, version_id)
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
    _check_nothing_personal(version, case_text, pictures)
    period = check_period(evidence_starts_on, evidence_ends_on)
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
        evidence=measured_outcomes(tenant, *period) if period else {},
        evidence_starts_on=evidence_starts_on,
        evidence_ends_on=evidence_ends_on,
        ran_in=where_it_ran(version, *period) if period else None,
    )
    with one_at_a_time():
        adoptions = Adoption.objects.filter(version=version).values_list("pk", flat=True)
        source = version.derived_from
        published = library.publish(
            actor=actor,
            author=tenant,
            derived_from=published_from(
                author_id=source.author_id, key=source.key, number=source.number
            )
            if source
            else None,
            package=package,
            adoptions=list(adoptions),
            visibility=visibility,
            pictures=pictures,
        )
        record(
            actor=actor,
            action="models.publish_version",
            obj=version,
            before=None,
            after={
                "published_id": str(published.pk),
                "profiles": published.profiles,
                "visibility": published.visibility,
            },
        )
        emit(
            actor=actor,
            type="model_version.published",
            obj=version,
            data={
                "key": version.key,
                "number": version.number,
                "visibility": published.visibility,
            },
        )
    return published


def change_visibility(
    *, actor: Actor, version_id: UUID, visibility: str, expected_version: int | None = None
) -> ModelVersion:
    """Show an own published version to others than before (M4); whoever runs it keeps its copy.

    ``expected_version``: the publication's. Refused: NOT_FOUND, NOT_THE_AUTHOR, NOT_PUBLISHED, and what
    `linli.library.actions.change_visibility` refuses.
    """
    actor.require(Permission.MODELS_PUBLISH)
    tenant = tenant_of(actor)
    with one_at_a_time():
        version = _own_version(tenant, version_id)
        published = _publication(version)
        before = snapshot(published, "visibility")
        published = library.change_visibility(
            actor=actor,
            author=tenant,
            published_id=published.pk,
            visibility=visibility,
            expected_version=expected_version,
        )
        record(
            actor=actor,
            action="models.change_visibility",
            obj=version,
            before=before,
            after=snapshot(published, "visibility"),
        )
        emit(
            actor=actor,
            type="model_version.visibility_changed",
            obj=version,
            data={
                "key": version.key,
                "number": version.number,
                "visibility": published.visibility,
            },
        )
    return version


def withdraw_version(*, actor: Actor, version_id: UUID, reason: str) -> ModelVersion:
    """Take an own published version back (M4): nobody adopts it from then on. Whoever runs it keeps it,
    and is told by a job.

    At the same moment as an adoption one of the two comes first: either it was adopted before, or the
    adoption is refused with WITHDRAWN. Refused: NOT_FOUND, NOT_THE_AUTHOR, NOT_PUBLISHED,
    REASON_MISSING, PERSONAL_DATA (in the reason), WITHDRAWN (before).
    """
    actor.require(Permission.MODELS_PUBLISH)
    tenant = tenant_of(actor)
    with one_at_a_time():
        version = _own_version(tenant, version_id)
        published, adopters = library.withdraw(
            actor=actor, author=tenant, published_id=_publication(version).pk, reason=reason
        )
        record(
            actor=actor,
            action="models.withdraw_version",
            obj=version,
            before=None,
            after={"published_id": str(published.pk)},
            reason=published.withdrawal_reason,
        )
        tell_withdrawn(actor, version)
        for adopter in adopters:
            defer_for(jobs.tell_withdrawn_to, adopter, published_id=str(published.pk))
    return version


def adopt_version(
    *,
    actor: Actor,
    effective_from: date,
    published_id: UUID | None = None,
    version_id: UUID | None = None,
    values: Mapping[str, Any] | None = None,
    bounds: Mapping[str, Any] | None = None,
    reason: str = "",
    despite_agreements: bool = False,
    expected_version: int | None = None,
    expected_layer_version: int | None = None,
) -> Adoption:
    """Run a published version (a copy of it is frozen here) or one that is here, from a day on (M5).

    With ``values`` or ``bounds`` given, the street's layer of the same day becomes these; without,
    it stays what it is. Today or later; the first adoption of a tenant may name an earlier day,
    since nothing was in force then. ``expected_version`` is how many adoptions there were when this
    was decided, ``expected_layer_version`` how many layers of the street. Refused: NOT_FOUND,
    ONE_VERSION, VERSION_CONFLICT, WITHDRAWN, TENANT_KIND, CHANGE_BACKDATED, NOTHING_CHANGES, UPGRADE_INSTEAD,
    NOT_OFFERED, APPROVAL_NEEDED where whoever stands above has laid down that another approves it, and
    what `resolve` refuses, CLASHES_BELOW or RULES_CLASH for what would no longer fit; AGREEMENTS_CLASH
    for running agreements that would not, unless it is to be so ``despite_agreements``
    (REASON_MISSING): the trail keeps which.
    """
    actor.require(Permission.MODELS_ADOPT)
    with one_at_a_time():
        refuse_unapproved(actor)
        adoption = adopt(
            actor=actor,
            effective_from=effective_from,
            published_id=published_id,
            version_id=version_id,
            values=values,
            bounds=bounds,
            reason=reason,
            despite_agreements=despite_agreements,
            expected_version=expected_version,
            expected_layer_version=expected_layer_version,
        )
        withdraw_overtaken(actor)
    return adoption


def adopt(
    *,
    actor: Actor,
    effective_from: date,
    published_id: UUID | None = None,
    version_id: UUID | None = None,
    values: Mapping[str, Any] | None = None,
    bounds: Mapping[str, Any] | None = None,
    reason: str = "",
    despite_agreements: bool = False,
    expected_version: int | None = None,
    expected_layer_version: int | None = None,
) -> Adoption:
    """`adopt_version` by who may decide on it, which the caller has checked."""
    tenant = tenant_of(actor)
    with one_at_a_time():
        version = version_to_adopt(tenant, published_id, version_id, to_write=True)
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
        unfit = proposal.check_agreements(despite=despite_agreements, reason=reason)
        adoption, layer = proposal.adoption, proposal.layer
        assert adoption is not None
        if version._state.adding:
            version.save(force_insert=True)
        take_effect(actor, tenant, adoption, [layer] if layer else [])
        previous = proposal.before.adoption(effective_from)
        replaced = proposal.before.layer(Layer.Kind.STREET, None, effective_from)
        record(
            actor=actor,
            action="models.adopt_version",
            obj=adoption,
            before=_told(previous, replaced if layer else None) if previous else None,
            after=_told(adoption, layer) | despite(unfit),
            reason=reason,
        )
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
    despite_agreements: bool = False,
    expected_version: int | None = None,
) -> Layer:
    """What the street (or one community) sets on top of the model from a day on (M3).

    The whole of it: what is not given is no longer set. Today or later. ``expected_version`` is how
    many layers of this place there were when it was decided. Refused: NOT_FOUND, VERSION_CONFLICT,
    TENANT_KIND, CHANGE_BACKDATED, NO_MODEL_IN_FORCE, NOTHING_CHANGES, and what `resolve` refuses,
    CLASHES_BELOW or RULES_CLASH for communities whose layers would no longer fit; AGREEMENTS_CLASH
    and REASON_MISSING as `adopt_version`.
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
        unfit = proposal.check_agreements(despite=despite_agreements, reason=reason)
        layer = proposal.layer
        assert layer is not None
        layer.save(force_insert=True)
        previous = proposal.before.layer(layer.kind, layer.community_id, effective_from)
        record(
            actor=actor,
            action="models.set_layer",
            obj=layer,
            before=snapshot(previous) if previous else None,
            after=snapshot(layer) | despite(unfit),
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
    VERSION_CONFLICT, TENANT_KIND, CHANGE_BACKDATED, NOT_BY_PATH, TOO_MANY_PLACES, what `check_policy`
    refuses, the city's policy of that day being above a district's.
    """
    actor.require(Permission.MODELS_ISSUE_POLICY)
    tenant = tenant_of(actor)
    if tenant.kind == Tenant.Kind.STREET:
        message = _("A street office issues no policy. Set its layer instead.")
        raise Refused("TENANT_KIND", message, kind=tenant.kind)
    refuse_past(effective_from)
    told_values, told_bounds = by_path(values, "values"), bounds_by_path(bounds)
    check_policy(
        LayerSpec(tenant.kind, tenant.name, told_values, parse_bounds(told_bounds)),
        list(policies_above(tenant, effective_from)),
    )
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


def _own_version(tenant: Tenant, version_id: UUID) -> ModelVersion:
    """Refused: NOT_FOUND, NOT_THE_AUTHOR."""
    version = version_here(version_id)
    if version.author_id != tenant.pk:
        message = _("{author} wrote this version. Write one of your own to publish it.")
        raise Refused(
            "NOT_THE_AUTHOR", format_lazy(message, author=version.author_name), field="versionId"
        )
    return version


def _publication(version: ModelVersion) -> PublishedVersion:
    """Its published form. Refused: NOT_PUBLISHED."""
    published = published_from(author_id=version.author_id, key=version.key, number=version.number)
    if published is None:
        message = _("{version} is not in the library. Publish it first.")
        told = format_lazy(message, version=str(version))
        raise Refused("NOT_PUBLISHED", told, field="versionId")
    return published


def _check_nothing_personal(
    version: ModelVersion, case_text: str, pictures: Sequence[Mapping[str, Any]]
) -> None:
    """What people typed and is about to leave. Refused: PERSONAL_DATA, by the field of the input, or
    where it stands in the version and its document."""
    typed = {
        "caseText": case_text,
        "key": version.key,
        "title": version.title,
        "notes": version.notes,
    }
    for index, picture in enumerate(pictures):
        typed[f"pictures.{index}.alt"] = picture["alt"]
        typed[f"pictures.{index}.caption"] = picture["caption"]
    check_texts(typed | texts_of(version.document) | texts_of_bounds(version.bounds))


def _told(adoption: Adoption, layer: Layer | None) -> dict[str, Any]:
    """An adoption as the trail tells it, with the street's layer that came with it."""
    return {
        **snapshot(adoption, "version", "effective_from"),
        "layer": snapshot(layer, "id", "values", "bounds") if layer else None,
    }
