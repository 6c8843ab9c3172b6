"""A street with Chengnan's model in force since 2024, two communities, and its people."""

from datetime import date
from types import SimpleNamespace

import pytest

from linli.accounts.policy import Role, system_actor
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community
from tenants.partners.actions import admit_partner, sign_agreement
from tests.support.models import adopt_chengnan

ADOPTED = date(2024, 1, 1)


def furnish(actor_as) -> SimpleNamespace:
    """Works in the database of the moment, be it a test's transaction or a scratch one."""
    street = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
    with tenant_context(street):
        system = system_actor(street)
        chengnan = add_community(actor=system, name="城南社区", opened_on=ADOPTED)
        gongsheng = add_community(actor=system, name="工盛社区", opened_on=ADOPTED)
        adopt_chengnan(street, effective_from=ADOPTED)
        clinic = admit_partner(
            actor=system, community_id=chengnan.pk, name="区人民医院", kind="enterprise"
        )
    return SimpleNamespace(
        street=street,
        chengnan=chengnan,
        gongsheng=gongsheng,
        clinic=clinic,
        administrator=actor_as(street, Role.STREET_ADMINISTRATOR),
        auditor=actor_as(street, Role.AUDITOR),
        secretary=actor_as(street, Role.COMMUNITY_SECRETARY, community_id=chengnan.pk),
        elsewhere=actor_as(street, Role.COMMUNITY_SECRETARY, community_id=gongsheng.pk),
    )


def signed(house: SimpleNamespace, **given):
    """The clinic's agreement for 2024 to 2026, 3 % as the model has it."""
    terms = {
        "mode": "stationed",
        "rule_key": "stationed",
        "starts_on": ADOPTED,
        "ends_on": date(2027, 1, 1),
    }
    return sign_agreement(actor=house.administrator, partner_id=house.clinic.pk, **terms | given)


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
