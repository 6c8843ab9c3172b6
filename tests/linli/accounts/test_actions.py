"""Registering people, giving and ending roles."""

from datetime import date
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from linli.accounts.actions import end_membership, grant_membership, register_person
from linli.accounts.models import Membership, Person
from linli.accounts.policy import Role, actor_for, system_actor
from linli.audit.models import Entry
from linli.errors import Forbidden, NotFound, Refused


def refused(code, call, **arguments):
    """``call`` is refused with ``code`` and leaves people, memberships and the trail as they were."""
    before = (Person.objects.count(), Membership.objects.count(), Entry.objects.count())
    with pytest.raises(Refused) as refusal:
        call(**arguments)
    assert refusal.value.code == code
    assert (Person.objects.count(), Membership.objects.count(), Entry.objects.count()) == before
    return refusal.value


@pytest.fixture
def administrator(new_person, give, street):
    """A street administrator, acting in the street."""
    person = new_person()
    give(person, street, Role.STREET_ADMINISTRATOR)
    return actor_for(person, street)


def test_a_person_is_registered_with_one_row_in_the_trail_and_nothing_personal_in_it(
    administrator,
):
    person = register_person(
        actor=administrator,
        username="  Li.Min ",
        name="李敏",
        email="Li.Min@Example.CN",
        phone="13805330000",
        password="yi-she-yi-ce-2026",
        reason="新任社区工作者",
    )
    person.refresh_from_db()
    assert (person.username, person.email, person.is_active) == (
        "li.min",
        "li.min@example.cn",
        True,
    )
    assert person.password.startswith("argon2")
    entry = Entry.objects.get(object_id=str(person.pk))
    assert entry.action == "accounts.person_registered"
    assert entry.person_id == administrator.person_id
    assert entry.before is None
    assert entry.after == {
        "username": "li.min",
        "name": "…",
        "email": "…",
        "phone": "…",
        "is_active": True,
    }
    assert entry.reason == "新任社区工作者"


def test_without_a_password_nobody_can_log_in_by_one(administrator):
    person = register_person(actor=administrator, username="nopass", name="无密码")
    assert not person.has_usable_password()


def test_email_and_phone_may_be_left_out_by_any_number_of_people(administrator):
    for username in ("first", "second"):
        register_person(actor=administrator, username=username, name=username)
    assert Person.objects.filter(username__in=["first", "second"], email="", phone="").count() == 2


@pytest.mark.parametrize(
    ("field", "again"),
    [("username", "ZHAO"), ("email", "ZHAO@example.cn"), ("phone", "13800000000")],
)
def test_what_is_taken_is_refused_whatever_its_case(administrator, field, again):
    register_person(
        actor=administrator,
        username="zhao",
        name="赵",
        email="zhao@example.cn",
        phone="13800000000",
    )
    refusal = refused(
        f"{field.upper()}_TAKEN",
        register_person,
        actor=administrator,
        **{"username": "other", "name": "另", field: again},
    )
    assert refusal.field == field


def test_every_wrong_field_is_named_at_once(administrator):
    refusal = refused(
        "PERSON_INVALID",
        register_person,
        actor=administrator,
        username="a@b",
        name="",
        email="nowhere",
        phone="12",
        password="12345678",
    )
    assert {fault.field: fault.code for fault in refusal.faults} == {
        "username": "USERNAME_INVALID",
        "name": "NAME_INVALID",
        "email": "EMAIL_INVALID",
        "phone": "PHONE_INVALID",
        "password": "PASSWORD_INVALID",
    }


def test_the_database_itself_keeps_log_in_names_in_lower_case(db):
    with pytest.raises(IntegrityError, match="person_username_lower"), transaction.atomic():
        Person.objects.create(username="Upper", name="x")


def test_only_who_may_grant_registers_people(new_person, give, street):
    auditor = new_person()
    give(auditor, street, Role.AUDITOR)
    refused(
        "FORBIDDEN",
        register_person,
        actor=actor_for(auditor, street),
        username="x",
        name="x",
    )


def test_a_role_is_granted_at_the_tenant_the_actor_stands_in(administrator, person, street):
    community = uuid4()
    membership = grant_membership(
        actor=administrator,
        person_id=person.pk,
        role=Role.COMMUNITY_SECRETARY,
        community_id=community,
        reason="换届",
    )
    membership.refresh_from_db()
    assert (membership.person, membership.tenant, membership.role) == (
        person,
        street,
        "community_secretary",
    )
    assert membership.community_id == community
    assert membership.starts_on == timezone.localdate()
    assert membership.granted_by_id == administrator.person_id
    entry = Entry.objects.get(object_id=str(membership.pk))
    assert (entry.action, entry.reason) == ("accounts.membership_granted", "换届")
    assert entry.after["role"] == "community_secretary"


@pytest.mark.parametrize(
    "role", [Role.PLATFORM_OPERATOR, Role.CITY_SUPERVISOR, Role.DISTRICT_ADMINISTRATOR]
)
def test_a_role_that_does_not_fit_the_kind_of_tenant_is_refused(administrator, person, role):
    refusal = refused(
        "ROLE_DOES_NOT_FIT",
        grant_membership,
        actor=administrator,
        person_id=person.pk,
        role=role,
    )
    assert refusal.field == "role"


def test_a_tenants_role_is_not_held_at_the_platform(person):
    refused(
        "ROLE_DOES_NOT_FIT",
        grant_membership,
        actor=system_actor(None),
        person_id=person.pk,
        role=Role.AUDITOR,
    )


