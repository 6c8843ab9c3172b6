"""The steps a community takes (T3)."""

from __future__ import annotations

from pydantic import Field

from linli.library.document.parts import Items, Part, Text, Titled


class Step(Titled):
    """A step a community takes to come on board."""

    evidence: Text = Field(title="Evidence (佐证)", description="What shows that it is done.")


class OnboardingChecklist(Part):
    steps: Items[Step] = Field(title="Steps (步骤)", description="In their order.", min_length=1)
