"""What a person says of places in question, of an upgrade's and of a clash's alike (M3, M6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.errors import Refused
from linli.library.labels import label_lazy
from tenants.communities.selectors import community_to_act_on
from tenants.operating_model.models import UpgradeDecision
from tenants.operating_model.upgrading import Level, Plan

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_DECISIONS = 500


@dataclass(frozen=True)
class Said:
    """What a person says of one place: as `UpgradeDecision`; ``seen`` is the question's, if given."""

    path: str
    choice: str
    community_id: UUID | None = None
    aspect: str = UpgradeDecision.Aspect.VALUE
    value: Any = None
    reason: str = ""
    seen: str | None = None


def check_decisions(decisions: Sequence[Said]) -> None:
    """Refused: TOO_MANY_DECISIONS, REASON_TOO_LONG."""
    if len(decisions) > MOST_DECISIONS:
        message = _("At most {most} decisions at once.")
        raise Refused(
            "TOO_MANY_DECISIONS",
            format_lazy(message, most=MOST_DECISIONS),
            field="decisions",
            most=MOST_DECISIONS,
        )
    for position, said in enumerate(decisions):
        if len(said.reason) > sizes.REASON:
            told = format_lazy(_("A reason has {most} characters at most."), most=sizes.REASON)
            raise Refused("REASON_TOO_LONG", told, field=f"decisions.{position}.reason")


def level_of(planned: Plan, said: Said, field: str) -> Level:
    """Whose place it is about. Refused: NOT_FOUND, NOT_IN_QUESTION."""
    if said.community_id is not None:
        community_to_act_on(said.community_id)
    level = next((one for one in planned.levels if one.community_id == said.community_id), None)
    if level is None:
        message = _("This community has set nothing, so nothing of it is in question.")
        raise Refused("NOT_IN_QUESTION", message, field=f"{field}.communityId")
    return level


def question_changed(level: Level, path: str, field: str) -> Refused:
    """That something else meets at the place than what was read."""
    message = _("Something else meets at “{place}” by now. Read the question again.")
    told = format_lazy(message, place=called(level, path))
    return Refused("QUESTION_CHANGED", told, field=f"{field}.seen")


def not_in_question(level: Level, path: str, field: str) -> Refused:
    """That there is nothing to decide at the place."""
    message = _("“{place}” is not in question here: nothing meets there.")
    told = format_lazy(message, place=called(level, path))
    return Refused("NOT_IN_QUESTION", told, field=f"{field}.path")


def called(level: Level, path: str) -> StrOrPromise:
    """A place in words, an item by its title in what is set there, else in the new version or the old."""
    return label_lazy(path, *level.carried.sides[::-1])
