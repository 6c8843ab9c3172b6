"""The rules of a day, how they came to be, and what a change would do to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from linli.accounts.policy import Actor, Permission
from linli.errors import Refused
from linli.library.changes import Change, changes, differences
from linli.library.document import parse_document, plain
from linli.library.layers import Effective
from linli.library.selectors import publications
from linli.library.visibility import visible_in
from tenants.communities.selectors import community_to_act_on
from tenants.operating_model.models import Adoption, Layer, ModelVersion, RuleSnapshot
from tenants.operating_model.policies import arriving, waiting
from tenants.operating_model.proposals import (
    propose_adoption,
    tenant_of,
    told_below,
    version_to_adopt,
)
from tenants.operating_model.rulebook import Place, Rulebook


@dataclass(frozen=True)
class Preview:
    """What adopting would change. `after` is None, and nothing changes, where `problems` forbid it.

    `changes` are against what is in force on that day, or, where nothing is, against the version
    as its author wrote it.
    """

    version: ModelVersion
    before: Effective | None
    after: Effective | None
    changes: list[Change]
    problems: list[Refused]


@dataclass(frozen=True)
class Clash:
    """A policy from above that waits, and why it cannot come into force yet."""

    layer: Layer
    problems: list[Refused]


def effective_rules(on: date, community_id: UUID | None = None) -> Effective:
    """The rule of a day, for the whole tenant or one of its communities (M2, M3).

    Refused: NO_MODEL_IN_FORCE, NOT_FOUND.
    """
    if community_id is not None:
        community_to_act_on(community_id)
    return Rulebook.load().effective(on, community_id)


def rules_timeline(
    starts_on: date, ends_on: date, community_id: UUID | None = None
) -> list[tuple[date, date, Effective]]:
    """`Rulebook.timeline` of the rules as they stand. Refused: NO_MODEL_IN_FORCE for a day without a
    model, NOT_FOUND."""
    if community_id is not None:
        community_to_act_on(community_id)
    return Rulebook.load().timeline(starts_on, ends_on, community_id)


def preview_adoption(
    *,
    actor: Actor,
    effective_from: date,
    published_id: UUID | None = None,
    version_id: UUID | None = None,
    values: Mapping[str, Any] | None = None,
    bounds: Mapping[str, Any] | None = None,
) -> Preview:
    """What `adopt_version` would do with the same input (M5). Writes nothing.

    What it would be refused with are `problems`; only a version that is not there is refused here.
    """
    actor.require(Permission.MODELS_READ)
    tenant = tenant_of(actor)
    version = version_to_adopt(tenant, published_id, version_id)
    book = Rulebook.load()
    if not book.adoptions:
        book = book.plus(*arriving(tenant, book))
    before = book.effective(effective_from) if book.adoption(effective_from) else None
    try:
        proposal = propose_adoption(
            book,
            tenant=tenant,
            version=version,
            effective_from=effective_from,
            values=values,
            bounds=bounds,
            reason="",
        )
    except Refused as refused:
        return Preview(version, before, None, [], list(refused.faults))
    if problems := proposal.faults():
        return Preview(version, before, None, [], problems)
    after = proposal.after.effective(effective_from)
    found = (
        changes(before, after)
        if before
        else differences(plain(parse_document(version.document)), after.raw)
    )
    return Preview(version, before, after, found, [])


def versions(*, actor: Actor) -> QuerySet[ModelVersion]:
    """The versions that are here, own ones and frozen copies, the newest first."""
    actor.require_somewhere(Permission.MODELS_READ)
    return ModelVersion.objects.order_by("-id")


def adoptions(*, actor: Actor) -> QuerySet[Adoption]:
    """What was adopted, in the order in which one replaces another."""
    actor.require_somewhere(Permission.MODELS_READ)
    order = ("effective_from", "decided_at", "id")
    return Adoption.objects.select_related("version").order_by(*order)


def layers(*, actor: Actor) -> QuerySet[Layer]:
    """What was set on top of the model: by the city, the district, the street, and those of the
    communities the actor may read; in the order in which one replaces another."""
    actor.require_somewhere(Permission.MODELS_READ)
    every = Layer.objects.order_by("effective_from", "decided_at", "id")
    reach = actor.communities(Permission.MODELS_READ)
    return every if reach is None else every.filter(Q(community=None) | Q(community__in=reach))


def number_by_adoption(rows: Sequence[Adoption], actor: Actor) -> dict[UUID, int]:
    """Which of all adoptions here each is, from 1 on, as they were decided."""
    ids = Adoption.objects.order_by("pk").values_list("pk", flat=True)
    return {pk: number for number, pk in enumerate(ids, start=1)}


def version_by_layer(rows: Sequence[Layer], actor: Actor) -> dict[UUID, int]:
    """Which of those of its place each is, from 1 on, as they were decided."""
    counted: Counter[Place] = Counter()
    versions = {}
    kinds, communities = {row.kind for row in rows}, {row.community_id for row in rows}
    here = Q(community__in=communities - {None}) | Q(community=None)
    for pk, kind, community in (
        Layer.objects.filter(here, kind__in=kinds)
        .order_by("pk")
        .values_list("pk", "kind", "community")
    ):
        counted[kind, community] += 1
        versions[pk] = counted[kind, community]
    return versions


def snapshots(*, actor: Actor) -> QuerySet[RuleSnapshot]:
    """The rules that something was worked out from, the newest first: the tenant's, and those of
    the communities the actor may read."""
    actor.require_somewhere(Permission.MODELS_READ)
    every = RuleSnapshot.objects.order_by("-id")
    reach = actor.communities(Permission.MODELS_READ)
    return every if reach is None else every.filter(Q(community=None) | Q(community__in=reach))


def clashes(*, actor: Actor) -> list[Clash]:
    """The policies from above that wait for a person to change what they clash with."""
    actor.require(Permission.MODELS_READ)
    book = Rulebook.load()
    found = []
    for layer in waiting():
        day = max(layer.effective_from, timezone.localdate())
        faults = book.plus(layer).faults(day)
        found.append(Clash(layer, [told_below(fault) for fault in faults]))
    return found


def publication_by_version(
    rows: Sequence[ModelVersion], actor: Actor
) -> dict[UUID, dict[str, Any]]:
    """How each stands in the library: one's own, and that of which one has a copy. A copy keeps being
    told that its original was withdrawn, and no more of one that is no longer shown here."""
    tenant = tenant_of(actor)
    by_place = {(row.author_id, row.key, row.number): row.pk for row in rows}
    found = publications(by_place)
    seen = visible_in(tenant).filter(pk__in=[one.pk for one in found])
    shown = set(seen.values_list("pk", flat=True))
    return {
        by_place[one.author_id, one.key, one.number]: {
            "published_id": one.pk if one.pk in shown else None,
            "visibility": one.visibility if one.pk in shown else None,
            "version": one.version if one.author_id == tenant.pk else None,
            "withdrawn_at": one.withdrawn_at,
            "withdrawal_reason": one.withdrawal_reason,
        }
        for one in found
        if one.pk in shown or one.is_withdrawn
    }
