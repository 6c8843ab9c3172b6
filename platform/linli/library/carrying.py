"""A layer carried over to other rules above it (M6): what stays, and what a person has to decide.

The rules above a layer change: another version of the model, a policy, the layer above. `carry` says
what the layer becomes. What does not clash is taken: what changed above where nothing was set here,
and what was set here where nothing changed above. Where both meet, or where what was set no longer
fits, there is a question with its three values; until it is decided, what was set stands. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import itemgetter
from typing import Any

from linli.errors import Refused
from linli.library import paths
from linli.library.bounds import Bound, parse_bounds
from linli.library.document import digest, parse_document, plain
from linli.library.layers import Effective, LayerSpec, under, with_values
from linli.library.limits import violations
from linli.library.merging import ABSENT, Choice, Decision, Meeting, Merge, at, same


class Aspect(StrEnum):
    """What of a place is in question."""

    VALUE = "value"
    BOUND = "bound"


Place = tuple[Aspect, str]
# The places a layer sets, each with the paths by which it said so; none where a person has spoken.
_Places = dict[paths.Steps, list[str]]


@dataclass(frozen=True)
class Answer:
    """A decision, and the question as it was then: of a question that has changed it says nothing."""

    decision: Decision
    seen: str


@dataclass(frozen=True)
class Question:
    """One place to decide, with its three values; None where nothing stands.

    `faults` say why what would stand there now cannot. For a bound, `old` and `new` are what bounds
    the place from above, `own` is the bound set here.
    """

    aspect: Aspect
    path: str
    old: Any
    new: Any
    own: Any
    decision: Decision | None = None
    faults: tuple[Refused, ...] = ()

    @property
    def place(self) -> Place:
        return self.aspect, self.path

    @property
    def is_open(self) -> bool:
        """Whether a person has yet to say something, or something else."""
        return self.decision is None or bool(self.faults)

    @property
    def seen(self) -> str:
        """Tells this question from the same place's another time."""
        return digest([self.old, self.new, self.own])

    @property
    def as_read(self) -> str:
        """The same, and what was decided of it: for who decides on what they have read."""
        if self.decision is None:
            return self.seen
        told = [str(self.decision.choice), self.decision.value]
        return digest([self.old, self.new, self.own, told])


@dataclass(frozen=True)
class Carried:
    """What a layer becomes, as far as is decided.

    state: the rules with it, for the layers below, as far as it fits. problems: what stands in the way
    and is not about what this layer sets; it may set something there. sides: the documents of before,
    of above now, and of here.
    """

    values: Mapping[str, Any]
    bounds: Mapping[str, Bound]
    questions: tuple[Question, ...]
    problems: tuple[Refused, ...]
    state: Effective
    sides: tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]

    def question_of(self, path: str) -> Question:
        """What is there to be asked of a value, whether it is in question or not."""
        place = (Aspect.VALUE, path)
        found = next((question for question in self.questions if question.place == place), None)
        return found or Question(
            *place, *(_shown(at(side, paths.steps(path))) for side in self.sides)
        )

    @property
    def is_open(self) -> bool:
        return bool(self.problems) or any(question.is_open for question in self.questions)


def carry(
    own: LayerSpec, *, before: Effective, after: Effective, answers: Mapping[Place, Answer]
) -> Carried:
    """The layer that stood on `before`, on `after`; both without it and with all above it.

    An answer may also name a place that is not in question: KEEP pins what stands there today, SET
    sets something else.
    """
    work = _Carrying(own, before, after)
    decided = {place: answer.decision for place, answer in answers.items()}
    while True:
        carried = work.carried(decided)
        stale = {
            question.place
            for question in carried.questions
            if question.place in decided and answers[question.place].seen not in ("", question.seen)
        }
        if not stale:
            return carried
        decided = {place: decision for place, decision in decided.items() if place not in stale}


