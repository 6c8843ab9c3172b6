"""What this tenant decided, by day: the rules that were, are and will be in force (M2, M3)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import chain, pairwise
from typing import TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.kept import Kept
from linli.library.bounds import Origin, parse_bounds
from linli.library.document import canonical, parse_document
from linli.library.layers import Effective, LayerSpec, resolve
from linli.tenancy.context import current_schema
from tenants.operating_model.models import Adoption, Layer, ModelVersion
from tenants.operating_model.stamps import deciding, stamp_of

# What decides about one and the same: the authority and, where it is a community's, which one.
Place = tuple[str, UUID | None]

_Row = TypeVar("_Row", Adoption, Layer)
_DEEPEST_LAST = Layer.Kind.values
_ROW = 500


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """A transaction in which nobody else decides about this tenant's rules.

    What is checked against the rules as they stand must still hold when it is written. Adoptions and
    layers are written nowhere else, for at its end every process is told of them.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"operating_model of {current_schema()}"],
            )
        with deciding():
            yield


def decided_at(place: Place) -> int:
    """How many layers were decided for a place so far; whatever day they count from."""
    kind, community_id = place
    return Layer.objects.filter(kind=kind, community=community_id).count()


@dataclass(frozen=True)
class Rulebook:
    """Adoptions and layers in force, each in the order in which one replaces another.

    Rows that are not saved may stand in it: it then tells what they would do. As it stands, without
    a query: `tenants.operating_model.warm`.
    """

    adoptions: tuple[Adoption, ...]
    layers: tuple[Layer, ...]

    @classmethod
    def load(cls) -> Rulebook:
        """As it stands: two queries. Between them others may decide, but for `one_at_a_time`."""
        order = ("effective_from", "decided_at", "id")
        in_force = Layer.objects.filter(state=Layer.State.IN_FORCE)
        return cls(
            tuple(Adoption.objects.select_related("version").order_by(*order)),
            tuple(in_force.order_by(*order)),
        )

    @cached_property
    def stamp(self) -> str:
        """What it was made from, as one value (`tenants.operating_model.stamps`)."""
        rows: Iterator[Adoption | Layer] = chain(self.adoptions, self.layers)
        return stamp_of((row.pk, row.effective_from) for row in rows)

    def weight(self) -> int:
        """Characters of JSON in it; a row without any is some too."""
        documents = {row.version_id: row.version for row in self.adoptions}.values()
        held = chain(
            ((one.document, one.bounds) for one in documents),
            ((one.values, one.bounds) for one in self.layers),
        )
        return sum(_ROW + len(canonical(one)) for one in held) + _ROW * len(self.adoptions)

    def plus(self, *rows: Adoption | Layer | None) -> Rulebook:
        """With these as well; of several for one day they are the last."""
        adoptions = (*self.adoptions, *(row for row in rows if isinstance(row, Adoption)))
        layers = (*self.layers, *(row for row in rows if isinstance(row, Layer)))
        return Rulebook(
            tuple(sorted(adoptions, key=lambda row: row.effective_from)),
            tuple(sorted(layers, key=lambda row: row.effective_from)),
        )

    def adoption(self, on: date) -> Adoption | None:
        """The one in force on a day."""
        return _last(self.adoptions, on)

    def layer(self, kind: str, community_id: UUID | None, on: date) -> Layer | None:
        """The one of a place that is in force on a day."""
        return _last(self._by_place.get((kind, community_id), ()), on)

    @cached_property
    def _by_place(self) -> dict[Place, list[Layer]]:
        places: dict[Place, list[Layer]] = {}
        for row in self.layers:
            places.setdefault((row.kind, row.community_id), []).append(row)
        return places

    def effective(self, on: date, community_id: UUID | None = None) -> Effective:
        """The rule of a day, for the whole tenant or one community.

        Refused: NO_MODEL_IN_FORCE, or what `resolve` refuses if a row in it is not saved.
        """
        adoption = self.adoption(on)
        if adoption is None:
            message = _(
                "No operating model is in force on {day}. Adopt one from that day or earlier."
            )
            raise Refused("NO_MODEL_IN_FORCE", format_lazy(message, day=on), day=on.isoformat())
        return _effective(adoption, self.standing_layers(on, community_id))

    def standing_layers(self, on: date, community_id: UUID | None = None) -> tuple[Layer, ...]:
        """The layers in force on a day, the deepest last."""
        standing = [
            self.layer(kind, community_id if kind == Layer.Kind.COMMUNITY else None, on)
            for kind in _DEEPEST_LAST
        ]
        return tuple(layer for layer in standing if layer is not None)

    def communities(self, on: date) -> list[UUID]:
        """Those with a layer of their own on a day or before, in a fixed order."""
        found = {r.community_id for r in self.layers if r.community_id and r.effective_from <= on}
        return sorted(found, key=str)

    def timeline(
        self, starts_on: date, ends_on: date, community_id: UUID | None = None
    ) -> list[tuple[date, date, Effective]]:
        """The days [starts_on, ends_on) as the longest runs [from, to) of equal rules, in order.

        Equal: every value, where it came from and what bounds it. Refused: NO_MODEL_IN_FORCE.
        """
        changes = (day for day in self.days_of_change(starts_on) if day < ends_on)
        runs: list[tuple[date, date, Effective]] = []
        for day, until in pairwise([starts_on, *changes, ends_on]):
            rules = self.effective(day, community_id)
            if runs and _same(runs[-1][2], rules):
                first, _end, rules = runs.pop()
                day = first
            runs.append((day, until, rules))
        return runs

    def days_of_change(self, after: date) -> list[date]:
        """The days after this one on which something is replaced."""
        days = {row.effective_from for row in self.adoptions}
        days |= {row.effective_from for row in self.layers}
        return sorted(day for day in days if day > after)

    def faults(self, since: date) -> list[Refused]:
        """Why these rules cannot stand, from a day on: for the tenant or one of its communities.

        One refusal for each layer that breaks a rule, on the first day on which it does; `resolve`
        names it in ``data["layer"]``. Days without a model have no rules to break.
        """
        found: dict[str, Refused] = {}
        days = [day for day in (since, *self.days_of_change(since)) if self.adoption(day)]
        for day in days:
            for community_id in (None, *self.communities(day)):
                try:
                    self.effective(day, community_id)
                except Refused as refused:
                    layer = refused.data.get("layer") or {}
                    found.setdefault(str(layer.get("ref")), refused)
        return list(found.values())


