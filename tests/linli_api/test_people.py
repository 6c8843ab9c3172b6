"""People and their roles through the API, as administrators see them."""

from datetime import date

import pytest
from django.utils import timezone

from linli.accounts.models import Membership, Person
from linli.accounts.policy import Role, system_actor
from linli.accounts.roles import DUTIES
from linli.accounts.scopes import scopes_for
from linli.audit.models import Entry
from linli.clients.actions import create_personal_token
from linli.clients.admission import admit
from linli.tenancy.context import tenant_context
from linli_api import ids
from tenants.communities.actions import add_community
from tests.support.api import ask, do, done, errors, refused, statements
from tests.support.factories import MembershipFactory, PersonFactory

NOBODY = "00000000-0000-7000-8000-000000000000"
PERSON = "query($id: ID!) { person(id: $id) { name memberships { nodes { role } } } }"


def global_id(row) -> str:
    return ids.encode(type(row).__name__, row.pk)


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(None, Role.STREET_ADMINISTRATOR, held_at=street)


@pytest.fixture
def worker(street):
    person = PersonFactory(name="李工", email="li@example.org", phone="")
    MembershipFactory(person=person, tenant=street, role=Role.COMMUNITY_WORKER)
    return person


class TestPeople:
    def test_those_with_a_role_where_the_caller_gives_them_out(
        self, other_street, administrator, worker
    ):
        MembershipFactory(person=worker, tenant=other_street, role=Role.CHARITY_CASHIER)
        query = """query($id: ID!) { person(id: $id) {
            id username name email phone isActive
            memberships { totalCount nodes { role tenant { slug } startsOn endedOn communityId } }
        } }"""
        assert ask(administrator, query, id=global_id(worker))["person"] == {
            "id": global_id(worker),
            "username": worker.username,
            "name": "李工",
            "email": "li@example.org",
            "phone": None,
            "isActive": True,
            # The role elsewhere is not theirs to see.
            "memberships": {
                "totalCount": 1,
                "nodes": [
                    {
                        "role": "COMMUNITY_WORKER",
                        "tenant": {"slug": "chezhan"},
                        "startsOn": "2020-01-01",
                        "endedOn": None,
                        "communityId": None,
                    }
                ],
            },
        }

    def test_everybody_else_is_nobody(self, other_street, administrator):
        stranger = MembershipFactory(tenant=other_street).person
        for key in (stranger.pk, NOBODY):
            assert errors(administrator, PERSON, id=ids.encode("Person", key)) == [
                ("NOT_FOUND", "id")
            ]

    def test_who_sees_no_roles_sees_nobody_not_even_themselves(self, street, actor_as):
        cashier = actor_as(None, Role.CHARITY_CASHIER, held_at=street)
        assert errors(cashier, PERSON, id=global_id(cashier.person)) == [("FORBIDDEN", None)]

    def test_an_auditor_sees_who_has_a_role_there_and_changes_nothing(
        self, street, other_street, actor_as, worker
    ):
        auditor = actor_as(None, Role.AUDITOR, held_at=street)
        assert ask(auditor, PERSON, id=global_id(worker))["person"]["name"] == "李工"
        strangers = MembershipFactory(tenant=other_street).person, PersonFactory()
        for person in strangers:  # nor who is registered and has no role yet
            assert errors(auditor, PERSON, id=global_id(person)) == [("NOT_FOUND", "id")]
        given = {"personId": global_id(worker), "reason": "离职"}
        assert refused(auditor, "disablePerson", **given) == [("FORBIDDEN", None)]

    def test_one_with_several_roles_is_listed_once(self, street, other_street, actor_as, worker):
        for tenant in (street, other_street):
            MembershipFactory(person=worker, tenant=tenant, role=Role.AUDITOR)
        administrator = actor_as(None, Role.STREET_ADMINISTRATOR, held_at=street)
        listed = ask(administrator, "{ people { totalCount nodes { id } } }")["people"]
        found = [node["id"] for node in listed["nodes"]]
        assert (found.count(global_id(worker)), listed["totalCount"]) == (1, len(found))

    def test_the_operator_sees_all(self, db, actor_as):
        operator = actor_as(None, Role.PLATFORM_OPERATOR)
        person = PersonFactory(name="无人")
        assert ask(operator, PERSON, id=global_id(person))["person"] == {
            "name": "无人",
            "memberships": {"nodes": []},
        }


