"""What a venue should offer (V1)."""

from __future__ import annotations

from pydantic import Field

from linli.library.document.parts import Items, Part, Rate, Titled


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
