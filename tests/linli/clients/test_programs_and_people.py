"""A program with ``people:write`` becomes nobody stronger: neither by a role nor by a password."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from linli.accounts import actions as accounts
from linli.accounts.models import Membership
from linli.accounts.policy import Role, actor_for
from linli.accounts.roles import DUTIES
from linli.accounts.scopes import scopes_for
from linli.clients.actions import create_personal_token
from linli.clients.admission import admit
from tests.support.denials import denied_in_public
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.programs import program

PASSWORD = "yi-she-yi-ce-2026"
STREET_ROLES = [role for role, duties in DUTIES.items() if "street" in duties.kinds]
# What a worker of a community holds, and the right to staff.
WORKERS_SCOPES = [*scopes_for(DUTIES[Role.COMMUNITY_WORKER].own), "people:write"]


@pytest.fixture(params=["client", "token"])
def acting(request, administrator, street):
    """``acting(scopes)``: as a client of the administrator's, or with a token of theirs."""

    def admitted(*scopes):
        if request.param == "client":
            token = program(administrator, *scopes).token()
        else:
            _row, token = create_personal_token(
                actor=administrator, name="我的", scopes=scopes, tenant=street
            )
        return admit(token, street).actor

    return admitted


@pytest.mark.parametrize("role", STREET_ROLES)
def test_with_people_write_alone_it_gives_no_role_at_all(acting, role):
    """Each of them may do something that this program may not."""
    person, actor = PersonFactory(), acting("people:write")
    with denied_in_public("ROLE_NOT_HELD", "role"):
        accounts.grant_membership(actor=actor, person_id=person.pk, role=role)
    assert not Membership.objects.filter(person=person).exists()


def test_it_gives_a_role_all_of_which_it_holds_and_none_beyond(acting, street):
    actor = acting(*WORKERS_SCOPES)
    worker, other = PersonFactory(), PersonFactory()
    given = accounts.grant_membership(actor=actor, person_id=worker.pk, role=Role.COMMUNITY_WORKER)
    assert actor_for(worker, street).grants
    for role in (Role.STREET_ADMINISTRATOR, Role.CHARITY_APPROVER, Role.CHARITY_CASHIER):
        with denied_in_public("ROLE_NOT_HELD", "role"):
            accounts.grant_membership(actor=actor, person_id=other.pk, role=role)
    accounts.end_membership(actor=actor, membership_id=given.pk)
    assert actor_for(worker, street).grants == ()


def test_it_ends_no_role_that_may_do_more(acting, street):
    stronger = MembershipFactory(tenant=street, role=Role.CHARITY_APPROVER)
    actor = acting(*WORKERS_SCOPES)
    with denied_in_public("ROLE_NOT_HELD", "role"):
        accounts.end_membership(actor=actor, membership_id=stronger.pk)


def set_password(**given):
    return accounts.set_password(password=PASSWORD, **given)


@pytest.mark.parametrize("change", [set_password, accounts.disable_person, accounts.enable_person])
class TestALogIn:
    def test_of_who_may_do_more_is_not_changed(self, acting, street, change):
        stronger = MembershipFactory(tenant=street, role=Role.CHARITY_CASHIER).person
        actor = acting(*WORKERS_SCOPES)
        with denied_in_public("ROLE_NOT_HELD", "personId"):
            change(actor=actor, person_id=stronger.pk)

    def test_nor_of_who_will_from_some_day_on(self, acting, street, change):
        tomorrow = timezone.localdate() + timedelta(days=1)
        stronger = MembershipFactory(
            tenant=street, role=Role.CHARITY_CASHIER, starts_on=tomorrow
        ).person
        actor = acting(*WORKERS_SCOPES)
        with denied_in_public("ROLE_NOT_HELD", "personId"):
            change(actor=actor, person_id=stronger.pk)

    def test_nor_of_who_answers_for_it_whatever_it_holds(
        self, acting, administrator, street, change
    ):
        all_of_it = scopes_for(DUTIES[Role.STREET_ADMINISTRATOR].own)
        actor = acting(*all_of_it)
        assert actor.short_of(Role.STREET_ADMINISTRATOR) == frozenset()
        by_token = actor.person is not None and change is accounts.disable_person
        code = "DISABLES_SELF" if by_token else "ROLE_NOT_HELD"
        with denied_in_public(code, "personId"):
            change(actor=actor, person_id=administrator.person_id)

    def test_of_who_may_no_more_it_is(self, acting, street, change):
        weaker = MembershipFactory(tenant=street, role=Role.COMMUNITY_WORKER).person
        left = MembershipFactory(
            tenant=street, role=Role.CHARITY_CASHIER, ended_on=date(2024, 1, 1)
        ).person
        actor = acting(*WORKERS_SCOPES)
        for person in (weaker, left):
            change(actor=actor, person_id=person.pk)


def test_people_who_have_logged_in_keep_their_rules(administrator, street):
    """A street administrator staffs the whole street, the charity's people too."""
    person = PersonFactory()
    accounts.grant_membership(actor=administrator, person_id=person.pk, role=Role.CHARITY_APPROVER)
    accounts.set_password(actor=administrator, person_id=person.pk, password=PASSWORD)
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_a_districts_program_gives_no_role_that_does_more_below(
    district_administrator, district, actor_as
):
    """An auditor of the district reads the trail of its street offices, which this one does not."""
    reads = [*scopes_for(DUTIES[Role.AUDITOR].own), "people:write"]
    actor = admit(
        program(district_administrator, *reads, covers_below=True).token(), district
    ).actor
    person = PersonFactory()
    with denied_in_public("ROLE_NOT_HELD", "role") as caught:
        accounts.grant_membership(actor=actor, person_id=person.pk, role=Role.AUDITOR)
    assert "audit:read" in str(caught.refused.message)
