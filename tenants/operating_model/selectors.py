"""The rules of a day, how they came to be, and what a change would do to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.accounts.selectors import name_by_entry
from linli.audit.models import Entry
from linli.clients.selectors import client_name_by_entry
from linli.errors import NotFound, Refused
from linli.library import paths
from linli.library.carrying import Aspect, Question
from linli.library.carrying import Place as CarriedPlace
from linli.library.changes import Change, changes, differences
from linli.library.document import parse_document, plain
from linli.library.governing import Rule, rule_for
from linli.library.layers import Effective
from linli.library.selectors import publications
from linli.library.visibility import visible_in
from tenants.operating_model.clashes import plan_clash
from tenants.operating_model.dependents import Unfit, unfit
from tenants.operating_model.models import (
    Adoption,
    ChangeRequest,
    Draft,
    Layer,
    ModelVersion,
    RuleSnapshot,
    Upgrade,
    UpgradeDecision,
)
from tenants.operating_model.policies import arriving, waiting
from tenants.operating_model.proposals import (
    propose_adoption,
    tenant_of,
    told_below,
    version_to_adopt,
)
from tenants.operating_model.rolling_back import plan_roll_back
from tenants.operating_model.rulebook import Place, Rulebook
from tenants.operating_model.upgrading import Level, Plan, before_later, plan_of, set_first
from tenants.operating_model.versions import faults_of
from tenants.operating_model.warm import require_community, rulebook

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Preview:
    """What adopting would change. `after` is None, and nothing changes, where `problems` forbid it.

    `changes` are against what is in force on that day, or, where nothing is, against the version
    as its author wrote it. `unfit` are running agreements that would no longer fit: they forbid it
    only to whoever does not say that it is to be so despite them.
    """

    version: ModelVersion
    before: Effective | None
    after: Effective | None
    changes: list[Change]
    problems: list[Refused]
    unfit: list[Unfit] = field(default_factory=list)

    @property
    def documents(self) -> list[Mapping[str, Any]]:
        """What would stand, and what `changes` are against, for the titles in them."""
        against = self.before.raw if self.before else self.version.document
        return [self.after.raw, against] if self.after else [against]


@dataclass(frozen=True)
class Clash:
    """A policy from above that waits, and why it cannot come into force yet."""

    layer: Layer
    problems: list[Refused]
    asked: list[Asked]


@dataclass(frozen=True)
class Saying:
    """Who said something, from which day on (None where nobody has decided yet), and why."""

    name: str
    since: date | None
    reason: str


@dataclass(frozen=True)
class Asked:
    """A place to decide, with whose level it is of; ``documents``: with what is new, what is set here,
    and what was, for the titles in them. `own`, `old` and `new` tell whose each of the three values
    is; None where nobody's."""

    community_id: UUID | None
    question: Question
    documents: Sequence[Mapping[str, Any]]
    own: Saying | None
    old: Saying | None
    new: Saying | None


@dataclass(frozen=True)
class LastChange:
    """Who changed something last, by what they are called now, and when; as the trail tells."""

    person: str | None = None
    program: str | None = None
    at: datetime | None = None

    @property
    def who(self) -> StrOrPromise:
        return self.person or self.program or _("The platform")

    @property
    def told_at(self) -> str:
        return timezone.localtime(self.at).strftime("%Y-%m-%d %H:%M") if self.at else ""


def effective_rules(on: date, community_id: UUID | None = None) -> Effective:
    """The rule of a day, for the whole tenant or one of its communities (M2, M3).

    Frozen, and shared by all who ask. Refused: NO_MODEL_IN_FORCE, NOT_FOUND.
    """
    if community_id is not None:
        require_community(community_id)
    return rulebook().effective(on, community_id)


def rules_to_read(*, actor: Actor, on: date, community_id: UUID | None = None) -> Effective:
    """`effective_rules` for who may read the community, too: others do not find it."""
    _require_readable(actor, community_id)
    return effective_rules(on, community_id)