def test_a_community_is_refused_where_the_role_is_for_the_whole_unit(administrator, person):
    refusal = refused(
        "COMMUNITY_NOT_ALLOWED",
        grant_membership,
        actor=administrator,
        person_id=person.pk,
        role=Role.CHARITY_CASHIER,
        community_id=uuid4(),
    )
    assert refusal.field == "communityId"


def test_nobody_grants_a_role_that_reaches_farther_than_their_own(new_person, give, city):
    """A city that runs communities itself has a street administrator of its own, whose reach ends
    there; supervising what is below is given out by a supervisor, or from the platform."""
    local, supervisor, operator, person = (new_person() for _ in range(4))
    give(local, city, Role.STREET_ADMINISTRATOR)
    give(supervisor, city, Role.CITY_SUPERVISOR)
    give(operator, None, Role.PLATFORM_OPERATOR)
    wanted = {"person_id": person.pk, "role": Role.CITY_SUPERVISOR}
    refused("ROLE_ABOVE_REACH", grant_membership, actor=actor_for(local, city), **wanted)
    membership = grant_membership(actor=actor_for(supervisor, city), **wanted)
    refused(
        "ROLE_ABOVE_REACH",
        end_membership,
        actor=actor_for(local, city),
        membership_id=membership.pk,
    )
    end_membership(actor=actor_for(operator, city), membership_id=membership.pk)
    assert grant_membership(actor=actor_for(operator, city), **wanted).tenant == city


def test_only_a_platform_operator_makes_another(new_person, give, city):
    supervisor, operator, person = (new_person() for _ in range(3))
    give(supervisor, city, Role.CITY_SUPERVISOR)
    give(operator, None, Role.PLATFORM_OPERATOR)
    wanted = {"person_id": person.pk, "role": Role.PLATFORM_OPERATOR}
    refused("ROLE_ABOVE_REACH", grant_membership, actor=actor_for(supervisor, None), **wanted)
    assert grant_membership(actor=actor_for(operator, None), **wanted).tenant is None


def test_a_district_administrator_staffs_the_streets_below(new_person, give, district, street):
    above, person = new_person(), new_person()
    give(above, district, Role.DISTRICT_ADMINISTRATOR)
    membership = grant_membership(
        actor=actor_for(above, street), person_id=person.pk, role=Role.STREET_ADMINISTRATOR
    )
    assert membership.tenant == street


def test_a_street_administrator_of_another_street_is_nobody_here(
    administrator, person, other_street
):
    refused(
        "FORBIDDEN",
        grant_membership,
        actor=actor_for(administrator.person, other_street),
        person_id=person.pk,
        role=Role.AUDITOR,
    )


def test_nobody_gives_themselves_a_role(administrator):
    refused(
        "GRANT_TO_SELF",
        grant_membership,
        actor=administrator,
        person_id=administrator.person_id,
        role=Role.CHARITY_CASHIER,
    )


def test_the_same_role_is_not_held_twice_but_may_be_given_again_once_ended(administrator, person):
    wanted = {"actor": administrator, "person_id": person.pk, "role": Role.AUDITOR}
    first = grant_membership(**wanted)
    refused("MEMBERSHIP_EXISTS", grant_membership, **wanted)
    end_membership(actor=administrator, membership_id=first.pk)
    assert grant_membership(**wanted).pk != first.pk


def test_a_person_who_does_not_exist_is_not_found(administrator):
    refusal = refused(
        "NOT_FOUND",
        grant_membership,
        actor=administrator,
        person_id=uuid4(),
        role=Role.AUDITOR,
    )
    assert isinstance(refusal, NotFound)
    assert refusal.field == "personId"


def test_ending_a_membership_is_recorded_and_done_once(administrator, person):
    membership = grant_membership(
        actor=administrator, person_id=person.pk, role=Role.COMMUNITY_WORKER
    )
    ended = end_membership(actor=administrator, membership_id=membership.pk, reason="调离")
    assert ended.ended_on == timezone.localdate()
    entry = Entry.objects.get(action="accounts.membership_ended")
    assert (entry.before, entry.after, entry.reason) == (
        {"ended_on": None},
        {"ended_on": timezone.localdate().isoformat()},
        "调离",
    )
    refused("MEMBERSHIP_ENDED", end_membership, actor=administrator, membership_id=membership.pk)


def test_one_that_was_to_start_later_never_comes_into_force(administrator, person, street):
    later = date(2999, 1, 1)
    membership = grant_membership(
        actor=administrator, person_id=person.pk, role=Role.AUDITOR, starts_on=later
    )
    ended = end_membership(actor=administrator, membership_id=membership.pk)
    assert ended.ended_on == later
    assert list(Membership.objects.live(later).filter(pk=membership.pk)) == []


def test_another_tenants_membership_is_not_found(administrator, new_person, give, other_street):
    elsewhere = give(new_person(), other_street, Role.AUDITOR)
    refused("NOT_FOUND", end_membership, actor=administrator, membership_id=elsewhere.pk)
    elsewhere.refresh_from_db()
    assert elsewhere.ended_on is None


def test_without_people_grant_nothing_is_ended(new_person, give, street):
    auditor = new_person()
    mine = give(auditor, street, Role.AUDITOR)
    refusal = refused(
        "FORBIDDEN",
        end_membership,
        actor=actor_for(auditor, street),
        membership_id=mine.pk,
    )
    assert isinstance(refusal, Forbidden)
