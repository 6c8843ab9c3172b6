"""A street with a model in force, a community with a fund, and the people around it."""

from datetime import date
from types import SimpleNamespace

import pytest

from linli.accounts.policy import Role, system_actor
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community
from tenants.fund.actions import open_fund
from tests.support.models import adopt_chengnan


def furnish(actor_as) -> SimpleNamespace:
    """Works in the database of the moment; the connection stays in the street's schema."""
    street = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
    staff = {
        role: actor_as(street, role)
        for role in (
            Role.STREET_ADMINISTRATOR,
            Role.COMMUNITY_SECRETARY,
            Role.CHARITY_APPROVER,
            Role.CHARITY_CASHIER,
            Role.AUDITOR,
        )
    }
    with tenant_context(street):
        system = system_actor(street)
        community = add_community(actor=system, name="城南社区", opened_on=date(2024, 1, 1))
        adopt_chengnan(street, effective_from=date(2024, 1, 1))
        fund = open_fund(
            actor=staff[Role.STREET_ADMINISTRATOR],
            community_id=community.pk,
            host_charity="淄博市慈善总会",
            opened_on=date(2024, 1, 1),
        )
    return SimpleNamespace(
        street=street,
        community=community,
        fund=fund,
        administrator=staff[Role.STREET_ADMINISTRATOR],
        secretary=staff[Role.COMMUNITY_SECRETARY],
        approver=staff[Role.CHARITY_APPROVER],
        cashier=staff[Role.CHARITY_CASHIER],
        auditor=staff[Role.AUDITOR],
    )


@pytest.fixture
def house(db: None, actor_as):
    made = furnish(actor_as)
    with tenant_context(made.street):
        yield made


@pytest.fixture
def committed_house(scratch_database, actor_as):
    made = furnish(actor_as)
    made.database = scratch_database
    with tenant_context(made.street):
        yield made