class _Carrying:
    def __init__(self, own: LayerSpec, before: Effective, after: Effective) -> None:
        self.layer, self.before, self.after = own, before, after
        self.old, self.new = before.raw, after.raw
        with_own, _faults = with_values(before, own.values)  # none: it is in force
        self.own = plain(parse_document(with_own)) if own.values else self.old

    def carried(self, decided: Mapping[Place, Decision]) -> Carried:
        whole: set[paths.Steps] = set()
        while True:
            places, met, merged = self._merge(decided, whole)
            values = self._values(places, met, merged, decided)
            layer = replace(self.layer, values=values, bounds=self._bounds(decided))
            state, faults = _laid(self.after, layer)
            more = {place for fault in faults for place in self._as_one(fault, places)} - whole
            if not more:
                break
            whole |= more
        by_place, problems = self._whose(faults, places, layer)
        return Carried(
            values=values,
            bounds=layer.bounds,
            questions=tuple(self._questions(met, by_place, decided)),
            problems=tuple(problems),
            state=state or self._as_far_as_fits(layer, places),
            sides=(self.old, self.new, self.own),
        )

    def _merge(
        self, decided: Mapping[Place, Decision], whole: set[paths.Steps]
    ) -> tuple[_Places, dict[str, Meeting], Any]:
        """The places that this layer sets or is asked about, what met, and the merged document."""
        said = {paths.steps(path): d for (aspect, path), d in decided.items() if aspect == "value"}
        places: _Places = {}
        for path in self.layer.values:
            place = self._lifted(paths.steps(path))
            place = next((w for w in whole if place[: len(w)] == w), place)
            places.setdefault(place, []).append(path)
        for place, holder in self._put_here(places):
            places[holder] += places.pop(place)
        gone = {
            place
            for place in places
            if at(self.own, place) is ABSENT
            and at(self.new, place) is ABSENT
            and at(self.old, place) is not ABSENT
        }
        merge = Merge(set_here=set(places), whole=whole, gone=gone, decided=said)
        merged = merge.merged(self.old, self.new, self.own)
        for place, decision in said.items():
            if decision.choice != Choice.TAKE:
                places.setdefault(place, [])
        return places, {meeting.path: meeting for meeting in merge.met}, merged

    def _put_here(self, places: _Places) -> list[tuple[paths.Steps, paths.Steps]]:
        """The items that this layer put there with a whole list, and then took away or changed by a path
        of their own, each with the place of that list: nothing else has them, so they are a part of
        what it says of the list."""
        found = []
        for place in places:
            if at(self.old, place) is at(self.new, place) is ABSENT:
                holders = (one for one in places if one != place and place[: len(one)] == one)
                found += [(place, holder) for holder in list(holders)[:1]]
        return found

    def _lifted(self, place: paths.Steps) -> paths.Steps:
        """The place, or what holds it, that the document above can have set: an item that is gone
        there can only come back whole, and an object of another form only as one."""
        for length in range(1, len(place) + 1):
            if at(self.new, place[:length]) is ABSENT:
                return place[:length] if place[length - 1].startswith("[") else place[: length - 1]
        return place

    def _values(
        self,
        places: _Places,
        met: Mapping[str, Meeting],
        merged: Any,
        decided: Mapping[Place, Decision],
    ) -> dict[str, Any]:
        """What the layer sets, in the order in which it said it."""
        order = {path: at for at, path in enumerate(self.layer.values)}
        last = len(order)
        ranked = [
            (order.get(path, order[said[0]] if said else last), path, value)
            for place, said in places.items()
            for path, value in self._value(place, said, met, merged, decided)
        ]
        return {path: value for _rank, path, value in sorted(ranked, key=itemgetter(0))}

    def _value(
        self,
        place: paths.Steps,
        written: list[str],
        met: Mapping[str, Meeting],
        merged: Any,
        decided: Mapping[Place, Decision],
    ) -> Iterator[tuple[str, Any]]:
        taken = [
            paths.steps(path)
            for path in met
            if (d := decided.get((Aspect.VALUE, path))) and d.choice == Choice.TAKE
        ]
        path, value, new = paths.join(place), at(merged, place), at(self.new, place)
        gives_way = any(t[: len(place)] == place or place[: len(t)] == t for t in taken) and same(
            value, new
        )
        said = decided.get((Aspect.VALUE, path))
        if said and path not in met and said.choice == Choice.SET:
            yield path, said.value  # an item that no side has
        elif gives_way or (value is ABSENT and new is ABSENT):
            return
        elif path in written and same(value, at(self.own, place)):
            # As it was written, to the letter, with what was written of parts of it.
            yield from ((one, self.layer.values[one]) for one in written)
        else:
            yield path, None if value is ABSENT else value

    def _bounds(self, decided: Mapping[Place, Decision]) -> dict[str, Bound]:
        kept = dict(self.layer.bounds)
        for path in self.layer.bounds:
            decision = decided.get((Aspect.BOUND, path))
            if decision and decision.choice == Choice.TAKE:
                del kept[path]
            elif decision and decision.choice == Choice.SET:
                kept |= parse_bounds({path: decision.value})
        return kept

    def _as_one(self, fault: Refused, places: _Places) -> Iterator[paths.Steps]:
        """Where a fault is of a whole that places of this layer are parts of, such as shares that
        sum to one: no part can be decided without the others."""
        place = _steps(fault)
        if fault.code != "DOCUMENT_INVALID" or not place or at(self.new, place) is ABSENT:
            return
        if any(one[: len(place)] == place and one != place for one in places):
            yield place

    def _whose(
        self, faults: list[Refused], places: _Places, layer: LayerSpec
    ) -> tuple[dict[Place, list[Refused]], list[Refused]]:
        """Each fault at the places of this layer that it is about; and those that are there without it.

        Where what was set has given way, and what stands there now does not fit a bound set here, it
        is the bound that is in question.
        """
        found: dict[Place, list[Refused]] = {}
        problems = []
        for fault in faults:
            place, told = _steps(fault), []
            if place and not fault.code.startswith("BOUND_"):
                told = [
                    (Aspect.VALUE, paths.join(one))
                    for one in places
                    if one[: len(place)] == place or place[: len(one)] == one
                ]
            if place and not any(path in layer.values for _aspect, path in told):
                told = [(Aspect.BOUND, b) for b in layer.bounds if _covers(b, place)] or told
            told = told or self._behind(fault, places, layer)
            for one in told:
                found.setdefault(one, []).append(fault)
            if not told:
                problems.append(fault)
        return found, problems

    def _behind(self, fault: Refused, places: _Places, layer: LayerSpec) -> list[Place]:
        """The places without any of which it would not be, such as an item that was taken away here and
        that something new elsewhere names; all of them where it takes several; none where it is there
        without this layer."""
        each = [(Aspect.VALUE, paths.join(place)) for place in places]
        each += [(Aspect.BOUND, path) for path in layer.bounds]
        if self._has(fault, _without(layer, each)):
            return []
        return [one for one in each if not self._has(fault, _without(layer, [one]))] or each

    def _has(self, fault: Refused, layer: LayerSpec) -> bool:
        _state, faults = _laid(self.after, layer)
        return any((one.code, _steps(one)) == (fault.code, _steps(fault)) for one in faults)

    def _questions(
        self,
        met: Mapping[str, Meeting],
        by_place: Mapping[Place, list[Refused]],
        decided: Mapping[Place, Decision],
    ) -> Iterator[Question]:
        bounds = [path for aspect, path in {**by_place, **decided} if aspect == Aspect.BOUND]
        # What was said of a place that nothing meets at is shown too, and only counts while it is.
        said = [path for aspect, path in {**by_place, **decided} if aspect == Aspect.VALUE]
        values = dict.fromkeys([*met, *said])
        for path in values:
            place = paths.steps(path)
            meeting = met.get(path) or Meeting(
                path, at(self.old, place), at(self.new, place), at(self.own, place)
            )
            key = (Aspect.VALUE, path)
            yield Question(
                *key,
                _shown(meeting.old),
                _shown(meeting.new),
                _shown(meeting.own),
                decided.get(key),
                tuple(by_place.get(key, ())),
            )
        for path in dict.fromkeys(bounds):
            if path in self.layer.bounds:
                key = (Aspect.BOUND, path)
                yield Question(
                    *key,
                    _limits(self.before, path),
                    _limits(self.after, path),
                    self.layer.bounds[path].plain(),
                    decided.get(key),
                    tuple(by_place.get(key, ())),
                )

    def _as_far_as_fits(self, layer: LayerSpec, places: _Places) -> Effective:
        """What those below are shown until this layer is decided."""
        state, faults = _laid(self.after, layer)
        while state is None:
            in_question, _problems = self._whose(faults, places, layer)
            fewer = _without(layer, in_question)
            if fewer == layer:
                return self.after
            layer = fewer
            state, faults = _laid(self.after, layer)
        return state


