"""How partners are judged (P7)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from linli.library.document.parts import Items, Part, Rate, Titled, sums_to_one


class Criterion(Titled):
    """One thing a partner is judged by."""

    weight: Rate = Field(
        title="Weight (权重)", description="Of the whole; all weights sum to exactly 1."
    )


class EvaluationRules(Part):
    criteria: Annotated[Items[Criterion], sums_to_one("weight")] = Field(
        title="Criteria (评价指标)", description="What partners are judged by.", min_length=1
    )
    pass_line: int = Field(
        title="Pass line (合格线)",
        description="In points of 100; below it a partner must rectify.",
        ge=0,
        le=100,
    )
    rectification_days: int = Field(
        title="Rectification days (整改期限)",
        description="Days to put right what fell below the line.",
        ge=1,
        le=365,
    )
    supervision: Items[Titled] = Field(
        default=(),
        title="Supervision (监督方式)",
        description="How quality is watched, such as inspection or a suggestion box.",
    )
