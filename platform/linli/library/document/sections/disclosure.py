"""What is made public, and how soon (X1)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from linli.library.document.parts import Items, Part, Text


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