def _require_readable(actor: Actor, community_id: UUID | None) -> None:
    """Refused: NOT_FOUND."""
    reach = actor.communities(Permission.COMMUNITIES_READ)
    if community_id is not None and reach is not None and community_id not in reach:
        raise NotFound(_("community"), field="communityId")


def rules_timeline(
    starts_on: date, ends_on: date, community_id: UUID | None = None
) -> list[tuple[date, date, Effective]]:
    """`Rulebook.timeline` of the rules as they stand. Refused: NO_MODEL_IN_FORCE for a day without a
    model, NOT_FOUND."""
    if community_id is not None:
        require_community(community_id)
    return rulebook().timeline(starts_on, ends_on, community_id)


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
    book = rulebook()
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
    return Preview(version, before, after, found, [], _within_reach(proposal.unfit(), actor))


def preview_roll_back(
    *,
    actor: Actor,
    upgrade_id: UUID,
    effective_from: date,
    give_up_later: bool = False,
    community_id: UUID | None = None,
) -> Preview:
    """What `roll_back_upgrade` would do with the same input, for the street office or a community of it
    (M6). Writes nothing. What it would be refused with are `problems`. Refused: NOT_FOUND."""
    actor.require(Permission.MODELS_READ)
    upgrade = upgrades(actor=actor).select_related("target").filter(pk=upgrade_id).first()
    if upgrade is None:
        raise NotFound(_("upgrade"), field="upgradeId")
    if community_id is not None:
        require_community(community_id)
    book = rulebook()
    before = book.effective(effective_from, community_id) if book.adoption(effective_from) else None
    try:
        planned = plan_roll_back(
            book,
            tenant_of(actor),
            upgrade,
            effective_from=effective_from,
            give_up_later=give_up_later,
        )
    except Refused as refused:
        return Preview(upgrade.target, before, None, [], list(refused.faults))
    assert before is not None
    after = planned.after.effective(effective_from, community_id)
    unfit = _within_reach(planned.unfit(), actor)
    return Preview(planned.adoption.version, before, after, changes(before, after), [], unfit)


def versions(*, actor: Actor) -> QuerySet[ModelVersion]:
    """The versions that are here, own ones and frozen copies, the newest first."""
    actor.require_somewhere(Permission.MODELS_READ)
    return ModelVersion.objects.order_by("-id")


def drafts(*, actor: Actor) -> QuerySet[Draft]:
    """The versions that are still being written here, the newest first; others than those who may
    write see none, so that nobody takes one for a rule."""
    actor.require_somewhere(Permission.MODELS_READ)
    every = Draft.objects.order_by("-id")
    return every if actor.allows(Permission.MODELS_AUTHOR) else every.none()


def last_changes(rows: Sequence[Draft], actor: Actor) -> dict[UUID, LastChange]:
    """Who changed each draft last, and when."""
    ids = [str(row.pk) for row in rows]
    told = Entry.objects.filter(object_type=Draft._meta.label, object_id__in=ids)
    last = list(told.order_by("object_id", "-id").distinct("object_id"))
    people, programs = name_by_entry(last, actor), client_name_by_entry(last, actor)
    return {
        UUID(entry.object_id): LastChange(people.get(entry.pk), programs.get(entry.pk), entry.at)
        for entry in last
    }


def change_instants(rows: Sequence[Draft], actor: Actor) -> dict[UUID, datetime | None]:
    """When each draft was changed last."""
    return {key: last.at for key, last in last_changes(rows, actor).items()}


def changers(rows: Sequence[Draft], actor: Actor) -> dict[UUID, str]:
    """Who changed each draft last: a person, or else a program."""
    return {key: str(last.who) for key, last in last_changes(rows, actor).items()}


def problems_of(draft: Draft, *, actor: Actor) -> list[Refused]:
    """Why the draft could not be a version as it stands, each at its place; empty if it could."""
    return faults_of(draft.document, draft.bounds, tenant_of(actor))


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


