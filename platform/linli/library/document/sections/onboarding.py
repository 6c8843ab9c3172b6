"""The steps a community takes, and the stages of a roll-out (T3, T5)."""

from __future__ import annotations

from typing import Literal

from linli.library.document.parts import Items, Part, Text, Titled
from linli.library.document.wording import field

StagePhase = Literal["pilot", "sum_up", "fix_rules", "roll_out", "keep_running"]


class Step(Titled):
    """A step a community takes to come on board."""

    evidence: Text = field(
        ("Evidence", "佐证"), ("What shows that it is done.", "用什么证明已经完成。")
    )
    within_days: int | None = field(
        ("Within", "期限"),
        ("Days from the start of onboarding; absent: no deadline.", "自启动入驻起的天数；不填为不限。"),
        unit="days", example=90, default=None, ge=1, le=1000,
    )  # fmt: skip
    required: bool = field(
        ("Required", "必备"),
        ("true: nobody opens without it.", "“是”表示未完成不得开门运营。"),
        default=True,
    )


class Stage(Titled):
    """A stage of a district's roll-out."""

    phase: StagePhase = field(
        ("Phase", "阶段"),
        ("What the stage is for.", "此阶段的目的。"),
        labels={
            "pilot": ("pilot", "试点先行"),
            "sum_up": ("sum up", "总结经验"),
            "fix_rules": ("fix the rules", "制度固化"),
            "roll_out": ("roll out", "全域推广"),
            "keep_running": ("keep running", "长效运营"),
        },
    )
    evidence: Text | None = field(
        ("Evidence", "佐证"),
        (
            "What shows that it is over; absent: the district says so.",
            "用什么证明此阶段完成；不填由区级认定。",
        ),
        default=None,
    )
    longest_months: int | None = field(
        ("Longest", "最长时间"),
        ("Months it may take; absent: no limit.", "最多用时的月数；不填为不限。"),
        unit="months", example=12, default=None, ge=1, le=120,
    )  # fmt: skip


class OnboardingChecklist(Part):
    steps: Items[Step] = field(("Steps", "步骤"), ("In their order.", "按先后排列。"), min_length=1)
    stages: Items[Stage] = field(
        ("Stages", "推广阶段"),
        ("Of a district's roll-out, in their order.", "全区推广的阶段，按先后排列。"),
        default=(),
    )
