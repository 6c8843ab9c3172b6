"""Units on one model side by side, by figures that were rolled up (M7): no tenant's schema is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission, covered
from linli.comparison.measures import Measure, the_measure
from linli.comparison.models import Figure
from linli.errors import Refused
from linli.library.lineage import Runner, changes_of, of_one_model, runners
from linli.library.models import PublishedVersion

MOST_MEASURES = 10
# With fewer that reported, a median would tell one unit's figure.
LEAST_REPORTED = 3
_PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class PeerFigure:
    """One measure of one unit. ``as_of`` None: it never reported; ``value`` None with a day: it
    reported, but lacks what the measure takes. Neither is zero."""

    measure: Measure
    value: Decimal | None
    as_of: date | None


@dataclass(frozen=True)
class PeerMedian:
    """The middle of those units on a version that reported; None with fewer than three."""

    measure: Measure
    value: Decimal | None
    reported: int


@dataclass(frozen=True)
class PeerVersion:
    version: PublishedVersion
    units: int
    medians: list[PeerMedian]


@dataclass(frozen=True)
class Peer:
    """A unit that the actor may compare, with how many places and communities differ from the
    version it runs."""

    runner: Runner
    version: PublishedVersion
    changes: int
    communities: int
    figures: list[PeerFigure]


@dataclass(frozen=True)
class Peers:
    measures: list[Measure]
    versions: list[PeerVersion]
    units: list[Peer]


def peers(
    *,
    actor: Actor,
    version_id: UUID,
    measures: Sequence[str],
    on: date,
    under_id: UUID | None = None,
) -> Peers:
    """Those on any version of a version's model on a day, each with its latest figures up to it.

    By name come the units whose figures the actor may read, be it their own alone; into a version's
    medians goes every unit that runs it. ``under_id`` narrows both. Refused: NOT_FOUND, MEASURE_UNKNOWN,
    MEASURES_INVALID (none, more than ten, one twice).
    """
    actor.require_somewhere(Permission.COMPARISON_READ)
    chosen = _chosen(measures)
    versions = of_one_model(actor=actor, version_id=version_id)
    found = runners(actor=actor, versions=versions, on=on, under_id=under_id)
    figures = _figures(found, chosen, on)
    mine = set(
        covered(actor, Permission.COMPARISON_READ)
        .filter(pk__in=[one.tenant.pk for one in found])
        .values_list("pk", flat=True)
    )
    shown = [one for one in found if one.tenant.pk in mine]
    changes = changes_of(shown)
    by_key = {version.pk: version for version in versions}
    units = [
        Peer(
            runner=one,
            version=by_key[one.version_id],
            changes=changes[one.pk].count if one.pk in changes else 0,
            communities=changes[one.pk].communities if one.pk in changes else 0,
            figures=[_figure(measure, figures.get((one.pk, measure.key))) for measure in chosen],
        )
        for one in shown
    ]
    on_version: dict[UUID, list[Runner]] = defaultdict(list)
    for one in found:
        on_version[one.version_id].append(one)
    return Peers(
        measures=chosen,
        versions=[
            PeerVersion(
                version=version,
                units=len(on_version[version.pk]),
                medians=[
                    _median(
                        measure, (figures.get((u.pk, measure.key)) for u in on_version[version.pk])
                    )
                    for measure in chosen
                ],
            )
            for version in versions
        ],
        units=units,
    )


def _chosen(keys: Sequence[str]) -> list[Measure]:
    if not keys or len(keys) > MOST_MEASURES or len(set(keys)) < len(keys):
        message = _("Name 1 to {most} measures, each once.")
        told = format_lazy(message, most=MOST_MEASURES)
        raise Refused("MEASURES_INVALID", told, field="measures", most=MOST_MEASURES)
    return [the_measure(key, field=f"measures.{index}") for index, key in enumerate(keys)]


def _figures(
    found: Iterable[Runner], chosen: Iterable[Measure], on: date
) -> dict[tuple[UUID, str], Figure]:
    latest = (
        Figure.objects.filter(
            measure__in=[measure.key for measure in chosen],
            tenant__in=[one.pk for one in found],
            as_of__lte=on,
        )
        .order_by("measure", "tenant", "-as_of")
        .distinct("measure", "tenant")
    )
    return {(figure.tenant_id, figure.measure): figure for figure in latest}


def _figure(measure: Measure, figure: Figure | None) -> PeerFigure:
    if figure is None:
        return PeerFigure(measure, None, None)
    return PeerFigure(measure, figure.value, figure.as_of)


def _median(measure: Measure, figures: Iterable[Figure | None]) -> PeerMedian:
    values = [one.value for one in figures if one is not None and one.value is not None]
    middle = median(values).quantize(_PLACES) if len(values) >= LEAST_REPORTED else None
    return PeerMedian(measure, middle, len(values))
