"""The fund committee (F4)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from linli.library.document.parts import MOVE_LABELS, MoveRole, Part
from linli.library.document.wording import field


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise PydanticCustomError("odd", "odd")
    return value


class Committee(Part):
    """The fund committee (基金管委会). A conflict of interest always bars a vote."""

    min_members: Annotated[int, AfterValidator(_odd)] = field(
        ("Members at least", "最少人数"),
        ("An odd number, 3 or more.", "单数，不少于3人。"),
        unit="people", example=3, ge=3, le=99,
    )  # fmt: skip
    quorum: int | None = field(
        ("Quorum", "法定人数"),
        (
            "Members present for a vote to count; absent: more than half.",
            "表决有效所需的到会人数；不填为过半数。",
        ),
        unit="people", example=3, default=None, ge=1, le=99,
    )  # fmt: skip
    majority: Literal["more_than_half", "two_thirds", "three_quarters", "all"] = field(
        ("Majority", "通过比例"),
        ("How many of the votes carry.", "多少票同意方可通过。"),
        labels={
            "more_than_half": ("more than half", "过半数"),
            "two_thirds": ("two thirds", "三分之二"),
            "three_quarters": ("three quarters", "四分之三"),
            "all": ("all", "全体一致"),
        },
        default="more_than_half",
    )
    counted: Literal["present", "members"] = field(
        ("Counted", "计票基数"),
        ("Of whom the majority is taken.", "比例以谁为基数。"),
        labels={"present": ("those present", "到会委员"), "members": ("all members", "全体委员")},
        default="present",
    )
    conflict: Literal["no_vote", "leaves"] = field(
        ("Conflict of interest", "利益回避"),
        (
            "no_vote: who has one does not vote; leaves: nor takes part in the discussion.",
            "有利害关系的委员不投票；或同时不参加讨论。",
        ),
        labels={"no_vote": ("does not vote", "不投票"), "leaves": ("leaves", "全程回避")},
        default="no_vote",
    )
    chair: MoveRole | None = field(
        ("Chair", "主任"),
        ("The role whose holder chairs; absent: elected.", "由哪个角色担任主任；不填为选举产生。"),
        example="community_secretary", labels=MOVE_LABELS, default=None,
    )  # fmt: skip
    term_months: int | None = field(
        ("Term", "任期"),
        ("Months a member serves; absent: no limit.", "委员任期的月数；不填为不限。"),
        unit="months", example=36, default=None, ge=1, le=120,
    )  # fmt: skip
