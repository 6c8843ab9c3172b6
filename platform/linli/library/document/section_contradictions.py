"""Rules between the fields of the other sections, each within its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import get_args

from linli.errors import Refused
from linli.library.document.between import above, unknown
from linli.library.document.faults import own_fault
from linli.library.document.model import OperatingModel
from linli.library.document.parts import decimal_text
from linli.library.document.sections.evaluation import EvaluationRules
from linli.library.document.sections.meetings import JointMeeting
from linli.library.document.sections.onboarding import StagePhase
from linli.library.document.sections.points import PointRules
from linli.library.document.sections.services import ServiceRules
from linli.library.document.sections.venues import VenueStandard

_PHASES: list[str] = list(get_args(StagePhase))


def section_contradictions(document: OperatingModel) -> Iterator[Refused]:
    """What does not go together within evaluation, services, points, venues, meetings, needs."""
    yield from _evaluation(document.evaluation)
    yield from _services(document.services)
    yield from _points(document.points)
    yield from _venues(document.venues)
    yield from _meetings(document.meetings.joint)
    needs = document.needs
    yield from _once("needs.ledgers", {item.key: item.kind for item in needs.ledgers})
    yield from _once("needs.care_groups", {item.key: item.colour for item in needs.care_groups})
    for one, other in pairwise(document.onboarding.stages):
        if _PHASES.index(one.phase) > _PHASES.index(other.phase):
            yield own_fault(
                "order", f"onboarding.stages[{other.key}].phase",
                value=other.phase, other=one.phase, allowed=_PHASES,
            )  # fmt: skip


def _once(place: str, values: dict[str, str]) -> Iterator[Refused]:
    """Each of several items says another value."""
    seen: dict[str, str] = {}
    for key, value in values.items():
        other = seen.setdefault(value, key)
        if other != key:
            yield own_fault("same_again", f"{place}[{key}]", other=f"{place}[{other}]")


def _evaluation(rules: EvaluationRules) -> Iterator[Refused]:
    forms = [form.key for form in rules.forms]
    for criterion in rules.criteria:
        field = f"evaluation.criteria[{criterion.key}]"
        if criterion.form is not None and criterion.source != "inspection":
            yield own_fault(
                "only_with", f"{field}.form", other=f"{field}.source", allowed=["inspection"]
            )
        yield from unknown(f"{field}.form", [criterion.form], "evaluation.forms", forms)
    for form in rules.forms:
        total = sum(check.points for check in form.checks)
        if total != 100:
            yield own_fault("checks_sum", f"evaluation.forms[{form.key}].checks", sum=total)
    for lower, higher in pairwise(rules.stars):
        for name in ("stars", "from_score"):
            least, value = getattr(lower, name), getattr(higher, name)
            if value <= least:
                field = f"evaluation.stars[{higher.key}].{name}"
                other = f"evaluation.stars[{lower.key}].{name}"
                yield own_fault("below", field, value=value, other=other, least=least)

    top = max(rules.stars, key=lambda level: level.from_score, default=None)
    if top and rules.pass_line > top.from_score:
        yield own_fault(
            "stars_below_the_line", "evaluation.pass_line",
            value=rules.pass_line, other=f"evaluation.stars[{top.key}].from_score", most=top.from_score,
        )  # fmt: skip


def _services(rules: ServiceRules) -> Iterator[Refused]:
    classes = [price.key for price in rules.price_classes]
    ceilings = {price.key: price.ceiling_fen for price in rules.price_classes}
    low, market = (f"services.price_classes[{key}].ceiling_fen" for key in ("low_cost", "market"))
    yield from above(low, ceilings.get("low_cost"), market, ceilings.get("market"))
    for discount in rules.discounts:
        field = f"services.discounts[{discount.key}].classes"
        yield from unknown(field, discount.classes, "services.price_classes", classes)
        if "free" in discount.classes:
            yield own_fault("free_discount", field)
    levels = rules.ratings.levels
    sound = min((one for one in levels if not one.fault), key=lambda one: one.score, default=None)
    for level in levels:
        if sound and level.fault and level.score >= sound.score:
            yield own_fault(
                "fault_scores_well", f"services.ratings.levels[{level.key}].score",
                value=level.key, score=level.score, other=sound.key, least=sound.score,
            )  # fmt: skip
    if rules.ratings.follow_up_days is not None and not any(level.fault for level in levels):
        yield own_fault("no_fault_level", "services.ratings.follow_up_days")


def _points(rules: PointRules) -> Iterator[Refused]:
    for earn in rules.earn:
        field = f"points.earn[{earn.key}]"
        yield from above(f"{field}.points", earn.points, f"{field}.most_a_month", earn.most_a_month)
        yield from above(f"{field}.points", earn.points, "points.most_held", rules.most_held)
    for redeem in rules.redeem:
        field = f"points.redeem[{redeem.key}]"
        yield from above(f"{field}.points", redeem.points, "points.most_held", rules.most_held)
        if redeem.worth_fen is None or rules.fen_per_point is None:
            continue
        right = redeem.points * rules.fen_per_point
        if redeem.worth_fen != right:
            yield own_fault(
                "differs", f"{field}.worth_fen",
                value=redeem.worth_fen, other="points.fen_per_point", right=right,
            )  # fmt: skip


def _venues(rules: VenueStandard) -> Iterator[Refused]:
    recommended = "venues.recommended_area_m2"
    yield from above(
        "venues.min_area_m2", rules.min_area_m2, recommended, rules.recommended_area_m2
    )
    for aspect in rules.aspects:
        for function in aspect.functions:
            field = f"venues.aspects[{aspect.key}].functions[{function.key}].min_area_m2"
            needed = function.min_area_m2
            yield from above(field, needed, recommended, rules.recommended_area_m2)
    least, most = rules.reserved_floor_share, rules.reserved_floor_share_at_most
    if least is not None and most is not None and least > most:
        yield own_fault(
            "above", "venues.reserved_floor_share", value=decimal_text(least),
            other="venues.reserved_floor_share_at_most", most=decimal_text(most),
        )  # fmt: skip


def _meetings(joint: JointMeeting) -> Iterator[Refused]:
    weekday, week = "meetings.joint.weekday", "meetings.joint.week_of_month"
    if joint.day_of_month is not None and joint.weekday is not None:
        yield own_fault("either_or", weekday, other="meetings.joint.day_of_month")
    if joint.weekday is not None and joint.week_of_month is None:
        yield own_fault("needs", weekday, other=week)
    if joint.week_of_month is not None and joint.weekday is None:
        yield own_fault("needs", week, other=weekday)
    if joint.month_of_quarter is not None and joint.cadence != "quarterly":
        field = "meetings.joint.month_of_quarter"
        yield own_fault("only_with", field, other="meetings.joint.cadence", allowed=["quarterly"])