class TestMemberships:
    def test_at_the_tenants_host_those_of_the_tenant(self, street, other_street, actor_as, worker):
        MembershipFactory(person=worker, tenant=other_street)
        administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
        query = "{ memberships { nodes { person { name } role tenant { slug } } } }"
        assert ask(administrator, query)["memberships"]["nodes"] == [
            {
                "person": {"name": "李工"},
                "role": "COMMUNITY_WORKER",
                "tenant": {"slug": "chezhan"},
            },
            {
                "person": {"name": administrator.person.name},
                "role": "STREET_ADMINISTRATOR",
                "tenant": {"slug": "chezhan"},
            },
        ]

    def test_a_districts_administrator_sees_those_below(
        self, district, street, other_street, actor_as, worker
    ):
        MembershipFactory(person=worker, tenant=other_street, role=Role.AUDITOR)
        administrator = actor_as(None, Role.DISTRICT_ADMINISTRATOR, held_at=district)
        query = """query($tenant: ID, $role: Role) { memberships(tenantId: $tenant, role: $role) {
            nodes { role } } }"""

        def roles(**arguments):
            found = ask(administrator, query, **arguments)["memberships"]["nodes"]
            return [one["role"] for one in found]

        assert roles() == ["COMMUNITY_WORKER", "DISTRICT_ADMINISTRATOR"]
        assert roles(tenant=global_id(street)) == ["COMMUNITY_WORKER"]
        assert roles(role="DISTRICT_ADMINISTRATOR") == ["DISTRICT_ADMINISTRATOR"]
        assert roles(tenant=global_id(other_street)) == []

    def test_not_for_who_only_works_there(self, street, actor_as, worker):
        cashier = actor_as(street, Role.CHARITY_CASHIER)
        assert errors(cashier, "{ memberships { totalCount } }") == [("FORBIDDEN", None)]

    def test_statements_do_not_grow_with_the_rows(self, street, administrator):
        query = """{ memberships { totalCount nodes { role tenant { host } grantedBy { name }
            person { name memberships { nodes { role } } } } } }"""
        MembershipFactory(tenant=street, granted_by=administrator.person)
        ask(administrator, query)  # a plan is made once
        few = statements(administrator, query)
        for _ in range(5):
            MembershipFactory(tenant=street, granted_by=administrator.person)
        assert statements(administrator, query) == few


class TestRegistering:
    def test_a_person(self, administrator):
        person = done(
            administrator,
            "registerPerson",
            "person { username name email phone isActive memberships { totalCount } }",
            username="Wang.Fang",
            name="王芳",
            email="Wang@Example.org",
            password="correct horse battery",
        )
        assert person == {
            "username": "wang.fang",
            "name": "王芳",
            "email": "wang@example.org",
            "phone": None,
            "isActive": True,
            "memberships": {"totalCount": 0},
        }
        assert Person.objects.get(username="wang.fang").check_password("correct horse battery")
        assert Entry.objects.latest("id").action == "accounts.person_registered"

    def test_every_fault_is_named(self, administrator, worker):
        given = {"username": "no spaces", "name": "王芳", "phone": "12"}
        assert refused(administrator, "registerPerson", **given) == [
            ("USERNAME_INVALID", "username"),
            ("PHONE_INVALID", "phone"),
        ]
        given = {"username": worker.username, "name": "王芳"}
        assert refused(administrator, "registerPerson", **given) == [("USERNAME_TAKEN", "username")]

    def test_the_wrong_role(self, street, actor_as):
        worker = actor_as(None, Role.COMMUNITY_WORKER, held_at=street)
        given = {"username": "wang", "name": "王芳"}
        assert refused(worker, "registerPerson", **given) == [("FORBIDDEN", None)]


