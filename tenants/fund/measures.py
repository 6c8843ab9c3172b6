"""What supervisors compare of funds (C1). Amounts in fen, from the postings up to the day."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from linli.comparison.measures import Direction, Measure, Unit, register
from tenants.communities.selectors import communities_on
from tenants.fund.models import Account, Posting, Source

HELD, SOURCE = Account.Kind.HELD, Account.Kind.SOURCE
# What a community earns itself; donations and the government's money are given to it.
OWN = [
    f"source:{source.value}"
    for source in (
        Source.STATIONED,
        Source.VISITING,
        Source.MARKET,
        Source.MICRO_WORKSHOP,
        Source.SPACE_RENT,
    )
]
DAYS_A_YEAR = 365


def income_fen(as_of: date) -> int:
    """What came into held accounts from sources in the calendar year so far, less reversals."""
    return _income(_this_year(as_of), kind=SOURCE)


def balance_fen(as_of: date) -> int:
    """What the held accounts held at the end of the day."""
    totals = Posting.objects.filter(happened_on__lte=as_of).aggregate(
        into=Sum("amount_fen", filter=Q(credit__kind=HELD), default=0),
        out=Sum("amount_fen", filter=Q(debit__kind=HELD), default=0),
    )
    return int(totals["into"] - totals["out"])


def self_reliance(as_of: date) -> Decimal | None:
    """Own income of the year so far ÷ operating cost of as many days; None without any cost.

    Only communities whose cost is known count, on both sides. Money of theirs in a fund of the
    whole street is what their partners contributed to it.
    """
    known = communities_on(as_of).values_list("pk", "operating_cost_fen")
    costs = {pk: cost for pk, cost in known if cost}
    if not costs:
        return None
    of_its_own = Q(debit__fund__community__in=costs)
    in_the_streets = Q(
        debit__fund__community=None,
        contribution__partner__community__in=costs,
    )
    income = _income(_this_year(as_of).filter(of_its_own | in_the_streets), code__in=OWN)
    elapsed = as_of.timetuple().tm_yday
    return Decimal(income * DAYS_A_YEAR) / (sum(costs.values()) * elapsed)


def _this_year(as_of: date) -> QuerySet[Posting]:
    return Posting.objects.filter(
        happened_on__gte=as_of.replace(month=1, day=1), happened_on__lte=as_of
    )


def _income(postings: QuerySet[Posting], **source: object) -> int:
    """Fen from such sources into held accounts; what a reversal sent back is taken off."""
    totals = postings.aggregate(
        come=Sum("amount_fen", filter=Q(credit__kind=HELD) & _side("debit", source), default=0),
        gone=Sum("amount_fen", filter=Q(debit__kind=HELD) & _side("credit", source), default=0),
    )
    return int(totals["come"] - totals["gone"])


def _side(side: str, account: Mapping[str, object]) -> Q:
    """Conditions on an account, asked of one side of a posting."""
    return Q(**{f"{side}__{field}": value for field, value in account.items()})


register(
    Measure(
        key="fund_income_fen",
        title=_("Fund income this year"),
        unit=Unit.FEN,
        direction=Direction.MORE,
        source=_("the postings of the tenant's funds"),
        definition=_("Received from all sources from 1 January to the day, reversals taken off."),
        work_out=income_fen,
        of_year=True,
    )
)
register(
    Measure(
        key="fund_balance_fen",
        title=_("Fund balance"),
        unit=Unit.FEN,
        direction=Direction.MORE,
        source=_("the postings of the tenant's funds"),
        definition=_("Held in all funds at the end of the day."),
        work_out=balance_fen,
    )
)
register(
    Measure(
        key="self_reliance_rate",
        title=_("Self-reliance rate"),
        unit=Unit.SHARE,
        direction=Direction.MORE,
        source=_("the postings of the tenant's funds; the communities' operating costs"),
        definition=_(
            "Own income (contributions, markets, workshops, rents) from 1 January to the day ÷ "
            "operating cost of as many days; communities whose cost is not known are left out."
        ),
        work_out=self_reliance,
        of_year=True,
    )
)