def change_requests(*, actor: Actor) -> QuerySet[ChangeRequest]:
    """What was asked for and how it was decided, the newest first."""
    actor.require_somewhere(Permission.MODELS_READ)
    return ChangeRequest.objects.order_by("-id")


def rule_here(*, actor: Actor, on: date) -> Rule:
    """By what rule this unit adopts and upgrades on a day."""
    actor.require_somewhere(Permission.MODELS_READ)
    return rule_for(tenant_of(actor), on)


def clashes(*, actor: Actor) -> list[Clash]:
    """The policies from above that wait for a person to change what they clash with."""
    actor.require(Permission.MODELS_READ)
    book = rulebook()
    found = []
    for layer in waiting():
        day = max(layer.effective_from, timezone.localdate())
        faults = book.plus(layer).faults(day)
        asked = _readable(plan_clash(layer, tenant_of(actor), {}), actor)
        found.append(Clash(layer, [told_below(fault) for fault in faults], asked))
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
        by_place[one.written_by, one.key, one.number]: {
            "published_id": one.pk if one.pk in shown else None,
            "visibility": one.visibility if one.pk in shown else None,
            "version": one.version if one.author_id == tenant.pk else None,
            "withdrawn_at": one.withdrawn_at,
            "withdrawal_reason": one.withdrawal_reason,
        }
        for one in found
        if one.pk in shown or one.is_withdrawn
    }


def upgrades(*, actor: Actor) -> QuerySet[Upgrade]:
    """The ways from one version to another, open, applied and given up; the newest first."""
    actor.require_somewhere(Permission.MODELS_READ)
    return Upgrade.objects.order_by("-id")


def upgrade_decisions(*, actor: Actor) -> QuerySet[UpgradeDecision]:
    """What was decided of them, the street office's places and those of communities the actor may
    read; in the order in which it was."""
    actor.require_somewhere(Permission.MODELS_READ)
    every = UpgradeDecision.objects.order_by("id")
    reach = actor.communities(Permission.MODELS_READ)
    return every if reach is None else every.filter(Q(community=None) | Q(community__in=reach))


def target_documents(rows: Sequence[UpgradeDecision]) -> dict[UUID, Mapping[str, Any]]:
    """By upgrade, the document that decisions the actor may read lead to."""
    found = Upgrade.objects.filter(pk__in={row.upgrade_id for row in rows})
    return dict(found.values_list("pk", "target__document"))


def asked_of(upgrade: Upgrade, *, actor: Actor) -> list[Asked]:
    """What an open upgrade asks, decided or not, of the street office and of the communities the
    actor may read. Of one that is closed: nothing."""
    planned = planned_of(upgrade, actor=actor)
    return _readable(planned, actor) if planned else []


def _readable(planned: Plan, actor: Actor) -> list[Asked]:
    """The questions at the street office's level, and at that of communities the actor may read."""
    reach = actor.communities(Permission.MODELS_READ)
    asked = [
        (level, question, set_first(planned.before, level.layer, question.place))
        if level.layer
        else (level, question, None)
        for level in planned.levels
        if reach is None or level.community_id is None or level.community_id in reach
        for question in level.carried.questions
    ]
    decided = _decided_reasons([first for _level, _question, first in asked if first])
    return [_asked(planned, level, question, first, decided) for level, question, first in asked]


def _asked(
    planned: Plan,
    level: Level,
    question: Question,
    first: Layer | None,
    decided: Mapping[tuple[UUID, CarriedPlace], str],
) -> Asked:
    old, new, own = level.carried.sides
    before, after = level.above
    reason = decided.get((first.pk, question.place), first.reason) if first else ""
    return Asked(
        level.community_id,
        question,
        documents=(new, own, old),
        own=Saying(first.set_by, first.effective_from, reason) if first else None,
        old=_said_above(planned.before, before, question.path),
        new=_said_above(planned.after or planned.before, after, question.path),
    )


