"""What goes into a working-out, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, NotRequired, TypedDict

from linli.library.document import ContributionRule, ShareRule, SimpleRule, TieredRule


@dataclass(frozen=True)
class Segment:
    """So many days in a row under one rule.

    rule_digest: of all rules in force on them, which may differ where the rule itself does not.
    rate: what the agreement has in place of the rule's own, for the one share among what counts;
    it plays no part elsewhere. parts: the rules that a combined one names, in its order.
    """

    days: int
    rule: ContributionRule
    rate: Decimal | None = None
    rent_free: bool = False
    rule_digest: str = ""
    parts: tuple[SimpleRule, ...] = ()

    @property
    def simple(self) -> tuple[SimpleRule, ...]:
        """What counts: the rule itself, or each of those it combines."""
        return self.parts if self.rule.type == "combined" else (self.rule,)

    @property
    def base(self) -> str | None:
        """What its shares are taken of; None where it has none."""
        shares = (one.base for one in self.simple if isinstance(one, ShareRule | TieredRule))
        return next(shares, None)


@dataclass(frozen=True)
class Declared:
    """What a partner declares for [starts_on, ends_on): fen of the base named, and sessions."""

    starts_on: date
    ends_on: date
    income_fen: int = 0
    sessions: int = 0
    base: str = "takings"


class Reached(TypedDict):
    """A band that a base reaches."""

    key: str
    from_fen: int
    rate: str
    base_fen: int  # of the whole period, to which the band's rate applies


class Line(TypedDict):
    """One line of the working, as JSON values; `explain` makes it a sentence."""

    starts_on: str
    ends_on: str  # the first day after it
    type: Literal["share", "per_session", "fixed", "tiered", "in_kind", "combined"]
    rule_key: str
    rule_digest: str  # of all rules in force on its last day
    rent_free: bool
    base: str
    declared_fen: int  # of the whole period
    base_fen: int  # the part that falls on this line's days
    rate: str | None
    declared_sessions: int
    sessions: int
    fee_fen: int | None  # a session's, or a year's
    amount_fen: int
    # Where the rule has them.
    part_of: NotRequired[str]  # the key of the combined rule it counts in
    counting: NotRequired[Literal["marginal", "whole"]]
    bands: NotRequired[list[Reached]]
    gives: NotRequired[dict[str, str | None]]
    valued: NotRequired[dict[str, str | None]]
    # A minimum or maximum, of these days; and what was owed before it was held to them.
    minimum_fen: NotRequired[int | None]
    maximum_fen: NotRequired[int | None]
    unlimited_fen: NotRequired[int]


@dataclass(frozen=True)
class Worked:
    """What is owed, and how it came about."""

    amount_fen: int
    lines: tuple[Line, ...]