def _without(layer: LayerSpec, left_out: Collection[Place]) -> LayerSpec:
    """What it says elsewhere than at these places."""
    values = [paths.steps(path) for aspect, path in left_out if aspect == Aspect.VALUE]
    return replace(
        layer,
        values={
            path: value
            for path, value in layer.values.items()
            if not any(paths.steps(path)[: len(place)] == place for place in values)
        },
        bounds={
            path: bound
            for path, bound in layer.bounds.items()
            if (Aspect.BOUND, path) not in left_out
        },
    )


def _laid(above: Effective, layer: LayerSpec) -> tuple[Effective | None, list[Refused]]:
    """The rules with the layer, None where it cannot stand; and all that is wrong with the result."""
    try:
        state = under(above, layer)
    except Refused as refused:
        return None, list(refused.faults)
    return state, list(violations(state.raw, state.in_force))


def _steps(fault: Refused) -> paths.Steps | None:
    path = fault.data.get("path") or fault.field
    try:
        return paths.steps(path) if path else None
    except Refused:
        return None


def _shown(side: Any) -> Any:
    return None if side is ABSENT else side


def _covers(bound: str, place: paths.Steps) -> bool:
    pattern = paths.steps(bound)
    return len(pattern) == len(place) and all(
        one in (other, paths.EVERY) for one, other in zip(pattern, place, strict=True)
    )


def _limits(rules: Effective, path: str) -> dict[str, Any] | None:
    """What bounds a place from above, as JSON values; None where nothing does, or it is not there."""
    if not paths.exists(rules.raw, path):
        return None
    limits = rules.bound(path)
    return None if limits is None else {"locked": limits.locked_by is not None, **limits.plain()}