def _decided_reasons(layers: Sequence[Layer]) -> dict[tuple[UUID, CarriedPlace], str]:
    """Why people decided on what stands at a place, by the layer that an upgrade wrote with it."""
    ids = {str(layer.pk): layer for layer in layers}
    wrote = Upgrade.objects.filter(before__written__has_any_keys=list(ids)) if ids else []
    written = {
        upgrade.pk: [ids[pk] for pk in upgrade.before["written"] if pk in ids]  # type: ignore[index]
        for upgrade in wrote
    }
    return {
        (layer.pk, (Aspect(row.aspect), row.path)): row.reason
        for row in UpgradeDecision.objects.filter(upgrade__in=list(written)).order_by("id")
        for layer in written[row.upgrade_id]
        if layer.community_id == row.community_id
    }


def _said_above(book: Rulebook, above: Effective, path: str) -> Saying | None:
    """Whose a value is that stands above a level: of a version its notes are why."""
    if not paths.exists(above.raw, path):
        return None
    origin = above.origin(path)
    if origin.kind == above.base.kind:
        versions = (adoption.version for adoption in book.adoptions)
        notes = next((one.notes for one in versions if one.pk == origin.ref), "")
        return Saying(origin.name, origin.since, notes)
    reasons = (layer.reason for layer in book.layers if layer.pk == origin.ref)
    return Saying(origin.name, origin.since, next(reasons, ""))


def sides_of(
    upgrade: Upgrade, *, actor: Actor, community_id: UUID | None = None
) -> tuple[Effective, Effective] | None:
    """The rules without and with an open one, as far as is decided; None where the version cannot
    stand, or it is closed. Refused: NOT_FOUND (a community that the actor may not read)."""
    _require_readable(actor, community_id)
    if community_id is not None:
        require_community(community_id)
    planned = planned_of(upgrade, actor=actor)
    return planned.sides(community_id) if planned else None


def unfit_of(upgrade: Upgrade, *, actor: Actor) -> list[Unfit]:
    """The running agreements that would no longer fit an open one once all is decided, of the communities
    whose partners the actor may read."""
    planned = planned_of(upgrade, actor=actor)
    if planned is None or planned.after is None or planned.is_open:
        return []
    return _within_reach(unfit(planned.before, planned.after, planned.since), actor)


def problems_of_upgrade(upgrade: Upgrade, *, actor: Actor) -> list[Refused]:
    """What stands in the way of an open one and is no question of a place. What a community has set is
    told to whoever may read it there; to others only that there is something."""
    planned = planned_of(upgrade, actor=actor)
    if planned is None:
        return []
    reach = actor.communities(Permission.MODELS_READ)
    problems = [_readable_fault(fault, planned, reach) for fault in planned.problems]
    return [*problems, before_later(planned.later, reach)] if planned.later else problems


def _readable_fault(fault: Refused, planned: Plan, reach: Collection[UUID] | None) -> Refused:
    ref = (fault.data.get("layer") or {}).get("ref")
    rows = (planned.after or planned.before).layers
    row = next((layer for layer in rows if str(layer.pk) == ref), None)
    if reach is None or row is None or row.community_id is None or row.community_id in reach:
        return fault
    message = _(
        "It does not fit what another community has set. The street office sees what that is."
    )
    return Refused("CLASHES_BELOW", message)


def _within_reach(found: list[Unfit], actor: Actor) -> list[Unfit]:
    """Of the communities whose partners the actor may read: why one does not fit tells its terms."""
    reach = actor.communities(Permission.PARTNERS_READ)
    return [one for one in found if reach is None or one.community_id in reach]


def planned_of(upgrade: Upgrade, *, actor: Actor) -> Plan | None:
    """What an open one comes to by now, worked out once for a row that was read; None if closed."""
    if upgrade.state != Upgrade.State.OPEN:
        return None
    known: Plan | None = vars(upgrade).get("_planned")
    if known is None:
        known = vars(upgrade)["_planned"] = plan_of(upgrade, tenant_of(actor))
    return known
