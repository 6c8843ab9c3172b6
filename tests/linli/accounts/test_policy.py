"""Who may do what, where."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from linli.accounts.actions import end_membership
from linli.accounts.models import Membership
from linli.accounts.policy import (
    Permission,
    Role,
    actor_for,
    covered_tenants,
    may_enter,
    reachable_tenants,
    roles_at,
    system_actor,
)
from linli.accounts.roles import DUTIES, READ
from linli.errors import Forbidden
from linli.registry.models import Tenant

P = Permission


def slugs(tenants):
    return sorted(tenant.slug for tenant in tenants)


def test_there_are_twelve_roles_and_each_has_its_duties():
    assert len(Role) == 12
    assert set(DUTIES) == set(Role)


def test_an_auditor_reads_everything_and_changes_nothing():
    assert DUTIES[Role.AUDITOR].own == READ
    assert DUTIES[Role.AUDITOR].below == READ
    assert READ - {P.SCHEMA_INTROSPECT} == {p for p in P if p.value.endswith(".read")}


def test_nobody_but_the_charity_approves_and_pays_and_never_one_role_both():
    """F5: approval and payment are the charity's, by two people."""
    approve = {role for role, duties in DUTIES.items() if P.FUND_APPROVE in duties.own}
    pay = {role for role, duties in DUTIES.items() if P.FUND_PAY in duties.own}
    assert approve == {Role.CHARITY_APPROVER}
    assert pay == {Role.CHARITY_CASHIER}


def test_what_a_role_may_below_it_may_at_home():
    for role, duties in DUTIES.items():
        extra = duties.below - duties.own
        # A district has no communities of its own to onboard.
        allowed = {P.COMMUNITIES_ONBOARD} if role is Role.DISTRICT_ADMINISTRATOR else set()
        assert extra <= allowed, role


def test_a_partner_sees_no_other_partner_and_no_money():
    own = DUTIES[Role.PARTNER].own
    assert {p for p in own if p.value.startswith(("partners.", "fund.", "audit."))} == set()


def test_a_street_role_holds_in_its_street_only(person, give, street, other_street, district):
    give(person, street, Role.STREET_ADMINISTRATOR)
    assert actor_for(person, street).allows(P.PARTNERS_ADMIT)
    for elsewhere in (other_street, district):
        assert actor_for(person, elsewhere).grants == ()
        assert not may_enter(person, elsewhere)


def test_a_district_role_reaches_its_streets_with_the_shorter_list(
    person, give, district, street, other_street, city
):
    give(person, district, Role.DISTRICT_ADMINISTRATOR)
    at_home, below = actor_for(person, district), actor_for(person, street)
    assert at_home.allows(P.MODELS_ISSUE_POLICY)
    assert below.allows(P.FUND_READ)
    assert below.allows(P.COMMUNITIES_ONBOARD)
    assert not below.allows(P.MODELS_ISSUE_POLICY)
    assert actor_for(person, other_street).grants == ()
    assert actor_for(person, city).grants == ()


def test_a_city_role_reaches_two_levels_down_and_no_other_city(
    person, give, city, district, street, other_city
):
    give(person, city, Role.CITY_SUPERVISOR)
    for below in (district, street):
        assert actor_for(person, below).allows(P.COMPARISON_READ)
    assert actor_for(person, other_city).grants == ()


def test_the_platform_operator_reaches_every_tenant_but_no_money(person, give, street, other_city):
    give(person, None, Role.PLATFORM_OPERATOR)
    for tenant in (street, other_city):
        actor = actor_for(person, tenant)
        assert actor.allows(P.TENANTS_MANAGE)
        assert {p for p in P if p.value.startswith("fund.") and actor.allows(p)} == {P.FUND_READ}


def test_a_membership_of_one_community_stays_inside_it(person, give, street):
    own, other = uuid4(), uuid4()
    give(person, street, Role.COMMUNITY_SECRETARY, community_id=own)
    actor = actor_for(person, street)
    assert actor.allows(P.PARTNERS_ADMIT, community_id=own)
    assert not actor.allows(P.PARTNERS_ADMIT, community_id=other)
    assert not actor.allows(P.PARTNERS_ADMIT), "the whole street is more than one community"
    assert actor.communities(P.PARTNERS_ADMIT) == {own}
    assert actor.communities(P.FUND_PAY) == frozenset()
    assert actor.holds(P.PARTNERS_ADMIT)
    assert not actor.holds(P.FUND_PAY)


def test_a_second_role_for_the_whole_street_lifts_the_limit(person, give, street):
    give(person, street, Role.COMMUNITY_WORKER, community_id=uuid4())
    give(person, street, Role.AUDITOR)
    actor = actor_for(person, street)
    assert actor.communities(P.PARTNERS_READ) is None
    assert actor.communities(P.PARTNERS_ADMIT) != frozenset()
    assert not actor.allows(P.PARTNERS_ADMIT)


