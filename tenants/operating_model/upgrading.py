"""What an upgrade comes to, worked out from the rules as they stand and what was decided so far (M6).

At the street office's level and, on what results there, at each community's. A preview shows it, the
actions act on it: both come from here, so they cannot disagree. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library import paths
from linli.library.bounds import parse_bounds
from linli.library.carrying import Answer, Aspect, Carried, Place, Question, carry
from linli.library.document import canonical, parse_document
from linli.library.layers import Effective, LayerSpec, stack, under
from linli.library.merging import Choice, Decision
from linli.registry.models import Tenant
from tenants.operating_model.models import Adoption, Layer, ModelVersion, Upgrade, UpgradeDecision
from tenants.operating_model.proposals import BELOW, told_below
from tenants.operating_model.rulebook import Rulebook, base_of, spec_of

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# What was decided, by whose level it is of: a community's, or None for the street office's.
Answers = Mapping[UUID | None, Mapping[Place, Answer]]


@dataclass(frozen=True)
class Level:
    """The street office, or one community of it, and what becomes of what it has set."""

    community_id: UUID | None
    layer: Layer | None  # what stands there today
    carried: Carried
    above: tuple[Effective, Effective]  # what stood above it until now, and from then on


@dataclass(frozen=True)
class Plan:
    """All of an upgrade. `adoption` and `layers` are rows that are not saved.

    problems: what stands in the way and is no question of a place, such as a policy from above that
    the new version has no room for. after is None where that is so. later: what is planned for later
    days and stands in the way of an upgrade.
    """

    since: date
    before: Rulebook
    after: Rulebook | None
    levels: tuple[Level, ...]
    adoption: Adoption | None
    layers: tuple[Layer, ...]
    problems: tuple[Refused, ...]
    later: tuple[Adoption | Layer, ...] = ()

    @property
    def open_questions(self) -> list[tuple[UUID | None, Question]]:
        return [(c, question) for c, question in self.questions if question.is_open]

    @property
    def questions(self) -> list[tuple[UUID | None, Question]]:
        return [
            (level.community_id, question)
            for level in self.levels
            for question in level.carried.questions
        ]

    @property
    def is_open(self) -> bool:
        return bool(self.problems or self.later or self.open_questions)

    def sides(self, community_id: UUID | None = None) -> tuple[Effective, Effective] | None:
        """What stands and what would; None where the new version cannot stand at all."""
        ways = {level.community_id: level.carried.state for level in self.levels}
        if not ways:
            return None
        before = self.before.effective(self.since, community_id)
        return before, ways.get(community_id, ways[None])


def plan(
    book: Rulebook, *, tenant: Tenant, target: ModelVersion, since: date, answers: Answers
) -> Plan:
    """The upgrade to a version from a day on. Refused: NO_MODEL_IN_FORCE."""
    book.effective(since)
    running = book.adoption(since)
    assert running is not None
    adoption = Adoption(version=target, effective_from=since)
    above = [r for r in book.standing_layers(since) if r.kind != Layer.Kind.STREET]
    before = _on(running.version, running.effective_from, above)
    try:
        after = _on(target, since, above)
    except Refused as refused:
        return Plan(since, book, None, (), adoption, (), tuple(refused.faults))
    return _planned(book, tenant, since, before, after, answers, [adoption])


def plan_policy(
    book: Rulebook, *, tenant: Tenant, policy: Layer, since: date, answers: Answers
) -> Plan:
    """The same for a policy from above that does not fit what stands below it (M3). What is set here
    stands as far as it fits: a question is only what does not. Refused: NO_MODEL_IN_FORCE."""
    book.effective(since)
    running = book.adoption(since)
    assert running is not None
    standing = {r.kind: r for r in book.standing_layers(since) if r.kind != Layer.Kind.STREET}
    with_it = standing | {policy.kind: policy}
    before = _on(running.version, running.effective_from, list(standing.values()))
    try:
        after = _on(
            running.version,
            running.effective_from,
            [with_it[kind] for kind in Layer.Kind.values if kind in with_it],
        )
    except Refused as refused:
        return Plan(since, book, None, (), None, (), tuple(refused.faults))
    planned = _planned(book, tenant, since, before, after, answers, [policy], only_misfits=True)
    return planned


def _planned(
    book: Rulebook,
    tenant: Tenant,
    since: date,
    before: Effective,
    after: Effective,
    answers: Answers,
    new: list[Adoption | Layer],
    *,
    only_misfits: bool = False,
) -> Plan:
    """What becomes of the street office's layer and of each community's."""
    streets = book.layer(Layer.Kind.STREET, None, since)
    street = _level(None, streets, _street(tenant, streets), before, after, answers, only_misfits)
    levels = [street]
    with_street = under(before, spec_of(streets)) if streets else before
    for community_id in book.communities(since):
        layer = book.layer(Layer.Kind.COMMUNITY, community_id, since)
        if layer is not None:
            own, above = spec_of(layer), street.carried.state
            levels.append(
                _level(community_id, layer, own, with_street, above, answers, only_misfits)
            )
    layers = tuple(_rows(book, levels, tenant, since))
    book_after = book.plus(*new, *layers)
    problems = list(street.carried.problems)
    if not any(question.is_open for level in levels for question in level.carried.questions):
        # All of it again, by the way any change goes: and for each later day that is planned.
        problems = [told_below(fault) for fault in book_after.faults(since)]
    adoption = next((row for row in new if isinstance(row, Adoption)), None)
    return Plan(since, book, book_after, tuple(levels), adoption, layers, tuple(problems))


def plan_of(upgrade: Upgrade, tenant: Tenant) -> Plan:
    """What it comes to as the rules stand now; a day that is past by now counts as today. Nothing that is
    planned for later days may be left."""
    planned = plan(
        Rulebook.load(),
        tenant=tenant,
        target=upgrade.target,
        since=max(upgrade.effective_from, timezone.localdate()),
        answers=standing_answers(upgrade),
    )
    later = planned_after(planned.before, planned.since)
    return replace(planned, later=tuple(later)) if later else planned


def standing_answers(upgrade: Upgrade) -> Answers:
    """What was decided of it so far: the last word on each place."""
    return answers_of(upgrade.decisions.order_by("id"))


def answers_of(decisions: Iterable[UpgradeDecision]) -> dict[UUID | None, dict[Place, Answer]]:
    """What counts of the decisions, given in the order in which they were made: of one place and what
    holds it, the last word."""
    found: dict[UUID | None, dict[Place, Answer]] = {}
    for row in decisions:
        place = Aspect(row.aspect), row.path
        here = found.setdefault(row.community_id, {})
        if row.choice == UpgradeDecision.Choice.OPEN:
            here.pop(place, None)
            continue
        end_within(here, place)
        seen = Question(*place, row.old, row.new, row.own).seen
        here[place] = Answer(Decision(Choice(row.choice), row.value), seen)
    return found


def end_within(here: dict[Place, Answer], place: Place) -> None:
    """What was said of parts of a place ends with what is said of the whole; a part that is named
    after it counts on top of it."""
    if place[0] == Aspect.VALUE:
        for part in [one for one in here if is_part(one, place)]:
            del here[part]


def is_part(one: Place, of: Place) -> bool:
    """Whether a value's place lies within another one."""
    return one[0] == of[0] == Aspect.VALUE and one[1].startswith((f"{of[1]}.", f"{of[1]}["))


