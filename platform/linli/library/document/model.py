"""The operating model (运营模式): the whole configurable document.

Its JSON Schema is published, so each field says what it means. A later field needs a default:
documents once published stay valid for good, and keep their digest.
"""

from __future__ import annotations

from pydantic import Field

from linli.library.document.parts import Part
from linli.library.document.sections.disclosure import DisclosureRules
from linli.library.document.sections.evaluation import EvaluationRules
from linli.library.document.sections.fund import FundRules
from linli.library.document.sections.meetings import MeetingCalendar
from linli.library.document.sections.onboarding import OnboardingChecklist
from linli.library.document.sections.partners import PartnerRules
from linli.library.document.sections.points import PointRules
from linli.library.document.sections.services import ServiceRules
from linli.library.document.sections.venues import VenueStandard


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
