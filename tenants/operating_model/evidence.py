"""What a version is published with as evidence: measured by the platform, typed in by nobody (M4).

The figures are those that were rolled up every night for supervisors (`linli.comparison`). Where the
model ran is told in numbers that are nobody's: of fewer than `FEW` communities neither profiles nor
residents, for a sum over one community is that community's own figure.
"""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linli.comparison.measures import measures
from linli.comparison.models import Figure
from linli.errors import Refused
from linli.registry.models import Tenant
from tenants.communities.models import Community
from tenants.operating_model.models import ModelVersion
from tenants.operating_model.rulebook import Rulebook

FEW = 3
# How old what stood at the start may be: figures come every night, and on demand.
RECENT = timedelta(days=31)


def check_period(starts_on: date | None, ends_on: date | None) -> tuple[date, date] | None:
    """The period from ``starts_on`` until before ``ends_on``, which is over; None where none is given.

    Refused: PERIOD_INVALID.
    """
    if starts_on is None and ends_on is None:
        return None
    if starts_on is None or ends_on is None or starts_on >= ends_on:
        message = _("A period has a first day, and a later day that is not included any more.")
        raise Refused("PERIOD_INVALID", message, field="evidenceEndsOn")
    if ends_on > timezone.localdate():
        message = _("The period is not over yet. Let it end today at the latest.")
        raise Refused("PERIOD_INVALID", message, field="evidenceEndsOn")
    return starts_on, ends_on


def measured_outcomes(tenant: Tenant, starts_on: date, ends_on: date) -> dict[str, dict[str, Any]]:
    """By measure what was measured of the tenant in a period: the last figure in it, and what stood at
    its start, if anything was measured in the month before. A measure without any is there as missing;
    so is one that counts from 1 January (`Measure.of_year`) where the period is not of one year.

    Values as exact decimals in text, in the measure's unit. Refused: EVIDENCE_MISSING where nothing
    at all was measured.
    """
    day = timedelta(days=1)
    ends = _latest(tenant, starts_on, ends_on - day)
    starts = _latest(tenant, starts_on - RECENT, starts_on - day)
    if starts_on.year != (ends_on - day).year:
        for measure in measures():
            if measure.of_year:  # it would leave out what came before the last 1 January
                ends.pop(measure.key, None)
                starts.pop(measure.key, None)
    if all(figure.value is None for figure in ends.values()):
        message = _(
            "Nothing was measured here in this period. Choose another, have the figures of its last day "
            "worked out first, or publish without a period, which is shown as without evidence."
        )
        raise Refused("EVIDENCE_MISSING", message, field="evidenceStartsOn")
    missing = {"value": None, "as_of": (ends_on - day).isoformat()}
    return {
        measure.key: {
            **(_told(ends[measure.key]) if measure.key in ends else missing),
            **_as_start(starts.get(measure.key)),
            "unit": measure.unit.value,
        }
        for measure in measures()
        if tenant.kind in measure.kinds
    }


def where_it_ran(version: ModelVersion, starts_on: date, ends_on: date) -> dict[str, Any]:
    """How many days of a period the author's communities ran the model, in any of its versions; how
    many communities those are, by profile, and their residents together.

    ``communities`` None: fewer than `FEW` of them. ``residents`` None: known of fewer than `FEW`;
    ``residents_of``: of how many communities they are. Refused: EVIDENCE_MISSING where it was in force
    on no day of it.
    """
    runs = _in_force(version, starts_on, ends_on)
    if not runs:
        message = _(
            "This model was not in force here on any day of this period, so nothing measured in it is "
            "evidence of it. Choose another period, or publish without one."
        )
        raise Refused("EVIDENCE_MISSING", message, field="evidenceStartsOn")
    days = sum((until - since).days for since, until in runs)
    # Who came on board after its last day has not run it.
    there = Community.objects.filter(opened_on__lt=runs[-1][1])
    told = list(there.values_list("profile", "residents"))
    few = 0 < len(told) < FEW
    known = [residents for _profile, residents in told if residents is not None]
    profiles = Counter(profile for profile, _residents in told)
    return {
        "days": days,
        "communities": None if few else len(told),
        "profiles": {} if few else {key: profiles[key] for key in sorted(profiles)},
        "residents": None if len(known) < FEW else sum(known),
        "residents_of": 0 if len(known) < FEW else len(known),
    }


def _in_force(version: ModelVersion, starts_on: date, ends_on: date) -> list[tuple[date, date]]:
    """The days of a period on which any version of the model was in force, as runs [since, until)."""
    book = Rulebook.load()
    changes = {one.effective_from for one in book.adoptions if starts_on < one.effective_from}
    marks = [starts_on, *sorted(day for day in changes if day < ends_on), ends_on]
    model = (version.author_id, version.key)
    return [
        (since, until)
        for since, until in pairwise(marks)
        if (running := book.adoption(since))
        and (running.version.author_id, running.version.key) == model
    ]


def _latest(tenant: Tenant, since: date, until: date) -> dict[str, Figure]:
    """Of each measure the last figure of these days, both included."""
    figures = Figure.objects.filter(tenant=tenant, as_of__range=(since, until))
    latest = figures.order_by("measure", "-as_of").distinct("measure")
    return {figure.measure: figure for figure in latest}


def _told(figure: Figure) -> dict[str, Any]:
    return {"value": _exact(figure.value), "as_of": figure.as_of.isoformat()}


def _as_start(figure: Figure | None) -> dict[str, Any]:
    if figure is None:
        return {"start_value": None, "start_as_of": None}
    return {"start_value": _exact(figure.value), "start_as_of": figure.as_of.isoformat()}


def _exact(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