class TestGranting:
    def given(self, tenant, person, role="COMMUNITY_WORKER", **more):
        return {
            "personId": global_id(person),
            "tenantId": global_id(tenant) if tenant else None,
            "role": role,
            **more,
        }

    def test_in_one_community(self, street, administrator):
        with tenant_context(street):
            community = add_community(
                actor=system_actor(street), name="城南社区", opened_on=date(2024, 3, 1)
            )
        person = PersonFactory()
        membership = done(
            administrator,
            "grantMembership",
            "membership { person { name } tenant { slug } role communityId startsOn grantedBy { id } }",
            **self.given(street, person, communityId=global_id(community)),
        )
        assert membership == {
            "person": {"name": person.name},
            "tenant": {"slug": "chezhan"},
            "role": "COMMUNITY_WORKER",
            "communityId": global_id(community),
            "startsOn": timezone.localdate().isoformat(),
            "grantedBy": {"id": global_id(administrator.person)},
        }

    def test_by_the_district_above(self, district, street, actor_as):
        administrator = actor_as(None, Role.DISTRICT_ADMINISTRATOR, held_at=district)
        given = self.given(street, PersonFactory(), "STREET_ADMINISTRATOR")
        assert done(administrator, "grantMembership", "membership { role }", **given) == {
            "role": "STREET_ADMINISTRATOR"
        }

    def test_anothers_community_is_none(self, street, other_street, administrator):
        with tenant_context(other_street):
            elsewhere = add_community(
                actor=system_actor(other_street), name="闻韶社区", opened_on=date(2024, 3, 1)
            )
        for key in (global_id(elsewhere), ids.encode("Community", NOBODY)):
            given = self.given(street, PersonFactory(), communityId=key)
            assert refused(administrator, "grantMembership", **given) == [
                ("NOT_FOUND", "communityId")
            ]

    def test_another_tenant_is_none(self, other_street, administrator):
        given = self.given(other_street, PersonFactory())
        nothing = given | {"tenantId": ids.encode("Tenant", NOBODY)}
        for wrong in (given, nothing):
            assert refused(administrator, "grantMembership", **wrong) == [("NOT_FOUND", "tenantId")]

    def test_where_the_caller_only_works(self, street, other_street, administrator):
        MembershipFactory(
            person=administrator.person, tenant=other_street, role=Role.COMMUNITY_WORKER
        )
        given = self.given(other_street, PersonFactory())
        assert refused(administrator, "grantMembership", **given) == [("FORBIDDEN", None)]

    def test_who_works_elsewhere_is_nobody_here(self, street, other_street, administrator):
        stranger = MembershipFactory(tenant=other_street).person
        for key in (stranger.pk, NOBODY):
            given = self.given(street, stranger) | {"personId": ids.encode("Person", key)}
            assert refused(administrator, "grantMembership", **given) == [("NOT_FOUND", "personId")]

    def test_who_works_elsewhere_by_an_administrator_above_both(
        self, city, street, other_street, actor_as
    ):
        supervisor = actor_as(None, Role.CITY_SUPERVISOR, held_at=city)
        person = MembershipFactory(tenant=other_street).person
        given = self.given(street, person)
        assert done(supervisor, "grantMembership", "membership { tenant { slug } }", **given) == {
            "tenant": {"slug": "chezhan"}
        }

    def test_nothing_above_ones_own_reach(self, street, city, administrator, worker):
        given = self.given(None, worker, "PLATFORM_OPERATOR")
        assert refused(administrator, "grantMembership", **given) == [("ROLE_ABOVE_REACH", "role")]
        given = self.given(street, administrator.person)
        assert refused(administrator, "grantMembership", **given) == [("GRANT_TO_SELF", "personId")]

    def test_a_role_held_already(self, street, administrator, worker):
        given = self.given(street, worker)
        assert refused(administrator, "grantMembership", **given) == [("MEMBERSHIP_EXISTS", "role")]


def test_a_program_that_may_not_see_people_still_gives_out_roles(street, administrator, worker):
    """By ids it was told; it is shown nothing of them."""
    scopes = [*scopes_for(DUTIES[Role.COMMUNITY_WORKER].own), "people:write"]
    _row, token = create_personal_token(
        actor=administrator, name="花名册", scopes=scopes, tenant=None
    )
    acting = admit(token, None).actor
    assert errors(acting, PERSON, id=global_id(worker)) == [("FORBIDDEN", None)]
    given = {"personId": global_id(worker), "tenantId": global_id(street), "role": "PARTNER"}
    assert do(acting, "grantMembership", **given) == {"errors": []}
    for membership in worker.memberships.all():
        ended = {"membershipId": global_id(membership)}
        assert do(acting, "endMembership", **ended) == {"errors": []}
    assert not Membership.objects.live().filter(person=worker, ended_on=None).exists()


class TestEnding:
    def test_from_today_on(self, administrator, worker):
        membership = worker.memberships.get()
        ended = done(
            administrator,
            "endMembership",
            "membership { role endedOn }",
            membershipId=global_id(membership),
            reason="moved away",
        )
        today = timezone.localdate().isoformat()
        assert ended == {"role": "COMMUNITY_WORKER", "endedOn": today}
        assert not Membership.objects.live().filter(person=worker).exists()

    def test_anothers_is_none(self, other_street, administrator):
        elsewhere = MembershipFactory(tenant=other_street)
        for key in (elsewhere.pk, NOBODY):
            given = {"membershipId": ids.encode("Membership", key)}
            assert refused(administrator, "endMembership", **given) == [
                ("NOT_FOUND", "membershipId")
            ]

    def test_the_wrong_role(self, street, actor_as, worker):
        auditor = actor_as(None, Role.AUDITOR, held_at=street)
        given = {"membershipId": global_id(worker.memberships.get())}
        assert refused(auditor, "endMembership", **given) == [("FORBIDDEN", None)]
