"""What supervisors compare of partners (C1)."""

from datetime import date

from django.utils.translation import gettext_lazy as _

from linli.comparison.measures import Direction, Measure, Unit, register
from tenants.partners.selectors import operating_on


def count_operating(as_of: date) -> int:
    """Partners with an agreement in force on the day."""
    return operating_on(as_of).count()


register(
    Measure(
        key="partners_operating",
        title=_("Partners operating"),
        unit=Unit.COUNT,
        direction=Direction.MORE,
        source=_("the tenant's agreements"),
        definition=_("Partners with at least one agreement in force on the day."),
        work_out=count_operating,
    )
)
