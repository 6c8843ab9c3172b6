"""Administrators who make clients, at a street office and above it."""

import pytest

from linli.accounts.policy import Role, actor_for
from tests.support.factories import MembershipFactory


@pytest.fixture
def administrator(street, actor_as):
    """Of the street office; holds what a street administrator holds, so neither approves nor pays."""
    return actor_as(street, Role.STREET_ADMINISTRATOR)


@pytest.fixture
def treasurer(street, administrator):
    """An administrator who also approves and pays for the charity, in a small place."""
    for role in (Role.CHARITY_APPROVER, Role.CHARITY_CASHIER):
        MembershipFactory(person=administrator.person, tenant=street, role=role)
    return actor_for(administrator.person, street)


@pytest.fixture
def district_administrator(district, actor_as):
    return actor_as(district, Role.DISTRICT_ADMINISTRATOR)
