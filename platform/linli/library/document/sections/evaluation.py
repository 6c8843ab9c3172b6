"""How partners are judged (P7), and by the same engine windows and teams (S4)."""

from __future__ import annotations

from typing import Annotated, Literal

from linli.library.document.parts import Choices, Items, Key, Part, Rate, SumsToOne, Titled
from linli.library.document.wording import field


class Criterion(Titled):
    """One thing a partner is judged by."""

    weight: Rate = field(
        ("Weight", "权重"),
        ("Of the whole; all weights sum to exactly 1.", "占总分的比例；全部权重之和恰为1。"),
        unit="share", example="0.6",
    )  # fmt: skip
    source: Literal["appraisal", "inspection", "satisfaction", "records"] = field(
        ("Source", "来源"),
        ("Where its score comes from.", "分数从何而来。"),
        labels={
            "appraisal": ("appraised by people", "人工评议"),
            "inspection": ("inspections", "巡查"),
            "satisfaction": ("residents' ratings", "居民满意度"),
            "records": ("the platform's records", "平台记录"),
        },
        default="appraisal",
    )
    form: Key | None = field(
        ("Inspection form", "巡查表"),
        (
            "The key of the form that gives the score; for the source inspection only.",
            "给出分数的巡查表的标识；仅用于来源为巡查的指标。",
        ),
        example="venue_check", default=None,
    )  # fmt: skip


class Check(Titled):
    """One line of an inspection form."""

    points: int = field(
        ("Points", "分值"),
        ("The most it gives; a form's lines sum to 100.", "此项的满分；一张表各项之和为100。"),
        unit="score", example=100, ge=1, le=100,
    )  # fmt: skip


class InspectionForm(Titled):
    """What an inspection looks at."""

    every_days: int | None = field(
        ("Every", "周期"),
        ("Days from one inspection to the next; absent: as needed.", "两次巡查相隔的天数；不填为按需。"),
        unit="days", example=30, default=None, ge=1, le=366,
    )  # fmt: skip
    checks: Items[Check] = field(
        ("Checks", "检查项"), ("Line by line.", "逐项列出。"), min_length=1
    )


class StarLevel(Titled):
    """A star level, and from which score on it is given."""

    stars: int = field(
        ("Stars", "星级"), ("How many.", "几颗星。"), unit="stars", example=3, ge=0, le=10
    )
    from_score: int = field(
        ("From", "最低得分"),
        ("The least score of 100 that gives it.", "获得此星级的最低得分（满分100）。"),
        unit="score", example=75, ge=0, le=100,
    )  # fmt: skip
    funding_share: Rate | None = field(
        ("Share of funding", "经费比例"),
        (
            "Of its funding a window or team gets at this level; absent: stars do not steer it.",
            "窗口或团队在此星级可得的经费比例；不填为不与星级挂钩。",
        ),
        unit="share", example="0.9", default=None,
    )  # fmt: skip


class EvaluationRules(Part):
    criteria: Annotated[Items[Criterion], SumsToOne("weight")] = field(
        ("Criteria", "评价指标"),
        ("What partners are judged by.", "以什么评价合伙人。"),
        example=[
            {"key": "quality", "title": {"zh": "服务质量"}, "weight": "0.6"},
            {"key": "satisfaction", "title": {"zh": "居民满意度"}, "weight": "0.4"},
        ],
        min_length=1,
    )
    pass_line: int = field(
        ("Pass line", "合格线"),
        (
            "A score of 100; below it a partner must rectify.",
            "满分100分；低于此线的合伙人须整改。",
        ),
        unit="score", example=60, ge=0, le=100,
    )  # fmt: skip
    rectification_days: int = field(
        ("Rectification days", "整改期限"),
        ("Days to put right what fell below the line.", "低于合格线后完成整改的天数。"),
        unit="days", example=30, ge=1, le=365,
    )  # fmt: skip
    re_evaluation_days: int | None = field(
        ("Re-evaluation days", "复评期限"),
        (
            "Days from the end of rectification to the second evaluation; absent: at once.",
            "整改结束后多少天内复评；不填为立即。",
        ),
        unit="days", example=15, default=None, ge=1, le=365,
    )  # fmt: skip
    rectifications_at_most: int = field(
        ("Rectifications at most", "整改次数上限"),
        ("Failed as often in a row, a partner leaves.", "连续不合格达到此次数即退出。"),
        unit="times", example=1, default=1, ge=0, le=10,
    )  # fmt: skip
    every_months: int | None = field(
        ("Every", "评价周期"),
        ("Months from one evaluation to the next; absent: as needed.", "两次评价相隔的月数；不填为按需。"),
        unit="months", example=12, default=None, ge=1, le=60,
    )  # fmt: skip
    subjects: Choices[Literal["partner", "window", "team"]] = field(
        ("Subjects", "评价对象"),
        ("Who is judged by these rules.", "适用此规则的对象。"),
        labels={
            "partner": ("partners", "合伙人"),
            "window": ("service windows", "服务窗口"),
            "team": ("teams", "服务团队"),
        },
        default=("partner",),
    )
    supervision: Items[Titled] = field(
        ("Supervision", "监督方式"),
        (
            "How quality is watched, such as inspection or a suggestion box.",
            "如何监督质量，例如巡查、意见箱。",
        ),
        default=(),
    )
    forms: Items[InspectionForm] = field(
        ("Inspection forms", "巡查表"), ("What inspections look at.", "巡查的内容。"), default=()
    )
    stars: Items[StarLevel] = field(
        ("Star levels", "星级"),
        ("From the lowest to the highest.", "从低到高排列。"),
        default=(),
    )
    good_faith: Items[Titled] = field(
        ("Good-faith grounds", "容错情形"),
        (
            "All of them on record spare a partner or a unit the consequences.",
            "全部有据可查时予以容错免责。",
        ),
        default=(),
    )
