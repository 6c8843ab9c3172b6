"""The operating model (运营模式): the whole configurable document.

Its JSON Schema is published, so each field says what it means. A later field needs a default:
documents once published stay valid for good, and keep their digest.
"""

from __future__ import annotations

from linli.library.document.parts import Part
from linli.library.document.sections.disclosure import DisclosureRules
from linli.library.document.sections.evaluation import EvaluationRules
from linli.library.document.sections.fund import FundRules
from linli.library.document.sections.meetings import MeetingCalendar
from linli.library.document.sections.needs import NeedRules
from linli.library.document.sections.onboarding import OnboardingChecklist
from linli.library.document.sections.partners import PartnerRules
from linli.library.document.sections.points import PointRules
from linli.library.document.sections.services import ServiceRules
from linli.library.document.sections.venues import VenueStandard
from linli.library.document.wording import field


class OperatingModel(Part):
    """A street office's way of running its communities, as one document."""

    partners: PartnerRules = field(
        ("Partners", "合伙人"),
        ("Who takes part and what they pay back.", "谁参与，反哺多少。"),
    )
    fund: FundRules = field(
        ("Fund", "社区发展基金"),
        ("How income is split, spent and decided on.", "收入如何分配、使用和决定。"),
    )
    services: ServiceRules = field(
        ("Services", "服务与价格"),
        ("At what prices services are offered, and how they are rated.", "服务的价格与评价。"),
    )
    evaluation: EvaluationRules = field(
        ("Evaluation", "评价"), ("How partners are judged.", "如何评价合伙人。")
    )
    points: PointRules = field(
        ("Points", "积分"),
        ("How volunteers earn points, and what for.", "志愿者如何获得和使用积分。"),
    )
    venues: VenueStandard = field(
        ("Venue standard", "阵地标准"), ("What a venue should offer.", "阵地应具备什么。")
    )
    meetings: MeetingCalendar = field(
        ("Meetings", "会议日程"), ("Who meets how often.", "谁多久开一次会。")
    )
    disclosure: DisclosureRules = field(
        ("Disclosure", "信息公开"),
        ("What is made public within what time.", "公开什么，多久公开。"),
    )
    onboarding: OnboardingChecklist = field(
        ("Onboarding", "入驻清单"),
        (
            "The steps a community takes, and their evidence; the stages of a roll-out.",
            "社区入驻的步骤与佐证；推广的阶段。",
        ),
    )
    needs: NeedRules = field(
        ("Needs", "需求清单"),
        ("How needs are found out, and the ledgers.", "如何摸清需求，以及各类清单。"),
        default=NeedRules(),
    )
