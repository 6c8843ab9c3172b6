"""The trail through the API: each schema's own, for who answers for it."""

from datetime import date

import pytest

from linli.accounts.policy import Role, actor_for
from linli.tenancy.context import tenant_context
from linli_api import ids
from onboarding.tenants import suspend_tenant
from tenants.communities.actions import add_community, update_community
from tests.support.api import ask, done, errors, statements

ENTRIES = """query($objectId: ID, $action: String) {
    auditEntries(objectId: $objectId, action: $action) {
        nodes { action objectId personId personName before after reason }
    }
}"""


def entries(actor, **arguments):
    return ask(actor, ENTRIES, **arguments)["auditEntries"]["nodes"]


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


@pytest.fixture
def community(street, administrator):
    with tenant_context(street):
        return add_community(actor=administrator, name="城南社区", opened_on=date(2024, 3, 1))


def test_who_did_what_to_what_newest_first(street, administrator, community, actor_as):
    with tenant_context(street):
        update_community(
            actor=administrator, community_id=community.pk, residents=8000, reason="counted"
        )
    person = ids.encode("Person", administrator.person.pk)
    who = {"personId": person, "personName": administrator.person.name}
    changed, added = entries(actor_as(street, Role.AUDITOR))
    assert changed == {
        "action": "communities.updated",
        "objectId": ids.encode("Community", community.pk),
        "before": {"residents": None},
        "after": {"residents": 8000},
        "reason": "counted",
        **who,
    }
    assert (added["action"], added["before"]) == ("communities.added", None)
    assert added["after"]["name"] == "城南社区"


def test_of_one_object_and_of_one_action(street, administrator, community, actor_as):
    with tenant_context(street):
        add_community(actor=administrator, name="别的社区", opened_on=date(2024, 3, 1))
    auditor = actor_as(street, Role.AUDITOR)
    [one] = entries(auditor, objectId=ids.encode("Community", community.pk))
    assert one["after"]["name"] == "城南社区"
    assert len(entries(auditor, action="communities.added")) == 2
    assert entries(auditor, action="communities.updated") == []
    assert errors(auditor, ENTRIES, objectId="?") == [("NOT_FOUND", "objectId")]


def test_a_tenant_sees_its_own_only(street, other_street, community, actor_as):
    auditor = actor_as(other_street, Role.AUDITOR)
    assert entries(auditor) == []
    assert entries(auditor, objectId=ids.encode("Community", community.pk)) == []


@pytest.mark.parametrize("role", [Role.COMMUNITY_SECRETARY, Role.CHARITY_CASHIER, Role.PARTNER])
def test_not_for_every_role(street, community, actor_as, role):
    assert errors(actor_as(street, role), ENTRIES) == [("FORBIDDEN", None)]


def test_statements_do_not_grow_with_the_rows(street, administrator, community):
    query = "{ auditEntries { totalCount nodes { action objectId personName after } } }"
    few = statements(administrator, query)
    with tenant_context(street):
        for number in range(5):
            add_community(actor=administrator, name=f"社区{number}", opened_on=date(2024, 3, 1))
    assert statements(administrator, query) == few


class TestAtThePlatform:
    def test_the_operator_sees_all_of_it(self, street, actor_as):
        operator = actor_as(None, Role.PLATFORM_OPERATOR)
        suspend_tenant(actor=operator, tenant_id=street.pk, reason="not paid")
        [one] = entries(
            operator, objectId=ids.encode("Tenant", street.pk), action="tenants.suspended"
        )
        assert (one["reason"], one["personName"]) == ("not paid", operator.person.name)
        assert one["after"] == {"status": "suspended"}

    def test_others_see_what_is_said_of_tenants_they_audit(
        self, city, district, street, other_street, actor_as
    ):
        operator = actor_as(None, Role.PLATFORM_OPERATOR)
        suspend_tenant(actor=operator, tenant_id=street.pk, reason="not paid")
        suspend_tenant(actor=operator, tenant_id=other_street.pk, reason="not paid either")
        done(operator, "registerPerson", "person { id }", username="wang", name="王芳")
        auditor = actor_as(None, Role.AUDITOR, held_at=district)
        seen = [one for one in entries(auditor) if one["action"] != "tenants.provisioned"]
        objects = {one["objectId"] for one in entries(auditor)}
        assert [one["reason"] for one in seen if one["reason"]] == ["not paid"]
        assert objects <= {ids.encode("Tenant", t.pk) for t in (district, street)}

    def test_a_role_given_there_is_seen_by_the_tenants_auditor(self, street, actor_as):
        administrator = actor_as(None, Role.STREET_ADMINISTRATOR, held_at=street)
        operator = actor_as(None, Role.PLATFORM_OPERATOR)
        person = done(operator, "registerPerson", "person { id }", username="wang", name="王芳")
        given = {
            "personId": person["id"],
            "tenantId": ids.encode("Tenant", street.pk),
            "role": "COMMUNITY_WORKER",
        }
        membership = done(administrator, "grantMembership", "membership { id }", **given)
        [one] = entries(actor_as(None, Role.AUDITOR, held_at=street), objectId=membership["id"])
        assert one["action"] == "accounts.membership_granted"
        assert one["personName"] == administrator.person.name

    def test_whoever_audits_nothing_sees_nothing(self, street, actor_as):
        worker = actor_as(None, Role.COMMUNITY_WORKER, held_at=street)
        assert errors(worker, ENTRIES) == [("FORBIDDEN", None)]
        worker.person.memberships.update(ended_on="2020-02-01")
        assert errors(actor_for(worker.person, None), ENTRIES) == [("FORBIDDEN", None)]
