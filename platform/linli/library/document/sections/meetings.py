"""Who meets how often (P6, D1)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from linli.library.document.parts import Items, Part, Titled


class JointMeeting(Part):
    """The joint meeting (联席会) of community and partners."""

    cadence: Literal["monthly", "quarterly"] = Field(
        title="Cadence (周期)", description="How often it is held."
    )
    day_of_month: int | None = Field(
        default=None,
        title="Day of the month (日期)",
        description="A day that every month has; absent where it is called freely.",
        ge=1,
        le=28,
    )


class Deliberation(Part):
    """Deliberation by residents (议事)."""

    cadence: Literal["weekly", "monthly"] = Field(
        title="Cadence (周期)", description="How often it is held."
    )
    steps: Items[Titled] = Field(
        title="Steps (步骤)",
        description="In their order, from raising to evaluating.",
        min_length=1,
    )


class MeetingCalendar(Part):
    joint: JointMeeting = Field(
        title="Joint meeting (联席会)", description="Community and partners meet."
    )
    deliberation: Deliberation = Field(title="Deliberation (议事)", description="Residents meet.")
