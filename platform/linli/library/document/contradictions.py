"""Rules between the fields of a document, which no single field can break."""

from __future__ import annotations

from collections.abc import Iterator

from linli.errors import Refused
from linli.library.document.contribution_contradictions import contribution_contradictions
from linli.library.document.faults import own_fault
from linli.library.document.fund_contradictions import fund_contradictions
from linli.library.document.life_contradictions import life_contradictions
from linli.library.document.model import OperatingModel
from linli.library.document.partner_contradictions import partner_contradictions
from linli.library.document.section_contradictions import section_contradictions
from linli.library.document.step_contradictions import step_contradictions


def contradictions(document: OperatingModel) -> Iterator[Refused]:
    """What does not go together in a document whose fields are each valid."""
    yield from _free_costs_nothing(document)
    yield from _each_function_once(document)
    yield from contribution_contradictions(document)
    yield from partner_contradictions(document)
    yield from life_contradictions(document.partners.life)
    yield from fund_contradictions(document.fund)
    yield from step_contradictions(document.fund)
    yield from section_contradictions(document)


def _free_costs_nothing(document: OperatingModel) -> Iterator[Refused]:
    for price in document.services.price_classes:
        if price.key == "free" and price.ceiling_fen:
            yield own_fault("free_ceiling", "services.price_classes[free].ceiling_fen", allowed=[0])


def _each_function_once(document: OperatingModel) -> Iterator[Refused]:
    aspect_of: dict[str, str] = {}
    for aspect in document.venues.aspects:
        for function in aspect.functions:
            other = aspect_of.setdefault(function.key, aspect.key)
            if other != aspect.key:
                field = f"venues.aspects[{aspect.key}].functions[{function.key}]"
                yield own_fault("repeated_function", field, value=function.key, other=other)
