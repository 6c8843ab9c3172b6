"""Rules between the fields about partners (P1 to P8)."""

from __future__ import annotations

from collections.abc import Iterator

from linli.errors import Refused
from linli.library.document.between import above, unknown
from linli.library.document.faults import own_fault
from linli.library.document.model import OperatingModel
from linli.library.document.sections.agreements import AgreementDefaults
from linli.library.document.sections.partners import Mechanism

_FEWEST_DAYS = 28  # of a month


def partner_contradictions(document: OperatingModel) -> Iterator[Refused]:
    """What does not go together about kinds, mechanisms, incentives and agreements."""
    rules = document.partners
    kinds, place = [kind.key for kind in rules.kinds], "partners.kinds"
    for item in rules.admission:
        yield from unknown(f"partners.admission[{item.key}].kinds", item.kinds, place, kinds)
    for mechanism in rules.mechanisms:
        field = f"partners.mechanisms[{mechanism.key}]"
        yield from unknown(f"{field}.kinds", mechanism.kinds, place, kinds)
        yield from _of_its_form(mechanism, field)
    stars = [level.stars for level in document.evaluation.stars]
    for incentive in rules.incentives:
        field = f"partners.incentives[{incentive.key}]"
        yield from unknown(f"{field}.kind", [incentive.kind], place, kinds)
        yield from _given(f"{field}.stars_at_least", incentive.stars_at_least, stars)
    yield from _agreement(rules.agreement, rules.rent_free_months)


def _of_its_form(mechanism: Mechanism, field: str) -> Iterator[Refused]:
    if mechanism.catalogue and mechanism.form != "service_purchase":
        yield own_fault(
            "only_with", f"{field}.catalogue", other=f"{field}.form", allowed=["service_purchase"]
        )
    if mechanism.residents_share_at_most is not None and mechanism.form != "shares":
        place = f"{field}.residents_share_at_most"
        yield own_fault("only_with", place, other=f"{field}.form", allowed=["shares"])


def _given(field: str, wanted: int | None, stars: list[int]) -> Iterator[Refused]:
    """A star level that the evaluation gives."""
    if wanted is None:
        return
    if not stars:
        yield own_fault("no_stars_at_all", field)
    elif wanted > max(stars):
        yield own_fault("no_stars", field, value=wanted, most=max(stars))


def _agreement(agreement: AgreementDefaults, rent_free_months: int) -> Iterator[Refused]:
    field, months = "partners.agreement", agreement.longest_term_months
    if agreement.utilities_partner_share is not None and agreement.utilities != "shared":
        place = f"{field}.utilities_partner_share"
        yield own_fault("only_with", place, other=f"{field}.utilities", allowed=["shared"])
    term = f"{field}.longest_term_months"
    yield from above("partners.rent_free_months", rent_free_months, term, months)
    days = None if months is None else months * _FEWEST_DAYS
    reminder = agreement.renewal_reminder_days
    if reminder is not None and days is not None and reminder >= days:
        place = f"{field}.renewal_reminder_days"
        yield own_fault("reminder", place, value=reminder, months=months, most=days - 1)