def _same(one: Effective, other: Effective) -> bool:
    return one is other or (one.digest == other.digest and one.in_force == other.in_force)


def _last(rows: Sequence[_Row], on: date) -> _Row | None:
    """Of rows in the order of their days."""
    position = bisect_right(rows, on, key=lambda row: row.effective_from)
    return rows[position - 1] if position else None


# Room in characters of JSON; in memory one takes about 22 bytes for each.
_rules: Kept[Hashable, Effective] = Kept(4_000, 3_000_000, lambda rules: rules.weight)


def _effective(adoption: Adoption, layers: Sequence[Layer]) -> Effective:
    """Rows are equal by their ids and written once, so what follows from them may be kept: one object
    for all communities without a layer of their own.

    Days are part of the key because a policy that clashed comes into force on a later one, and the
    schema because a copy of a tenant has the same ids.
    """
    rows: tuple[Adoption | Layer, ...] = (adoption, *layers)
    key = (current_schema(), *((row.pk, row.effective_from) for row in rows))
    return _rules.get(key) or _rules.keep(key, _resolved(adoption, layers))


def _resolved(adoption: Adoption, layers: Sequence[Layer]) -> Effective:
    version = adoption.version
    return resolve(
        parse_document(version.document),
        parse_bounds(version.bounds),
        [spec_of(layer) for layer in layers],
        base=base_of(version, adoption.effective_from),
    )


def spec_of(layer: Layer) -> LayerSpec:
    """A row as the rule engine takes it."""
    return LayerSpec(
        kind=layer.kind,
        name=layer.set_by,
        values=layer.values,
        bounds=parse_bounds(layer.bounds),
        since=layer.effective_from,
        ref=layer.pk,
    )


def base_of(version: ModelVersion, since: date) -> Origin:
    """Who stands behind what the version itself says."""
    return Origin("model", version.author_name, since, version.pk)
