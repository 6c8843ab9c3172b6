"""What a replay finds out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from linli.errors import Refused


@dataclass
class Compared:
    """What was worked out then and what the draft makes of the same declarations, in fen."""

    was_fen: int = 0
    would_be_fen: int = 0

    @property
    def difference_fen(self) -> int:
        """What the draft brings more; less than 0 where it brings less."""
        return self.would_be_fen - self.was_fen


@dataclass
class PartnerOutcome(Compared):
    """One partner: the declarations that the draft can work out, and beside them those it cannot."""

    partner_id: UUID = field(kw_only=True)
    declarations: int = field(default=0, kw_only=True)
    not_worked_out: int = field(default=0, kw_only=True)
    not_worked_out_fen: int = field(default=0, kw_only=True)


@dataclass
class AccountOutcome(Compared):
    """One held account of the waterfall, over all funds."""

    code: str = field(kw_only=True)


@dataclass
class NotWorkedOut:
    """A declaration that the draft cannot work out, what was owed for it, and why."""

    declaration_id: UUID
    agreement_id: UUID
    partner_id: UUID
    was_fen: int
    problem: Refused


@dataclass
class Crossing:
    """Declarations that lie in the period with some of their days only, and so are left out."""

    declarations: int = 0
    was_fen: int = 0


@dataclass
class Outcome:
    """All of it. Where `problems` say why the draft cannot stand here, nothing was replayed.

    The total, the partners and the accounts compare like with like: what was is that of the
    declarations that the draft can work out. The others stand under `not_worked_out`. Where it is an
    upgrade, ``open_questions`` of it are not decided yet: there it was reckoned with what is set now.
    """

    starts_on: date
    ends_on: date
    problems: list[Refused] = field(default_factory=list)
    total: Compared = field(default_factory=Compared)
    declarations: int = 0
    partners: list[PartnerOutcome] = field(default_factory=list)
    accounts: list[AccountOutcome] = field(default_factory=list)
    not_worked_out: list[NotWorkedOut] = field(default_factory=list)
    crossing: Crossing = field(default_factory=Crossing)
    open_questions: int = 0

    @property
    def not_worked_out_fen(self) -> int:
        """What was owed for the declarations that the draft cannot work out."""
        return sum(one.was_fen for one in self.not_worked_out)
