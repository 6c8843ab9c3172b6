"""Who meets how often (P6, D1)."""

from __future__ import annotations

from typing import Literal

from linli.library.document.parts import Items, Part, Titled
from linli.library.document.wording import field

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEKDAYS = {
    "monday": ("Monday", "周一"),
    "tuesday": ("Tuesday", "周二"),
    "wednesday": ("Wednesday", "周三"),
    "thursday": ("Thursday", "周四"),
    "friday": ("Friday", "周五"),
    "saturday": ("Saturday", "周六"),
    "sunday": ("Sunday", "周日"),
}
_CADENCES = {
    "weekly": ("every week", "每周"),
    "monthly": ("every month", "每月"),
    "quarterly": ("every quarter", "每季"),
}


class JointMeeting(Part):
    """The joint meeting (联席会) of community and partners: on a date, or on a weekday."""

    cadence: Literal["monthly", "quarterly"] = field(
        ("Cadence", "周期"),
        ("How often it is held.", "多久召开一次。"),
        labels={each: _CADENCES[each] for each in ("monthly", "quarterly")},
    )
    day_of_month: int | None = field(
        ("Day of the month", "日期"),
        (
            "A day that every month has; absent where it is on a weekday or called freely.",
            "每个月都有的日期；按星期或不定期召开的不填。",
        ),
        unit="day_of_month", example=25, default=None, ge=1, le=28,
    )  # fmt: skip
    weekday: Weekday | None = field(
        ("Weekday", "星期"),
        ("In place of a date, with the week.", "代替日期，与周次一起填写。"),
        labels=_WEEKDAYS, default=None,
    )  # fmt: skip
    week_of_month: int | None = field(
        ("Week of the month", "周次"),
        ("1: the first such weekday of the month.", "1为当月第一个该星期。"),
        unit="week_of_month", example=1, default=None, ge=1, le=4,
    )  # fmt: skip
    month_of_quarter: int | None = field(
        ("Month of the quarter", "季内月份"),
        ("Of a quarterly meeting: 1 is January, April, July, October.", "每季召开的：1为1、4、7、10月。"),
        unit="month_of_quarter", example=1, default=None, ge=1, le=3,
    )  # fmt: skip
    agenda: Items[Titled] = field(
        ("Agenda", "议程"), ("What is always on it.", "每次必议的事项。"), default=()
    )


class Deliberation(Part):
    """Deliberation by residents (议事)."""

    cadence: Literal["weekly", "monthly"] = field(
        ("Cadence", "周期"),
        ("How often it is held.", "多久召开一次。"),
        labels={each: _CADENCES[each] for each in ("weekly", "monthly")},
    )
    weekday: Weekday | None = field(
        ("Weekday", "星期"),
        ("On which it is held; absent where each grid chooses.", "在星期几召开；由各网格自定的不填。"),
        labels=_WEEKDAYS, default=None,
    )  # fmt: skip
    level: Literal["community", "grid"] = field(
        ("Level", "层级"),
        ("Where it is held.", "在哪一级召开。"),
        labels={"community": ("the community", "社区"), "grid": ("each grid", "网格")},
        default="community",
    )
    steps: Items[Titled] = field(
        ("Steps", "步骤"),
        ("In their order, from raising to evaluating.", "按先后排列，从提事到评事。"),
        min_length=1,
    )


class MeetingCalendar(Part):
    joint: JointMeeting = field(
        ("Joint meeting", "联席会"), ("Community and partners meet.", "社区与合伙人共同议事。")
    )
    deliberation: Deliberation = field(("Deliberation", "议事"), ("Residents meet.", "居民议事。"))
