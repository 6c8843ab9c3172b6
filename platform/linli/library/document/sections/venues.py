"""What a venue should offer (V1)."""

from __future__ import annotations

from linli.library.document.parts import Items, Part, Rate, Titled
from linli.library.document.wording import field


class VenueFunction(Titled):
    """One function a venue has."""

    required: bool = field(
        ("Required", "必备"),
        ("true: required; false: recommended.", "“是”为必备，“否”为推荐。"),
    )
    min_area_m2: int | None = field(
        ("Area at least", "最小面积"),
        ("That the function needs; absent: any.", "此功能所需的面积；不填为不限。"),
        unit="m2", example=60, default=None, ge=1, le=100_000,
    )  # fmt: skip


class Aspect(Titled):
    """A group of functions."""

    functions: Items[VenueFunction] = field(
        ("Functions", "功能"), ("What belongs to this aspect.", "此类所含的功能。"), min_length=1
    )


class VenueStandard(Part):
    min_area_m2: int = field(
        ("Area at least", "最小面积"),
        ("Of a community's venue, in square metres.", "一个社区阵地的面积，单位为平方米。"),
        unit="m2", example=500, ge=0, le=1_000_000,
    )  # fmt: skip
    recommended_area_m2: int | None = field(
        ("Area recommended", "推荐面积"),
        ("What a venue should come to in time.", "阵地今后宜达到的面积。"),
        unit="m2", example=1000, default=None, ge=0, le=1_000_000,
    )  # fmt: skip
    reserved_floor_share: Rate | None = field(
        ("Reserved floor share", "配建比例"),
        (
            "The least of a new estate's floor area that is set aside for the community: 0.002 is 2 ‰.",
            "新建小区建筑面积中至少留给社区的比例：0.002即2‰。",
        ),
        unit="share", example="0.002", default=None,
    )  # fmt: skip
    reserved_floor_share_at_most: Rate | None = field(
        ("Reserved floor share at most", "配建比例上限"),
        ("The most that may be asked of a new estate.", "对新建小区最多可要求的比例。"),
        unit="share", example="0.004", default=None,
    )  # fmt: skip
    aspects: Items[Aspect] = field(
        ("Aspects", "功能类别"),
        ("The functions a venue should have, grouped.", "阵地应具备的功能，分类列出。"),
    )
