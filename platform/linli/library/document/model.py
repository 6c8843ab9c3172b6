"""The operating model (运营模式): the whole configurable document, section by section.

Its JSON Schema is published, so each field says what it means. A later field needs a default:
documents once published stay valid for good, and keep their digest.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from linli.library.document.parts import (
    Choices,
    Items,
    Key,
    Part,
    Rate,
    Text,
    Titled,
    sums_to_one,
)

Mode = Literal["stationed", "visiting"]
Base = Literal["takings", "net_income", "profit"]


# --- partners (P) -------------------------------------------------------------------------------


class Kind(Titled):
    """Who may be a partner: the 1+3+N of the place."""

    tier: Literal["lead", "core", "extended"] = Field(
        title="Tier (层级)",
        description="lead: the party organisation, the 1; core: the 3; extended: the N.",
    )


class ShareRule(Titled):
    """A share of what the partner declares (按比例反哺)."""

    type: Literal["share"] = Field(title="Type (类型)", description="A share of a base.")
    modes: Choices[Mode] = Field(
        title="Modes (合作方式)", description="The engagement modes this rule is offered to."
    )
    base: Base = Field(
        title="Base (计算基数)",
        description="What the share is taken of: takings (营业额), net income (净收入), profit (利润).",
    )
    rate: Rate = Field(title="Rate (比例)", description="As a decimal fraction: 0.03 is 3 %.")


class PerSessionRule(Titled):
    """A fee for each session held (按场次反哺)."""

    type: Literal["per_session"] = Field(title="Type (类型)", description="A fee per session.")
    modes: Choices[Mode] = Field(
        title="Modes (合作方式)", description="The engagement modes this rule is offered to."
    )
    fee_fen: int = Field(
        title="Fee (每场金额)", description="For one session, in fen.", ge=0, le=10**9
    )


ContributionRule = Annotated[ShareRule | PerSessionRule, Field(discriminator="type")]


class Incentive(Titled):
    """What a kind of partner gets in return."""

    kind: Key = Field(title="Kind (类别)", description="The key of one of the partner kinds.")


class PartnerRules(Part):
    kinds: Items[Kind] = Field(
        title="Kinds (合伙人类别)", description="Who may be a partner.", min_length=1
    )
    contributions: Items[ContributionRule] = Field(
        title="Contributions (反哺规则)",
        description="The rules an agreement chooses from.",
        min_length=1,
    )
    rent_free_months: int = Field(
        title="Rent-free months (免租月数)",
        description="The most an agreement may grant; nothing is owed for them.",
        ge=0,
        le=60,
    )
    mechanisms: Items[Titled] = Field(
        default=(),
        title="Mechanisms (合作机制)",
        description="Ways of working together, such as purchase of service or co-operated space.",
    )
    incentives: Items[Incentive] = Field(
        default=(),
        title="Incentives (激励)",
        description="What each kind of partner gets in return.",
    )


# --- fund (F) -----------------------------------------------------------------------------------


class WaterfallShare(Titled):
    """One part into which all income is split."""

    share: Rate = Field(
        title="Share (比例)", description="Of each income; all shares sum to exactly 1."
    )


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise PydanticCustomError("odd", "odd")
    return value


class Committee(Part):
    """The fund committee (基金管委会)."""

    min_members: Annotated[int, AfterValidator(_odd)] = Field(
        title="Members at least (最少人数)",
        description="An odd number, 3 or more.",
        ge=3,
        le=99,
    )


class FundRules(Part):
    uses: Items[Titled] = Field(
        title="Uses (资金用途)", description="What the fund may be spent on.", min_length=1
    )
    waterfall: Annotated[Items[WaterfallShare], sums_to_one("share")] = Field(
        title="Waterfall (收入分配)",
        description="How each income is split; the odd fen goes to the largest remainder.",
        min_length=1,
    )
    committee: Committee = Field(
        title="Committee (基金管委会)", description="Who decides on spending."
    )


# --- services and prices (S) --------------------------------------------------------------------


class PriceClass(Part):
    """Free, low-cost or market (公益、低偿、市场)."""

    key: Literal["free", "low_cost", "market"] = Field(
        title="Key (标识)", description="Which of the three."
    )
    title: Text = Field(title="Title (名称)", description="What people read.")
    ceiling_fen: int | None = Field(
        default=None,
        title="Ceiling (价格上限)",
        description="The most one use may cost, in fen; absent where there is none.",
        ge=0,
        le=10**9,
    )


class ServiceRules(Part):
    price_classes: Items[PriceClass] = Field(
        title="Price classes (价格类别)",
        description="The classes a service may be offered in.",
        min_length=1,
    )


# --- evaluation ---------------------------------------------------------------------------------


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


# --- points -------------------------------------------------------------------------------------


class EarnRule(Titled):
    """What earns points, and how many."""

    points: int = Field(title="Points (积分)", description="Earned each.", ge=1, le=100_000)
    per: Literal["hour", "time"] = Field(
        title="Per (计量)", description="For each attested hour (小时), or each time (次)."
    )


class PointRules(Part):
    earn: Items[EarnRule] = Field(title="Earning (积分获取)", description="What earns points.")
    expire_after_months: int | None = Field(
        default=None,
        title="Expire after (有效月数)",
        description="Months from earning; absent where points never expire.",
        ge=1,
        le=600,
    )


# --- venue standard -----------------------------------------------------------------------------


class VenueFunction(Titled):
    """One function a venue has."""

    required: bool = Field(
        title="Required (必备)", description="true: required; false: recommended."
    )


class Aspect(Titled):
    """A group of functions."""

    functions: Items[VenueFunction] = Field(
        title="Functions (功能)", description="What belongs to this aspect.", min_length=1
    )


class VenueStandard(Part):
    min_area_m2: int = Field(
        title="Area at least (最小面积)",
        description="Of a community's venue, in square metres.",
        ge=0,
        le=1_000_000,
    )
    reserved_floor_share: Rate | None = Field(
        default=None,
        title="Reserved floor share (配建比例)",
        description="Of a new estate's floor area, set aside for the community: 0.002 is 2 ‰.",
    )
    aspects: Items[Aspect] = Field(
        title="Aspects (功能类别)", description="The functions a venue should have, grouped."
    )


# --- meetings -----------------------------------------------------------------------------------


class JointMeeting(Part):
    """The joint meeting (联席会) of community and partners."""

    cadence: Literal["monthly", "quarterly"] = Field(
        title="Cadence (周期)", description="How often it is held."
    )
    day_of_month: int | None = Field(
        default=None,
        title="Day of the month (日期)",
        description="A day that every month has; absent where it is called freely.",
        ge=1,
        le=28,
    )


class Deliberation(Part):
    """Deliberation by residents (议事)."""

    cadence: Literal["weekly", "monthly"] = Field(
        title="Cadence (周期)", description="How often it is held."
    )
    steps: Items[Titled] = Field(
        title="Steps (步骤)",
        description="In their order, from raising to evaluating.",
        min_length=1,
    )


class MeetingCalendar(Part):
    joint: JointMeeting = Field(
        title="Joint meeting (联席会)", description="Community and partners meet."
    )
    deliberation: Deliberation = Field(title="Deliberation (议事)", description="Residents meet.")


# --- disclosure ---------------------------------------------------------------------------------


class Disclosed(Part):
    """Something made public, and how soon."""

    key: Literal["movements", "contributions", "donations", "decisions", "evaluations"] = Field(
        title="Key (标识)",
        description="The fund's movements, partners' contributions, donations and their use, "
        "the committee's decisions, evaluations.",
    )
    title: Text = Field(title="Title (名称)", description="What people read.")
    within_days: int = Field(
        title="Within days (公开期限)",
        description="Days from the event to its publication.",
        ge=0,
        le=365,
    )


class DisclosureRules(Part):
    items: Items[Disclosed] = Field(
        title="Items (公开事项)", description="What is made public.", min_length=1
    )


# --- onboarding ---------------------------------------------------------------------------------


class Step(Titled):
    """A step a community takes to come on board."""

    evidence: Text = Field(title="Evidence (佐证)", description="What shows that it is done.")


class OnboardingChecklist(Part):
    steps: Items[Step] = Field(title="Steps (步骤)", description="In their order.", min_length=1)


class OperatingModel(Part):
    """A street office's way of running its communities, as one document."""

    partners: PartnerRules = Field(
        title="Partners (合伙人)", description="Who takes part and what they pay back."
    )
    fund: FundRules = Field(
        title="Fund (社区发展基金)", description="How income is split, spent and decided on."
    )
    services: ServiceRules = Field(
        title="Services (服务与价格)", description="At what prices services are offered."
    )
    evaluation: EvaluationRules = Field(
        title="Evaluation (评价)", description="How partners are judged."
    )
    points: PointRules = Field(title="Points (积分)", description="How volunteers earn points.")
    venues: VenueStandard = Field(
        title="Venue standard (阵地标准)", description="What a venue should offer."
    )
    meetings: MeetingCalendar = Field(
        title="Meetings (会议日程)", description="Who meets how often."
    )
    disclosure: DisclosureRules = Field(
        title="Disclosure (信息公开)", description="What is made public within what time."
    )
    onboarding: OnboardingChecklist = Field(
        title="Onboarding (入驻清单)",
        description="The steps a community takes, and their evidence.",
    )
