"""The life of a partner: states, and who may move it from one to another (P2)."""

from __future__ import annotations

from typing import Literal

from linli.library.document.parts import (
    MOVE_LABELS,
    Choices,
    Items,
    Key,
    MoveRole,
    Part,
    Text,
    Titled,
)
from linli.library.document.wording import field


class State(Titled):
    """Where a partner can stand."""

    phase: Literal[
        "lead", "screened", "agreement", "operating", "evaluated", "rectification", "ended"
    ] = field(
        ("Phase", "阶段"),
        (
            "What it means to the platform: who operates declares income; what has ended stays so.",
            "对平台的含义：运营中的须申报收入；已结束的不再变动。",
        ),
        labels={
            "lead": ("a lead", "意向"),
            "screened": ("screened", "已审查"),
            "agreement": ("under agreement", "已签约"),
            "operating": ("operating", "运营中"),
            "evaluated": ("evaluated", "已评价"),
            "rectification": ("rectifying", "整改中"),
            "ended": ("ended", "已结束"),
        },
    )


class Move(Titled):
    """A step from one state to another. Each is recorded with its reason."""

    from_state: Key = field(
        ("From", "起始状态"),
        ("The key of the state it starts in.", "起始状态的标识。"),
        example="lead",
    )
    to_state: Key = field(
        ("To", "目标状态"),
        ("The key of the state it leads to.", "目标状态的标识。"),
        example="screened",
    )
    roles: Choices[MoveRole] = field(
        ("Roles", "角色"),
        ("Which of the platform's roles may make it.", "平台的哪些角色可以执行。"),
        example=["community_secretary"], labels=MOVE_LABELS,
    )  # fmt: skip
    evidence: Text | None = field(
        ("Evidence", "佐证"),
        (
            "What has to be on record; absent: a reason is enough.",
            "须留存的材料；不填则写明理由即可。",
        ),
        default=None,
    )


class PartnerLife(Part):
    """The first state is where every partner begins. Only these moves are possible."""

    states: Items[State] = field(
        ("States", "状态"),
        ("In their order; empty: the model leaves it open.", "按先后排列；空为模式未作规定。"),
        default=(),
    )
    moves: Items[Move] = field(
        ("Moves", "流转"), ("The only moves possible.", "只有这些流转可以发生。"), default=()
    )