def _on(version: ModelVersion, since: date, above: list[Layer]) -> Effective:
    return stack(
        parse_document(version.document),
        parse_bounds(version.bounds),
        [spec_of(layer) for layer in above],
        base=base_of(version, since),
    )


def _street(tenant: Tenant, layer: Layer | None) -> LayerSpec:
    return spec_of(layer) if layer else LayerSpec(Layer.Kind.STREET, tenant.name)


def _level(
    community_id: UUID | None,
    layer: Layer | None,
    own: LayerSpec,
    before: Effective,
    after: Effective,
    answers: Answers,
    only_misfits: bool,
) -> Level:
    carried = carry(own, before=before, after=after, answers=answers.get(community_id, {}))
    if only_misfits:
        asked = tuple(q for q in carried.questions if q.decision or q.faults)
        carried = replace(carried, questions=asked)
    return Level(community_id, layer, carried, (before, after))


def _rows(book: Rulebook, levels: list[Level], tenant: Tenant, since: date) -> Iterable[Layer]:
    """The layers that become others: a row of each, and one for each later day on which what stood
    today was said again, such as to call off what had been planned."""
    for level in levels:
        kind = Layer.Kind.COMMUNITY if level.community_id else Layer.Kind.STREET
        carried = Layer(
            kind=kind,
            community_id=level.community_id,
            set_by=level.layer.set_by if level.layer else tenant.name,
            values=dict(level.carried.values),
            bounds={path: bound.plain() for path, bound in level.carried.bounds.items()},
            effective_from=since,
            reason=level.layer.reason if level.layer else "",
        )
        if content_of(carried) == content_of(level.layer):
            continue
        yield carried
        for day in _later_days(book, kind, level.community_id, since):
            yield Layer(
                kind=kind,
                community_id=level.community_id,
                set_by=carried.set_by,
                values=carried.values,
                bounds=carried.bounds,
                effective_from=day,
                reason=carried.reason,
            )


