"""Who takes part, and what they get in return (P1, P5, P8)."""

from __future__ import annotations

from typing import Literal

from linli.library.document.parts import Items, Key, Keys, Part, Rate, Text, Titled
from linli.library.document.sections.agreements import AdmissionItem, AgreementDefaults
from linli.library.document.sections.contributions import ContributionRule
from linli.library.document.sections.life import PartnerLife
from linli.library.document.wording import field


class Kind(Titled):
    """Who may be a partner: the 1+3+N of the place."""

    tier: Literal["lead", "core", "extended"] = field(
        ("Tier", "层级"),
        (
            "lead: the party organisation, the 1; core: the 3; extended: the N.",
            "引领层为“1”即社区党组织；核心层为“3”；拓展层为“N”。",
        ),
        labels={
            "lead": ("lead", "引领层"),
            "core": ("core", "核心层"),
            "extended": ("extended", "拓展层"),
        },
    )
    who: Literal["either", "individual", "group"] = field(
        ("Who", "主体"),
        (
            "Whether a partner of this kind is a single person or a group.",
            "此类合伙人是个人还是团体。",
        ),
        labels={
            "either": ("a person or a group", "个人或团体"),
            "individual": ("a person", "个人"),
            "group": ("a group", "团体"),
        },
        default="either",
    )
    published_as: Literal["name", "consented_name"] = field(
        ("Published as", "公示名称"),
        (
            "name: by its own name; consented_name: by the name a person agreed to, else by a number.",
            "以自身名称公示；或以本人同意的名称公示，未同意的以编号代替。",
        ),
        labels={
            "name": ("its own name", "自身名称"),
            "consented_name": ("the name agreed to, else a number", "本人同意的名称，否则为编号"),
        },
        default="name",
    )


class Purchasable(Titled):
    """One service a community may buy from partners (购买服务目录)."""

    unit: Text = field(
        ("Unit", "计价单位"), ("What is paid for, such as one visit.", "按什么付费，例如每次上门。")
    )
    ceiling_fen: int = field(
        ("Ceiling", "最高单价"),
        ("The most that is paid for one unit, in fen.", "每单位最多支付的金额，单位为分。"),
        unit="fen", example=5000, ge=0, le=10**9,
    )  # fmt: skip


class Mechanism(Titled):
    """A way of working together."""

    form: Literal[
        "service_purchase", "co_operated_space", "time_bank", "incubation", "shares", "other"
    ] = field(
        ("Form", "形式"),
        ("Which of the forms the platform knows it is.", "属于平台所知的哪种形式。"),
        labels={
            "service_purchase": ("purchase of service", "购买服务"),
            "co_operated_space": ("co-operated space", "空间共营"),
            "time_bank": ("time-bank points", "时间银行积分"),
            "incubation": ("incubation of new organisations", "孵化培育"),
            "shares": ("residents' shares or assets", "股份制、资产入股"),
            "other": ("another form", "其他"),
        },
        default="other",
    )
    kinds: Keys = field(
        ("Kinds", "适用类别"),
        ("Keys of the partner kinds it is open to; empty: all.", "可采用的合伙人类别的标识；空为全部。"),
        example=["enterprise"], default=(),
    )  # fmt: skip
    catalogue: Items[Purchasable] = field(
        ("Catalogue", "购买目录"),
        ("What may be bought; for purchase of service only.", "可购买的服务；仅用于购买服务。"),
        default=(),
    )
    residents_share_at_most: Rate | None = field(
        ("Residents' share at most", "居民持股上限"),
        (
            "The most that residents may hold together; for shares only.",
            "居民合计最多可持有的比例；仅用于股份制。",
        ),
        unit="share", example="0.3", default=None,
    )  # fmt: skip


class Incentive(Titled):
    """What a kind of partner gets in return."""

    kind: Key = field(
        ("Kind", "类别"),
        ("The key of one of the partner kinds.", "某个合伙人类别的标识。"),
        example="enterprise",
    )
    form: Literal[
        "exposure", "policy", "space", "incubation", "stage", "honour", "subsidy", "other"
    ] = field(
        ("Form", "形式"),
        ("What it is of those the platform knows.", "属于平台所知的哪种激励。"),
        labels={
            "exposure": ("exposure", "宣传展示"),
            "policy": ("policy priority", "政策优先"),
            "space": ("free space", "免费场地"),
            "incubation": ("guidance and incubation", "孵化指导"),
            "stage": ("a stage for a skill", "技能展示平台"),
            "honour": ("honours", "荣誉激励"),
            "subsidy": ("a subsidy", "补贴"),
            "other": ("something else", "其他"),
        },
        default="other",
    )
    stars_at_least: int | None = field(
        ("Stars at least", "最低星级"),
        (
            "Only from this star level of the evaluation on; absent: for all.",
            "评价达到此星级方可享受；不填为全部。",
        ),
        unit="stars", example=4, default=None, ge=1, le=10,
    )  # fmt: skip


class PartnerRules(Part):
    kinds: Items[Kind] = field(
        ("Kinds", "合伙人类别"), ("Who may be a partner.", "谁可以成为合伙人。"), min_length=1
    )
    contributions: Items[ContributionRule] = field(
        ("Contributions", "反哺规则"),
        ("The rules an agreement chooses from.", "合作协议可选用的规则。"),
        example=[
            {
                "key": "stationed",
                "title": {"zh": "常驻合伙人按收入比例反哺"},
                "type": "share",
                "modes": ["stationed"],
                "base": "takings",
                "rate": "0.03",
            }
        ],
        min_length=1,
    )
    rent_free_months: int = field(
        ("Rent-free months", "免租月数"),
        (
            "The most an agreement may grant; nothing is owed for them.",
            "协议最多可给予的月数；免租期内无需反哺。",
        ),
        unit="months", example=18, ge=0, le=60,
    )  # fmt: skip
    mechanisms: Items[Mechanism] = field(
        ("Mechanisms", "合作机制"),
        (
            "Ways of working together, such as purchase of service or co-operated space.",
            "合作方式，例如购买服务、空间共营。",
        ),
        default=(),
    )
    incentives: Items[Incentive] = field(
        ("Incentives", "激励"),
        ("What each kind of partner gets in return.", "各类合伙人得到的回报。"),
        default=(),
    )
    admission: Items[AdmissionItem] = field(
        ("Admission", "准入清单"),
        ("What is looked at before a partner is admitted.", "合伙人准入前须审查的事项。"),
        default=(),
    )
    life: PartnerLife = field(
        ("Life", "生命周期"),
        (
            "The states of a partner and the moves between them.",
            "合伙人的各个状态，以及状态之间的流转。",
        ),
        default=PartnerLife(),
    )
    agreement: AgreementDefaults = field(
        ("Agreement", "合作协议"),
        ("What agreements say unless they say otherwise.", "协议未另行约定时的内容。"),
        default=AgreementDefaults(),
    )
