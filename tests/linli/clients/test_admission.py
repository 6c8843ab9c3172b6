"""From a bearer token to an actor: always fresh, one statement, and nothing at another's host."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linli.accounts.actions import end_membership
from linli.accounts.models import Membership, Person
from linli.accounts.policy import Permission, Role, actor_for, covered, system_actor
from linli.accounts.selectors import memberships, people, tenants
from linli.clients import actions, selectors
from linli.clients.admission import admit
from linli.clients.models import AccessToken, PersonalToken
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tests.support.factories import MembershipFactory
from tests.support.programs import program

P = Permission


def permissions(actor):
    return {permission for permission in P if actor.allows(permission)}


@pytest.fixture
def ours(administrator):
    return program(administrator, "partners:read", "partners:write")


@pytest.fixture
def districts(district_administrator):
    """Covers the street offices of the district."""
    return program(
        district_administrator, "partners:read", "comparison:read", "tenants:read", "people:read",
        covers_below=True, name="区平台",
    )  # fmt: skip


class TestWhere:
    def test_at_home_with_what_its_scopes_stand_for(self, ours, street):
        actor = admit(ours.token(), street).actor
        assert permissions(actor) == {
            P.PARTNERS_READ, P.PARTNERS_ADMIT, P.PARTNERS_SIGN, P.PARTNERS_DECLARE,
        }  # fmt: skip
        assert (actor.person, actor.tenant, actor.client.name) == (None, street, "小程序")

    def test_at_another_tenants_host_it_is_unknown(self, ours, other_street, district, city):
        token = ours.token()
        for elsewhere in (other_street, district, city):
            assert admit(token, elsewhere) is None

    def test_a_districts_is_good_below_only_if_it_covers_it(
        self, districts, district_administrator, district, street, other_street, city
    ):
        covering = districts.token()
        assert admit(covering, district)
        assert permissions(admit(covering, street).actor) >= {P.PARTNERS_READ}
        for elsewhere in (other_street, city):
            assert admit(covering, elsewhere) is None
        alone = program(district_administrator, "partners:read").token()
        assert admit(alone, district)
        assert admit(alone, street) is None

    def test_a_citys_covers_two_levels(self, city, district, street, other_street, actor_as):
        supervisor = actor_as(city, Role.CITY_SUPERVISOR)
        token = program(supervisor, "fund:read", covers_below=True).token()
        for tenant in (city, district, street, other_street):
            assert permissions(admit(token, tenant).actor) == {P.FUND_READ}

    def test_in_a_suspended_unit_it_reads(self, ours, street):
        token = ours.token()
        street.status = Tenant.Status.SUSPENDED
        assert permissions(admit(token, street).actor) == {P.PARTNERS_READ}
        street.status = Tenant.Status.ACTIVE
        assert P.PARTNERS_SIGN in permissions(admit(token, street).actor)


class TestAtThePlatform:
    """Narrowed to the tenants it covers: the rest is as if it were not there."""

    def test_it_sees_its_own_tenants(self, districts, district, street):
        actor = admit(districts.token(), None).actor
        assert set(tenants(actor=actor)) == {district, street}
        assert set(covered(actor, P.COMPARISON_READ)) == {district, street}
        assert set(covered(actor, P.FUND_READ)) == set()

    def test_a_street_offices_sees_that_alone(self, administrator, street):
        actor = admit(program(administrator, "tenants:read").token(), None).actor
        assert set(tenants(actor=actor)) == {street}
        assert set(covered(actor, P.TENANTS_READ)) == {street}

    def test_it_sees_roles_and_people_of_its_own_tenants(
        self, districts, street, other_street, actor_as
    ):
        ours, theirs = (actor_as(t, Role.AUDITOR).person for t in (street, other_street))
        actor = admit(districts.token(), None).actor
        assert {m.person_id for m in memberships(actor=actor)} >= {ours.pk}
        assert theirs.pk not in {m.person_id for m in memberships(actor=actor)}
        assert theirs not in people(actor=actor)

    def test_it_sees_no_clients_but_its_tenants(self, administrator, other_street, actor_as):
        theirs = program(actor_as(other_street, Role.STREET_ADMINISTRATOR), "fund:read")
        ours = program(administrator, "clients:read", "audit:read")
        actor = admit(ours.token(), None).actor
        assert list(selectors.clients(actor=actor)) == [ours.client]
        told = {entry.object_id for entry in selectors.trail(actor=actor)}
        assert str(ours.client.pk) in told
        assert str(theirs.client.pk) not in told


class TestRefused:
    @pytest.mark.parametrize(
        "token", ["", "x", "linli_at_", "linli_at_nobody", "linli_pt_nobody", "\0", "linli_at_\0"]
    )
    def test_what_never_was(self, street, token):
        assert admit(token, street) is None
        assert admit(token, None) is None

    def test_a_secret_is_no_token(self, ours, street):
        assert admit(ours.secret, street) is None

    def test_what_has_expired(self, ours, street):
        token = ours.token()
        AccessToken.objects.update(expires=timezone.now())
        assert admit(token, street) is None

    def test_the_secret_it_came_from_was_revoked(self, ours, administrator, street):
        _row, second = actions.add_client_secret(actor=administrator, client_id=ours.client.pk)
        old = ours.token()
        new = ours.asks_for_token(street, secret=second).json()["access_token"]
        first = ours.client.secrets.order_by("pk")[0]
        actions.revoke_client_secret(actor=administrator, secret_id=first.pk)
        assert admit(old, street) is None
        assert admit(new, street)

    def test_the_client_was_revoked(self, ours, administrator, street):
        token = ours.token()
        assert admit(token, street)
        actions.revoke_client(actor=administrator, client_id=ours.client.pk)
        assert admit(token, street) is None

    def test_a_scope_that_left_the_table_gives_nothing(self, ours, street):
        token = ours.token()
        AccessToken.objects.update(scope="gone:read partners:read")
        assert permissions(admit(token, street).actor) == {P.PARTNERS_READ}


class TestPersonal:
    @pytest.fixture
    def mine(self, administrator):
        def make(*scopes, tenant=None, expires_at=None):
            return actions.create_personal_token(
                actor=administrator, name="我的", scopes=scopes, tenant=tenant,
                expires_at=expires_at,
            )[1]  # fmt: skip

        return make

    def test_what_scopes_and_roles_both_allow(self, mine, administrator, street):
        actor = admit(mine("partners:read", "fund:pay"), street).actor
        assert permissions(actor) == {P.PARTNERS_READ}
        assert (actor.person, actor.client.name) == (administrator.person, "我的")

    def test_a_role_that_ended_ends_it_at_once(self, mine, administrator, street):
        token = mine("partners:read")
        [membership] = Membership.objects.filter(person=administrator.person)
        assert admit(token, street)
        end_membership(actor=system_actor(street), membership_id=membership.pk)
        assert admit(token, street) is None
        assert permissions(admit(token, None).actor) == set()

    def test_a_new_role_counts_at_once(self, mine, administrator, street):
        token = mine("fund:pay")
        assert permissions(admit(token, street).actor) == set()
        MembershipFactory(person=administrator.person, tenant=street, role=Role.CHARITY_CASHIER)
        assert permissions(admit(token, street).actor) == {P.FUND_PAY}

    def test_a_role_of_one_community_stays_there(self, street, actor_as):
        community = uuid4()
        secretary = actor_as(street, Role.COMMUNITY_SECRETARY, community_id=community)
        _row, token = actions.create_personal_token(
            actor=secretary, name="我的", scopes=["partners:read"], tenant=None
        )
        actor = admit(token, street).actor
        assert actor.communities(P.PARTNERS_READ) == {community}
        assert not actor.allows(P.PARTNERS_READ)

    def test_who_may_not_log_in_is_not_let_in(self, mine, administrator, street):
        token = mine("partners:read")
        Person.objects.filter(pk=administrator.person.pk).update(is_active=False)
        assert admit(token, street) is None

    def test_one_for_a_host_is_good_there_only(self, mine, administrator, street, other_street):
        MembershipFactory(person=administrator.person, tenant=other_street, role=Role.AUDITOR)
        token = mine("partners:read", tenant=street)
        assert admit(token, street)
        assert admit(token, other_street) is None
        assert admit(token, None) is None

    def test_one_for_everywhere_is_good_where_they_may_enter(
        self, mine, administrator, street, other_street, district
    ):
        MembershipFactory(person=administrator.person, tenant=other_street, role=Role.AUDITOR)
        token = mine("partners:read")
        assert admit(token, street)
        assert admit(token, other_street)
        assert admit(token, district) is None

    def test_at_the_platform_it_covers_no_more_than_it_lets_through(self, mine, street):
        actor = admit(mine("partners:read"), None).actor
        assert set(covered(actor, P.PARTNERS_READ)) == {street}
        assert set(covered(actor, P.PEOPLE_GRANT)) == set()
        assert not list(memberships(actor=actor))

    def test_until_its_end(self, mine, street):
        token = mine("partners:read", expires_at=timezone.now() + timedelta(hours=1))
        assert admit(token, street)
        PersonalToken.objects.update(expires_at=timezone.now())
        assert admit(token, street) is None

    def test_revoked_it_is_gone(self, mine, administrator, street):
        token = mine("partners:read")
        actions.revoke_personal_token(actor=administrator, token_id=PersonalToken.objects.get().pk)
        assert admit(token, street) is None

    def test_an_operators_reads_everywhere_and_no_more_than_it_may(self, street, actor_as):
        operator = actor_as(None, Role.PLATFORM_OPERATOR)
        _row, token = actions.create_personal_token(
            actor=operator, name="我的", scopes=["fund:read", "fund:pay"], tenant=None
        )
        assert permissions(admit(token, street).actor) == {P.FUND_READ}
        assert actor_for(operator.person, street).allows(P.AUDIT_READ)

    def test_the_person_can_be_saved_without_losing_the_password(self, mine, administrator, street):
        """What is remembered of them is not the whole row."""
        person = admit(mine("partners:read"), street).actor.person
        before = Person.objects.get(pk=person.pk).password
        person.save()
        assert Person.objects.get(pk=person.pk).password == before


class TestCost:
    def test_one_statement_from_inside_a_tenants_schema(self, ours, administrator, street):
        _row, personal = actions.create_personal_token(
            actor=administrator, name="我的", scopes=["partners:read"], tenant=None
        )
        for token in (ours.token(), personal):
            with tenant_context(street), CaptureQueriesContext(connection) as captured:
                assert admit(token, street)
            sent = [q["sql"] for q in captured if not q["sql"].startswith("SET search_path")]
            assert len(sent) == 1
            assert re.findall(r"(?<!public\.)\b(?:clients|accounts|registry)_\w+", sent[0]) == []

    def test_values_seen_before_make_no_model(self, ours, administrator, street, monkeypatch):
        _row, personal = actions.create_personal_token(
            actor=administrator, name="我的", scopes=["partners:read"], tenant=None
        )
        tokens = [ours.token(), personal]
        assert all(admit(token, street) for token in tokens)
        monkeypatch.setattr(Model, "__init__", lambda self, *_args: pytest.fail("a model"))
        assert all(admit(token, street) for token in tokens)
