"""Turns a query, once, into one SQL statement that builds the JSON of its answer (docs/planner.md).

`plans` keeps and runs plans, `compiling` makes their SQL, `fields` knows what each kind of field
becomes, `forms` how values are written, `holes` what stays open until a plan runs.
"""

from linli_api.planner import fields  # noqa: F401  # enters what it knows
from linli_api.planner.plans import Ready, known_plan, planned_answer

__all__ = ["Ready", "known_plan", "planned_answer"]
