"""What limits the fund's money, and the steps by which it is spent (F1, F3, F5)."""

from __future__ import annotations

from typing import Literal

from linli.library.document.parts import (
    MOST_FEN,
    STEP_LABELS,
    Choices,
    Key,
    StepRole,
    Titled,
)
from linli.library.document.wording import field

StepKind = Literal[
    "propose",
    "review",
    "consult",
    "vote",
    "submit",
    "approve",
    "pay",
    "receipts",
    "publish",
    "audit",
]


class Source(Titled):
    """Where money may come from."""

    kind: Literal[
        "stationed", "visiting", "market", "micro_workshop", "space_rent", "donation", "in_kind",
        "crowdfunding", "guarantee", "incentive", "sub_fund",
    ] = field(
        ("Kind", "类型"),
        (
            "Crowdfunding needs a host charity that is qualified for public fundraising.",
            "众筹须由具有公开募捐资格的慈善组织进行。",
        ),
        labels={
            "stationed": ("contributions of stationed partners", "常驻合伙人反哺"),
            "visiting": ("contributions of visiting partners", "流动合伙人反哺"),
            "market": ("market proceeds", "集市收入"),
            "micro_workshop": ("micro-workshop shares", "社区微业反哺"),
            "space_rent": ("space rents", "场地租金"),
            "donation": ("donations of money", "捐款"),
            "in_kind": ("donations in kind", "捐物"),
            "crowdfunding": ("crowdfunding", "众筹"),
            "guarantee": ("government guarantee money", "政府保障经费"),
            "incentive": ("government incentive money", "政府激励经费"),
            "sub_fund": ("earmarked sub-funds", "专项子基金"),
        },
    )  # fmt: skip
    earmark: Key | None = field(
        ("Earmark", "专项"),
        (
            "The key of the earmark it goes to; absent: it is split by the waterfall.",
            "归入哪个专项（标识）；不填则按收入分配比例分配。",
        ),
        example="elderly_care", default=None,
    )  # fmt: skip


class Reserve(Titled):
    """What is never spent of a share."""

    share: Key = field(
        ("Share", "分配项"),
        ("The key of a share of the waterfall.", "收入分配某一项的标识。"),
        example="services",
    )
    least_fen: int = field(
        ("At least", "最低留存"),
        ("Stays in the account, in fen.", "账户中须留存的金额，单位为分。"),
        unit="fen", example=500000, ge=1, le=MOST_FEN,
    )  # fmt: skip


class Cap(Titled):
    """The most that may be asked for at once, or spent in a period."""

    per: Literal["application", "month", "quarter", "year"] = field(
        ("Per", "计量"),
        ("One application, or a calendar period.", "每笔申请，或每个自然周期。"),
        labels={
            "application": ("application", "每笔申请"),
            "month": ("month", "每月"),
            "quarter": ("quarter", "每季"),
            "year": ("year", "每年"),
        },
    )
    most_fen: int = field(
        ("At most", "最高金额"),
        ("In fen.", "单位为分。"),
        unit="fen", example=2000000, ge=1, le=MOST_FEN,
    )  # fmt: skip
    use: Key | None = field(
        ("Use", "用途"),
        ("The key of the use it is about; absent: of all together.", "适用用途的标识；不填为全部合计。"),
        example="activities", default=None,
    )  # fmt: skip


class Earmark(Titled):
    """Money given for a purpose."""

    uses: Choices[Key] = field(
        ("Uses", "用途"),
        ("Keys of the uses it may pay for, and no other.", "只可开支的用途的标识。"),
        example=["hardship_visits"],
    )


class ApplicationStep(Titled):
    """One step of an application for money."""

    kind: StepKind = field(
        ("Kind", "类型"),
        ("What is done; steps follow each other in this order.", "做什么；各步骤按此次序进行。"),
        labels={
            "propose": ("propose", "提出"),
            "review": ("review", "评审"),
            "consult": ("consult the public", "征求意见"),
            "vote": ("vote", "表决"),
            "submit": ("submit to the host charity", "报送慈善总会"),
            "approve": ("approve", "审批"),
            "pay": ("pay", "拨付"),
            "receipts": ("hand in receipts", "提交票据"),
            "publish": ("publish", "公示"),
            "audit": ("audit", "审计"),
        },
    )  # fmt: skip
    roles: Choices[StepRole] = field(
        ("Roles", "角色"),
        (
            "Which of the platform's roles may take it. Who proposes, who approves and who pays are "
            "never the same.",
            "平台的哪些角色可以办理。提出、审批、付款三者不得为同一角色。",
        ),
        example=["community_secretary"], labels=STEP_LABELS,
    )  # fmt: skip
    within_days: int | None = field(
        ("Within", "期限"),
        ("Days from the step before; absent: no deadline.", "自上一步起的天数；不填为不限。"),
        unit="days", example=7, default=None, ge=0, le=365,
    )  # fmt: skip
