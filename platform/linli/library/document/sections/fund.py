"""How income is split, spent and decided on (F1, F3, F5)."""

from __future__ import annotations

from typing import Annotated

from linli.library.document.parts import Items, Key, Keys, Part, Rate, SumsToOne, Titled
from linli.library.document.sections.committee import Committee
from linli.library.document.sections.spending import ApplicationStep, Cap, Earmark, Reserve, Source
from linli.library.document.wording import field


class WaterfallShare(Titled):
    """One part into which all income is split."""

    share: Rate = field(
        ("Share", "比例"),
        ("Of each income; all shares sum to exactly 1.", "占每笔收入的比例；全部比例之和恰为1。"),
        unit="share", example="0.5",
    )  # fmt: skip
    uses: Keys = field(
        ("Uses", "可用于"),
        ("Keys of the uses it may be spent on; empty: all.", "可开支用途的标识；空为全部。"),
        example=["activities"], default=(),
    )  # fmt: skip


class FundRules(Part):
    uses: Items[Titled] = field(
        ("Uses", "资金用途"), ("What the fund may be spent on.", "基金可用于什么。"), min_length=1
    )
    waterfall: Annotated[Items[WaterfallShare], SumsToOne("share")] = field(
        ("Waterfall", "收入分配"),
        ("How each income is split.", "每笔收入如何分配。"),
        example=[
            {"key": "services", "title": {"zh": "社区服务"}, "share": "0.6"},
            {"key": "projects", "title": {"zh": "项目培育"}, "share": "0.4"},
        ],
        min_length=1,
    )
    rest_to: Key | None = field(
        ("Rest to", "余分归入"),
        (
            "The key of the share that takes the fen left over by rounding; absent: they go to the "
            "largest remainders.",
            "取整余下的分归入哪项分配（标识）；不填则按最大余数分配。",
        ),
        example="services", default=None,
    )  # fmt: skip
    committee: Committee = field(
        ("Committee", "基金管委会"), ("Who decides on spending.", "由谁决定开支。")
    )
    sources: Items[Source] = field(
        ("Sources", "资金来源"),
        ("Where money may come from; empty: from all.", "资金可以来自哪里；空为不限。"),
        default=(),
    )
    reserves: Items[Reserve] = field(
        ("Reserves", "留存"),
        ("What is never spent of a share.", "各项分配中不得动用的部分。"),
        default=(),
    )
    caps: Items[Cap] = field(
        ("Caps", "限额"),
        ("The most that may be asked for or spent.", "申请或开支的上限。"),
        default=(),
    )
    earmarks: Items[Earmark] = field(
        ("Earmarks", "专项"),
        ("Money that only pays for its purpose.", "只能用于其目的的资金。"),
        default=(),
    )
    steps: Items[ApplicationStep] = field(
        ("Steps", "用资流程"),
        (
            "From the proposal to the audit, in their order; empty: the model leaves it open.",
            "从提出到审计，按先后排列；空为模式未作规定。",
        ),
        default=(),
    )
    consultation_days: int | None = field(
        ("Consultation", "征求意见"),
        ("Days on which the public is heard before the vote.", "表决前公开征求意见的天数。"),
        unit="days", example=5, default=None, ge=1, le=90,
    )  # fmt: skip
