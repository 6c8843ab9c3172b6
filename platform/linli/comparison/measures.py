"""What can be compared: each measure with its definition, unit, direction and source.

A domain states its measures in a module ``measures`` of its own, found when the platform starts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.money import yuan
from linli.registry.models import Tenant

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Direction(models.TextChoices):
    """What is better."""

    MORE = "more", _("more is better")
    LESS = "less", _("less is better")


class Unit(models.TextChoices):
    """What a measure is counted in."""

    COUNT = "count", _("number")
    FEN = "fen", _("fen")
    SHARE = "share", _("share of 1")


def as_text(value: Decimal, unit: Unit) -> str:
    """As people read it: fen in yuan as 1,234.50, a share of 1 as 12.5 %, a number as 1,234."""
    if unit == Unit.FEN:
        return yuan(int(value.to_integral_value(ROUND_HALF_UP)))
    if unit == Unit.SHARE:
        return f"{_plain(value * 100)} %"
    return _plain(value)


def _plain(value: Decimal) -> str:
    return format(value.normalize(), ",f")


@dataclass(frozen=True)
class Measure:
    """One measure. ``work_out`` runs inside the tenant's schema, for the end of a day; None means
    that the tenant has not what it takes. ``kinds``: the tenants it is worked out for. ``of_year``: it
    counts from 1 January of the day's year."""

    key: str
    title: "StrOrPromise"
    unit: Unit
    direction: Direction
    source: "StrOrPromise"
    definition: "StrOrPromise"
    work_out: Callable[[date], Decimal | int | None]
    kinds: frozenset[Tenant.Kind] = frozenset({Tenant.Kind.STREET, Tenant.Kind.CITY})
    of_year: bool = False


_by_key: dict[str, Measure] = {}


def register(measure: Measure) -> None:
    if measure.key in _by_key:
        raise ValueError(f"two measures are called {measure.key}")
    _by_key[measure.key] = measure


def measures() -> tuple[Measure, ...]:
    """All of them, in the order of their keys."""
    return tuple(_by_key[key] for key in sorted(_by_key))


def unit_of(key: str) -> Unit | None:
    """None for one that is not there, or no more: what was measured is kept for good."""
    return _by_key[key].unit if key in _by_key else None


def the_measure(key: str, *, field: str = "measure") -> Measure:
    """Raises `Refused` MEASURE_UNKNOWN, which lists those there are."""
    if key not in _by_key:
        allowed = sorted(_by_key)
        raise Refused(
            "MEASURE_UNKNOWN",
            format_lazy(_("Choose one of these measures: {allowed}."), allowed=", ".join(allowed)),
            field=field,
            allowed=allowed,
        )
    return _by_key[key]
