"""What stands before an agreement, and what it says unless it says otherwise (P2, P3)."""

from __future__ import annotations

from typing import Literal

from linli.library.document.parts import Keys, Part, Rate, Text, Titled
from linli.library.document.wording import field


class AdmissionItem(Titled):
    """One thing looked at before a partner is admitted."""

    kinds: Keys = field(
        ("Kinds", "适用类别"),
        ("Keys of the partner kinds it is about; empty: all.", "所适用合伙人类别的标识；空为全部。"),
        example=["enterprise"], default=(),
    )  # fmt: skip
    evidence: Text | None = field(
        ("Evidence", "佐证"), ("What shows it.", "用什么证明。"), default=None
    )
    required: bool = field(
        ("Required", "必备"),
        ("true: nobody is admitted without it.", "“是”表示缺少时不得准入。"),
        default=True,
    )


class AgreementDefaults(Part):
    """What agreements say unless they say otherwise."""

    utilities: Literal["partner", "community", "shared"] = field(
        ("Utilities", "水电费用"),
        ("Who bears water, power and heating.", "水、电、供暖费用由谁承担。"),
        labels={
            "partner": ("the partner", "合伙人"),
            "community": ("the community", "社区"),
            "shared": ("both", "双方分担"),
        },
        default="partner",
    )
    utilities_partner_share: Rate | None = field(
        ("Partner's share of utilities", "合伙人分担比例"),
        ("Where both bear them: the partner's part.", "双方分担时合伙人承担的部分。"),
        unit="share", example="0.5", default=None,
    )  # fmt: skip
    longest_term_months: int | None = field(
        ("Longest term", "最长期限"),
        ("The most months an agreement runs; absent: no limit.", "协议最多持续的月数；不填为不限。"),
        unit="months", example=36, default=None, ge=1, le=600,
    )  # fmt: skip
    renewal_reminder_days: int | None = field(
        ("Renewal reminder", "续约提醒"),
        (
            "Days before the end at which both sides are reminded; absent: no reminder.",
            "到期前多少天提醒双方；不填为不提醒。",
        ),
        unit="days", example=60, default=None, ge=1, le=365,
    )  # fmt: skip
