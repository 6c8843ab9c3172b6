"""Who takes part, and what they get in return (P)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from linli.library.document.parts import Items, Key, Part, Titled
from linli.library.document.sections.contributions import ContributionRule


class Kind(Titled):
    """Who may be a partner: the 1+3+N of the place."""

    tier: Literal["lead", "core", "extended"] = Field(
        title="Tier (层级)",
        description="lead: the party organisation, the 1; core: the 3; extended: the N.",
    )


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