def test_require_refuses_with_the_code_forbidden(person, street):
    with pytest.raises(Forbidden) as refusal:
        actor_for(person, street).require(P.FUND_OPEN)
    assert refusal.value.code == "FORBIDDEN"
    assert refusal.value.data == {"permission": "fund.open"}


def test_a_membership_holds_from_its_first_day_until_the_day_it_ends(person, street):
    today = timezone.localdate()
    day = timedelta(days=1)
    membership = Membership.objects.create(
        person=person, tenant=street, role=Role.AUDITOR, starts_on=today
    )

    def enters(starts_on, ended_on):
        Membership.objects.filter(pk=membership.pk).update(starts_on=starts_on, ended_on=ended_on)
        return may_enter(person, street)

    assert enters(today, None)
    assert enters(today - day, today + day)
    assert not enters(today + day, None)
    assert not enters(today - day, today)


def test_an_ended_membership_gives_nothing(person, give, street):
    membership = give(person, street, Role.STREET_ADMINISTRATOR)
    end_membership(actor=system_actor(street), membership_id=membership.pk)
    assert actor_for(person, street).grants == ()


def test_in_a_suspended_tenant_everybody_may_only_read(person, give, street):
    """T1."""
    give(person, street, Role.STREET_ADMINISTRATOR)
    street.status = Tenant.Status.SUSPENDED
    actor = actor_for(person, street)
    assert {p for p in P if actor.allows(p)} == READ


@pytest.mark.django_db
def test_nobody_and_the_disabled_may_nothing(person, give, street):
    give(person, street, Role.STREET_ADMINISTRATOR)
    person.is_active = False
    for nobody in (AnonymousUser(), person):
        actor = actor_for(nobody, street)
        assert (actor.person_id, actor.grants) == (None, ())


def test_the_system_may_everything_and_names_no_person(street):
    actor = system_actor(street)
    assert all(actor.allows(permission) for permission in P)
    assert actor.person_id is None


def test_at_the_platform_a_person_has_what_any_tenant_gives_them(person, give, street):
    give(person, street, Role.STREET_ADMINISTRATOR)
    actor = actor_for(person, None)
    assert actor.allows(P.LIBRARY_READ)
    assert not actor.allows(P.TENANTS_MANAGE)


def test_the_tenants_a_supervisor_covers(
    new_person, give, city, district, street, other_district, other_street, other_city
):
    supervisor, administrator, worker, operator = (new_person() for _ in range(4))
    give(supervisor, city, Role.CITY_SUPERVISOR)
    give(administrator, district, Role.DISTRICT_ADMINISTRATOR)
    give(worker, street, Role.COMMUNITY_WORKER, community_id=uuid4())
    give(operator, None, Role.PLATFORM_OPERATOR)

    def covers(person):
        return slugs(covered_tenants(person, P.COMPARISON_READ))

    zibo = ["chezhan", "linzi", "wenshao", "zhangdian", "zibo"]
    assert covers(supervisor) == zibo
    assert covers(administrator) == ["chezhan", "zhangdian"]
    assert covers(worker) == [], "one community is not the street"
    assert covers(operator) == sorted([*zibo, "datong"])
    assert slugs(covered_tenants(supervisor, P.MODELS_ISSUE_POLICY)) == ["zibo"]
    assert slugs(covered_tenants(operator, P.FUND_PAY)) == []


def test_reach_asked_from_both_ends_is_the_same(
    new_person, give, city, district, street, other_city
):
    """`actor_for` goes up from a tenant, the selectors down to the tenants: one rule."""
    held = [
        (None, Role.PLATFORM_OPERATOR),
        (city, Role.CITY_SUPERVISOR),
        (city, Role.AUDITOR),
        (city, Role.STREET_ADMINISTRATOR),
        (district, Role.DISTRICT_ADMINISTRATOR),
        (district, Role.INTEGRATOR),
        (street, Role.PARTNER),
        (street, Role.CHARITY_CASHIER),
    ]
    everywhere = list(Tenant.objects.select_related("parent__parent"))
    for tenant, role in held:
        person = new_person()
        give(person, tenant, role)
        assert slugs(reachable_tenants(person)) == slugs(
            t for t in everywhere if may_enter(person, t)
        )
        for permission in P:
            assert slugs(covered_tenants(person, permission)) == slugs(
                t for t in everywhere if actor_for(person, t).allows(permission)
            ), (role, permission)


def test_roles_at_lists_each_role_once_in_the_order_of_the_roles(person, give, city, street):
    give(person, street, Role.COMMUNITY_WORKER, community_id=uuid4())
    give(person, street, Role.COMMUNITY_WORKER, community_id=uuid4())
    give(person, city, Role.CITY_SUPERVISOR)
    assert roles_at(person.memberships.all(), street) == [
        Role.CITY_SUPERVISOR,
        Role.COMMUNITY_WORKER,
    ]


def test_an_actor_costs_one_query(person, give, street, django_assert_num_queries):
    give(person, street, Role.STREET_ADMINISTRATOR)
    street.ancestors()
    with django_assert_num_queries(1):
        actor_for(person, street).allows(P.FUND_READ)
