"""Chezhan's street office on a day in 2026, with Chengnan's model and people at work."""

from datetime import date
from types import SimpleNamespace

import pytest

from linli.accounts.policy import Role, system_actor
from linli.tenancy.context import tenant_context
from linli_api import ids
from tenants.communities.actions import add_community
from tests.support.calendar import on_day
from tests.support.models import adopt_chengnan

TODAY = date(2026, 6, 15)


@pytest.fixture
def house(street, actor_as):
    """Works in the street's schema. ``chengnan`` and ``gongsheng`` are global ids; the secretary
    is chengnan's."""
    with on_day(TODAY), tenant_context(street):
        adopt_chengnan(street, effective_from=date(2024, 1, 1))
        chengnan, gongsheng = (
            add_community(actor=system_actor(street), name=name, opened_on=date(2024, 1, 1))
            for name in ("城南社区", "工盛社区")
        )
        yield SimpleNamespace(
            street=street,
            chengnan=ids.encode("Community", chengnan.pk),
            gongsheng=ids.encode("Community", gongsheng.pk),
            administrator=actor_as(street, Role.STREET_ADMINISTRATOR),
            secretary=actor_as(street, Role.COMMUNITY_SECRETARY, community_id=chengnan.pk),
            approver=actor_as(street, Role.CHARITY_APPROVER),
            cashier=actor_as(street, Role.CHARITY_CASHIER),
            auditor=actor_as(street, Role.AUDITOR),
            partner=actor_as(street, Role.PARTNER),
        )