def planned_after(book: Rulebook, since: date) -> list[Adoption | Layer]:
    """What is to become another after a day: versions, and layers of the unit and its communities. What
    says again what stands on that day is no plan."""
    found: list[Adoption | Layer] = [a for a in book.adoptions if a.effective_from > since]
    for kind, community_id in {(r.kind, r.community_id) for r in book.layers if r.kind in BELOW}:
        today = content_of(book.layer(kind, community_id, since))
        for day in _later_days(book, kind, community_id, since):
            layer = book.layer(kind, community_id, day)
            if layer is not None and content_of(layer) != today:
                found.append(layer)
    return found


def refuse_before_later(book: Rulebook, since: date) -> None:
    """What is planned for later days was decided on the version of today, and would have to be decided
    anew as well: so an upgrade comes after it. Refused: LATER_CHANGES."""
    if later := planned_after(book, since):
        raise before_later(later)


def before_later(
    later: Sequence[Adoption | Layer], readable: Collection[UUID] | None = None
) -> Refused:
    """LATER_CHANGES for what is planned; readable: the communities whose layers are named, None for all."""
    message = _(
        "For {latest} something is decided already, by: {names}. Choose that day or a later one, or "
        "have it called off: set from that day on what stands today."
    )
    latest = max(row.effective_from for row in later)
    names = dict.fromkeys(_planner(row, readable) for row in later)
    return Refused(
        "LATER_CHANGES",
        format_lazy(
            message, latest=latest, names=format_lazy(", ".join(["{}"] * len(names)), *names)
        ),
        field="effectiveFrom",
        earliest=latest.isoformat(),
    )


def _planner(row: Adoption | Layer, readable: Collection[UUID] | None) -> StrOrPromise:
    if isinstance(row, Adoption):
        return str(row.version)
    hidden = readable is not None and row.community_id and row.community_id not in readable
    return _("another community") if hidden else row.set_by


def own_layer(book: Rulebook, community_id: UUID | None, on: date) -> Layer | None:
    """What the street office (None) or a community of it has set, as it stands on a day."""
    kind = Layer.Kind.COMMUNITY if community_id else Layer.Kind.STREET
    return book.layer(kind, community_id, on)


def set_first(book: Rulebook, layer: Layer, place: Place) -> Layer:
    """Of what a layer says at a place: the layer that said so first, of those that have gone on saying it
    since. A layer is set whole, so the last one may be about something else."""
    first = layer
    here = [r for r in book.layers if (r.kind, r.community_id) == (layer.kind, layer.community_id)]
    for earlier in reversed(here[: here.index(layer)]):
        if _said_at(earlier, place) != _said_at(layer, place):
            break
        first = earlier
    return first


def _said_at(layer: Layer, place: Place) -> str:
    aspect, path = place
    said = layer.bounds if aspect == Aspect.BOUND else layer.values
    return canonical({one: value for one, value in said.items() if paths.related(one, path)})


def content_of(layer: Layer | None) -> str:
    """What a layer says, in one spelling; of none: nothing."""
    return canonical((layer.values, layer.bounds) if layer else ({}, {}))


def _later_days(book: Rulebook, kind: str, community_id: UUID | None, since: date) -> list[date]:
    here = (r for r in book.layers if (r.kind, r.community_id) == (kind, community_id))
    return sorted({row.effective_from for row in here if row.effective_from > since})
