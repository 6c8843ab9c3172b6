"""What supervisors compare of communities (C1)."""

from datetime import date

from django.utils.translation import gettext_lazy as _

from linli.comparison.measures import Direction, Measure, Unit, register
from tenants.communities.selectors import communities_on


def count_communities(as_of: date) -> int:
    """Communities and villages on board on the day."""
    return communities_on(as_of).count()


register(
    Measure(
        key="communities",
        title=_("Communities on board"),
        unit=Unit.COUNT,
        direction=Direction.MORE,
        source=_("the tenant's register of communities"),
        definition=_("Communities and villages on board on the day."),
        work_out=count_communities,
    )
)
