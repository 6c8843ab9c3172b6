"""M5: who approves what a street office adopts, and what becomes of a request."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.utils import timezone
from django.utils.translation import override

from linli.accounts.policy import Permission, Role, standing, system_actor
from linli.clients.actions import create_client
from linli.clients.admission import admit
from linli.errors import Forbidden, NotFound, Refused
from linli.events.models import Event
from linli.ids import uuid7
from linli.library.models import AdoptionRecord
from linli.tenancy.context import public_context, tenant_context
from tenants.operating_model.actions import adopt_version, change_visibility
from tenants.operating_model.governing import offer_version, set_adoption_rule, withdraw_offer
from tenants.operating_model.models import Adoption, ChangeRequest, Layer, ModelVersion
from tenants.operating_model.policies import land_policies
from tenants.operating_model.requests import (
    approve_change,
    request_adoption,
    return_change,
    withdraw_request,
)
from tests.support.factories import MembershipFactory
from tests.support.programs import Program

from .conftest import (
    MONTHS,
    RATE,
    START,
    TODAY,
    TOMORROW,
    YESTERDAY,
    adopt,
    document,
    issue,
    layer,
    nothing_written,
    publish,
    trail,
    write,
)


def rule(tenant, approver, upgrades="free", since=TODAY):
    with tenant_context(tenant):
        return set_adoption_rule(
            actor=system_actor(tenant), approver=approver, upgrades=upgrades, effective_from=since
        )


def ask(actor, version, since=TODAY, **more):
    return request_adoption(actor=actor, version_id=version.pk, effective_from=since, **more)


def code_of(work, **given):
    """The code it is refused with; nothing is written."""
    with nothing_written(), pytest.raises(Refused) as refused, transaction.atomic():
        work(**given)
    assert str(refused.value.message)
    return refused.value.code


def requests():
    return list(ChangeRequest.objects.order_by("pk").values_list("state", flat=True))


@pytest.fixture
def colleague(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


@pytest.fixture
def second(at_street, running):
    return write(at_street, document(rent_free_months=6))


@pytest.fixture
def from_above(district, city, street, actor_as):
    """Whoever has a role above, standing in the street: ``from_above("district")``."""
    roles = {
        "district": (district, Role.DISTRICT_ADMINISTRATOR),
        "city": (city, Role.CITY_SUPERVISOR),
    }

    def make(whose):
        held_at, role = roles[whose]
        return actor_as(street, role, held_at=held_at)

    return make


@pytest.fixture
def move(monkeypatch):
    """``move(day)``: from here on it is that day."""
    return lambda day: monkeypatch.setattr(timezone, "localdate", lambda *args: day)


def test_a_copy_that_never_ran_is_seen_as_long_as_the_version_is(
    other_street, other_district, administrator, at_street, running
):
    with tenant_context(other_street):
        own = write(other_street, document(rent_free_months=9), key="theirs")
        published = publish(other_street, own)
    asked = request_adoption(
        actor=administrator, published_id=published.pk, effective_from=TODAY, values={}, bounds={}
    )
    withdraw_request(actor=administrator, request_id=asked.pk)
    with tenant_context(other_street):
        change_visibility(actor=system_actor(other_street), version_id=own.pk, visibility="private")

    copy = {"version_id": asked.version_id, "effective_from": TODAY, "values": {}}
    assert code_of(adopt_version, actor=administrator, **copy) == "NOT_FOUND"


class TestAdoptingWithoutApproval:
    def test_where_nobody_has_laid_anything_down_a_street_decides(self, administrator, second):
        adopt_version(actor=administrator, version_id=second.pk, effective_from=TODAY)
        assert Adoption.objects.count() == 2

    @pytest.mark.parametrize(
        ("approver", "named"),
        [
            ("second_person", "a second person of the unit"),
            ("district", "张店区"),
            ("city", "淄博市"),
        ],
    )
    def test_is_refused_naming_who_laid_it_down_and_who_approves(
        self, district, administrator, second, approver, named
    ):
        rule(district, approver)
        with nothing_written(), pytest.raises(Refused) as refused:
            adopt_version(actor=administrator, version_id=second.pk, effective_from=TODAY)
        assert refused.value.code == "APPROVAL_NEEDED"
        assert refused.value.data == {"laid_down_by": "张店区", "approver": approver}
        with override("en"):
            assert str(refused.value.message) == (
                f"张店区 has laid down that this is approved first, by: {named}. Ask for it with "
                "requestAdoption, or requestUpgrade."
            )

    def test_the_rule_counts_from_its_day_on(self, district, administrator, second, move):
        rule(district, "district", since=TOMORROW)
        adopt_version(actor=administrator, version_id=second.pk, effective_from=TOMORROW)
        move(TOMORROW)
        again = {"version_id": second.pk, "effective_from": TOMORROW, "values": {MONTHS: 3}}
        assert code_of(adopt_version, actor=administrator, **again) == "APPROVAL_NEEDED"

    def test_the_platform_by_itself_sets_up_what_it_sets_up(self, district, street, second):
        rule(district, "city")
        adopt(street, second, TODAY)
        assert Adoption.objects.count() == 2


class TestAsking:
    def test_writes_the_request_and_changes_nothing(self, administrator, second):
        asked = ask(administrator, second, TOMORROW, values={MONTHS: 12}, reason="试过了")
        assert (asked.kind, asked.state, asked.effective_from) == ("adoption", "proposed", TOMORROW)
        assert (asked.values, asked.bounds, asked.reason) == ({MONTHS: 12}, None, "试过了")
        assert (asked.adoptions_seen, asked.layers_seen) == (1, 0)
        assert asked.proposed_by_id == administrator.person_id
        assert (Adoption.objects.count(), Layer.objects.count()) == (1, 0)
        [entry] = trail("models.request_change")
        assert (entry.person_id, entry.reason) == (administrator.person_id, "试过了")
        assert entry.after["values"] == {MONTHS: 12}
        assert Event.objects.filter(type="change_request.made", object_id=asked.pk).count() == 1

    def test_out_of_the_library_freezes_a_copy_to_be_read(
        self, street, other_street, administrator
    ):
        with tenant_context(other_street):
            published = publish(other_street, write(other_street))
        with tenant_context(street):
            asked = request_adoption(
                actor=administrator, published_id=published.pk, effective_from=START
            )
            assert asked.published_id == published.pk
            assert ModelVersion.objects.get(pk=asked.version_id).published_id == published.pk
            assert Adoption.objects.count() == 0

    def test_one_waits_at_a_time(self, administrator, colleague, second):
        ask(administrator, second)
        other = {"version_id": second.pk, "effective_from": TOMORROW}
        assert code_of(request_adoption, actor=colleague, **other) == "REQUEST_OPEN"
        with pytest.raises(IntegrityError, match="change_request_one_open"), transaction.atomic():
            again = ChangeRequest.objects.get()
            again.pk = uuid7()
            again.save(force_insert=True)

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"values": {RATE: "0.06"}}, "OUTSIDE_BOUNDS"),
            ({"effective_from": YESTERDAY}, "CHANGE_BACKDATED"),
            ({"expected_version": 0}, "VERSION_CONFLICT"),
            ({"values": {}, "expected_layer_version": 3}, "VERSION_CONFLICT"),
        ],
    )
    def test_what_adopting_refuses_is_refused(self, administrator, second, given, code):
        given = {"version_id": second.pk, "effective_from": TODAY} | given
        assert code_of(request_adoption, actor=administrator, **given) == code

    def test_what_runs_already_is_refused(self, administrator, running):
        given = {"version_id": running.pk, "effective_from": TODAY}
        assert code_of(request_adoption, actor=administrator, **given) == "NOTHING_CHANGES"

    @pytest.mark.parametrize("role", [Role.COMMUNITY_SECRETARY, Role.AUDITOR, Role.INTEGRATOR])
    def test_is_for_who_may_adopt(self, street, second, actor_as, role):
        with nothing_written(), pytest.raises(Forbidden):
            ask(actor_as(street, role), second)

    def test_is_not_for_the_platform_itself(self, street, second):
        with nothing_written(), pytest.raises(Forbidden):
            ask(system_actor(street), second)


class TestWhoDecides:
    @pytest.mark.parametrize("approver", ["nobody", "second_person"])
    def test_a_second_person_of_the_street(
        self, district, administrator, colleague, second, approver
    ):
        """Where the rule names nobody a street may ask all the same."""
        rule(district, approver)
        asked = ask(administrator, second, values={MONTHS: 12}, reason="试过了")
        done = approve_change(actor=colleague, request_id=asked.pk, reason="同意")
        adoption = Adoption.objects.order_by("-pk").first()
        assert (done.state, done.adoption_id) == ("approved", adoption.pk)
        assert (adoption.version_id, adoption.effective_from) == (second.pk, TODAY)
        assert Layer.objects.get().values == {MONTHS: 12}
        [entry] = trail("models.approve_change")
        assert (entry.person_id, entry.reason) == (colleague.person_id, "同意")
        assert entry.after == {"state": "approved", "adoption_id": str(adoption.pk)}
        assert trail("models.adopt_version")[-1].reason == "试过了"
        told = Event.objects.get(type="change_request.approved")
        assert told.person_id == colleague.person_id

    def test_never_who_asked(self, administrator, second):
        asked = ask(administrator, second)
        given = {"actor": administrator, "request_id": asked.pk}
        assert code_of(approve_change, **given) == "SAME_PERSON"
        assert code_of(return_change, **given, reason="算了") == "SAME_PERSON"
        assert requests() == ["proposed"]

    def test_nor_does_the_database_let_them(self, administrator, second):
        asked = ask(administrator, second)
        with pytest.raises(IntegrityError, match="two_pairs_of_eyes"), transaction.atomic():
            ChangeRequest.objects.filter(pk=asked.pk).update(
                state="returned", decided_by_id=administrator.person_id, decided_at=timezone.now()
            )

    def test_nor_through_a_program_of_theirs(self, street, administrator, second):
        with public_context():
            program = Program(
                *create_client(
                    actor=administrator, name="小程序", scopes=["models:approve", "models:read"]
                )
            )
            acting = admit(program.token(), street).actor
        asked = ask(administrator, second)
        assert code_of(approve_change, actor=acting, request_id=asked.pk) == "SAME_PERSON"

    @pytest.mark.parametrize(("approver", "wrong"), [("district", "city"), ("city", "district")])
    def test_whoever_has_it_from_the_office_that_the_rule_names(
        self, city, administrator, colleague, second, from_above, approver, wrong
    ):
        rule(city, approver)
        asked = ask(administrator, second)
        for other in (colleague, from_above(wrong), administrator):
            given = {"actor": other, "request_id": asked.pk}
            assert code_of(approve_change, **given) == "WRONG_OFFICE"
            assert code_of(return_change, **given, reason="不行") == "WRONG_OFFICE"
        acting = from_above(approver)
        done = approve_change(actor=acting, request_id=asked.pk)
        assert (done.state, done.decided_by_id) == ("approved", acting.person_id)
        with public_context():
            assert AdoptionRecord.objects.filter(pk=done.adoption_id).count() == 1

    def test_nobody_from_above_where_it_is_the_streets_own(self, administrator, second, from_above):
        asked = ask(administrator, second)
        for whose in ("district", "city"):
            given = {"actor": from_above(whose), "request_id": asked.pk}
            assert code_of(approve_change, **given) == "WRONG_OFFICE"

    def test_a_program_of_the_district(self, district, street, administrator, second, actor_as):
        rule(district, "district")
        owner = actor_as(district, Role.DISTRICT_ADMINISTRATOR)
        with public_context():
            program = Program(
                *create_client(
                    actor=owner, name="审批", scopes=["models:approve"], covers_below=True
                )
            )
            acting = admit(program.token(), street).actor
        asked = ask(administrator, second)
        assert approve_change(actor=acting, request_id=asked.pk).state == "approved"

    def test_who_has_two_roles_decides_by_the_right_one(
        self, district, street, administrator, second, actor_as
    ):
        """Who asks at the street as its administrator is one person, also as the district's; and
        what else somebody is at the district does not make it the district's yes."""
        rule(district, "district")
        MembershipFactory(
            person=administrator.person, tenant=district, role=Role.DISTRICT_ADMINISTRATOR
        )
        other = actor_as(street, Role.STREET_ADMINISTRATOR)
        MembershipFactory(person=other.person, tenant=district, role=Role.AUDITOR)
        also_auditor = standing(other, street)
        both = standing(administrator, street)
        assert both.offices(Permission.MODELS_APPROVE) == {street.pk, district.pk}
        asked = ask(both, second)
        given = {"actor": also_auditor, "request_id": asked.pk}
        assert code_of(approve_change, **given) == "WRONG_OFFICE"
        assert code_of(approve_change, actor=both, request_id=asked.pk) == "SAME_PERSON"

    @pytest.mark.parametrize(
        "role", [Role.COMMUNITY_SECRETARY, Role.AUDITOR, Role.CHARITY_APPROVER]
    )
    def test_is_for_who_may_approve(self, street, administrator, second, actor_as, role):
        asked = ask(administrator, second)
        with nothing_written(), pytest.raises(Forbidden):
            approve_change(actor=actor_as(street, role), request_id=asked.pk)
        with nothing_written(), pytest.raises(Forbidden):
            return_change(actor=actor_as(street, role), request_id=asked.pk, reason="不行")
        assert requests() == ["proposed"]


class TestWhatChangedSince:
    def test_a_stricter_rule_takes_it_to_another_office(
        self, district, administrator, colleague, second, from_above
    ):
        asked = ask(administrator, second)
        rule(district, "district")
        assert code_of(approve_change, actor=colleague, request_id=asked.pk) == "WRONG_OFFICE"
        assert approve_change(actor=from_above("district"), request_id=asked.pk).adoption_id

    def test_after_another_adoption_it_is_asked_for_anew(
        self, street, administrator, colleague, second
    ):
        asked = ask(administrator, second, TOMORROW)
        third = write(street, document(rent_free_months=9))
        adopt(street, third, TODAY)
        given = {"actor": colleague, "request_id": asked.pk}
        assert code_of(approve_change, **given) == "REQUEST_DECIDED"
        assert requests() == ["withdrawn"]

    def test_so_would_a_layer_where_the_request_has_one(
        self, street, administrator, colleague, second
    ):
        asked = ask(administrator, second, values={MONTHS: 12})
        layer(street, {RATE: "0.02"})
        given = {"actor": colleague, "request_id": asked.pk}
        assert code_of(approve_change, **given) == "CHANGED_SINCE_REQUESTED"

    def test_a_layer_that_the_request_does_not_know_is_not_carried_over_silently(
        self, street, administrator, colleague, second
    ):
        asked = ask(administrator, second)
        layer(street, {RATE: "0.02"})
        given = {"actor": colleague, "request_id": asked.pk}
        assert code_of(approve_change, **given) == "UPGRADE_INSTEAD"
        assert requests() == ["proposed"]

    def test_a_bound_from_above_is_upheld(self, district, street, administrator, colleague, second):
        asked = ask(administrator, second, values={RATE: "0.05"})
        issue(district, bounds={RATE: {"maximum": "0.04"}})
        land_policies(street, actor=system_actor(street))
        given = {"actor": colleague, "request_id": asked.pk}
        assert code_of(approve_change, **given) == "OUTSIDE_BOUNDS"
        assert requests() == ["proposed"]

    def test_an_offer_that_was_withdrawn(self, district, street, other_street, actor_as):
        proposer, approver = (actor_as(street, Role.STREET_ADMINISTRATOR) for _ in range(2))
        with tenant_context(other_street):
            first = publish(other_street, write(other_street))
            second = publish(other_street, write(other_street, document(rent_free_months=6)))
        rule(district, "second_person", "when_offered")
        with tenant_context(district):
            offer = offer_version(
                actor=system_actor(district), published_id=second.pk, effective_from=TODAY
            )
        with tenant_context(street):
            adopt_version(actor=system_actor(street), published_id=first.pk, effective_from=START)
            asked = request_adoption(
                actor=proposer, published_id=second.pk, effective_from=TOMORROW
            )
        with tenant_context(district):
            withdraw_offer(actor=system_actor(district), offer_id=offer.pk, reason="有错")
        with tenant_context(street):
            given = {"actor": approver, "request_id": asked.pk}
            assert code_of(approve_change, **given) == "NOT_OFFERED"
            assert requests() == ["proposed"]

    def test_a_day_that_is_past_by_then_becomes_the_day_of_the_approval(
        self, administrator, colleague, second, move
    ):
        asked = ask(administrator, second, TODAY)
        move(TODAY + timedelta(days=9))
        done = approve_change(actor=colleague, request_id=asked.pk)
        assert done.effective_from == TODAY
        assert done.adoption.effective_from == TODAY + timedelta(days=9)

    def test_a_day_to_come_stays(self, administrator, colleague, second, move):
        asked = ask(administrator, second, TODAY + timedelta(days=30))
        move(TODAY + timedelta(days=9))
        done = approve_change(actor=colleague, request_id=asked.pk)
        assert done.adoption.effective_from == TODAY + timedelta(days=30)

    def test_a_first_adoption_keeps_the_earlier_day(self, at_street, administrator, colleague):
        asked = ask(administrator, write(at_street), START)
        done = approve_change(actor=colleague, request_id=asked.pk)
        assert done.adoption.effective_from == START


class TestDecidedOnce:
    @pytest.mark.parametrize("ends", ["approved", "returned", "withdrawn"])
    def test_what_was_decided_is_decided(self, administrator, colleague, second, ends):
        asked = ask(administrator, second)
        given = {"request_id": asked.pk}
        decide = {
            "approved": lambda: approve_change(actor=colleague, **given),
            "returned": lambda: return_change(actor=colleague, reason="再议", **given),
            "withdrawn": lambda: withdraw_request(actor=administrator, **given),
        }
        assert decide[ends]().state == ends
        for again in decide.values():
            assert code_of(again) == "REQUEST_DECIDED"
        assert requests() == [ends]

    def test_returning_says_why_and_changes_nothing(self, administrator, colleague, second):
        asked = ask(administrator, second)
        given = {"actor": colleague, "request_id": asked.pk}
        assert code_of(return_change, **given, reason=" ") == "REASON_MISSING"
        back = return_change(**given, reason="先试点")
        assert (back.state, back.decision_reason, back.adoption_id) == ("returned", "先试点", None)
        assert Adoption.objects.count() == 1
        assert trail("models.return_change")[0].reason == "先试点"
        ask(administrator, second, TOMORROW)
        assert requests() == ["returned", "proposed"]

    def test_a_colleague_may_take_it_back_and_nobody_from_above(
        self, administrator, colleague, second, from_above
    ):
        asked = ask(administrator, second)
        with nothing_written(), pytest.raises(Forbidden):
            withdraw_request(actor=from_above("district"), request_id=asked.pk)
        gone = withdraw_request(actor=colleague, request_id=asked.pk, reason="不急")
        assert (gone.state, gone.decided_by_id) == ("withdrawn", colleague.person_id)

    def test_another_units_request_is_not_there(
        self, street, other_street, administrator, second, actor_as
    ):
        asked = ask(administrator, second)
        other = actor_as(other_street, Role.STREET_ADMINISTRATOR)
        with tenant_context(other_street):
            for work in (approve_change, withdraw_request):
                with nothing_written(), pytest.raises(NotFound):
                    work(actor=other, request_id=asked.pk)

    def test_what_was_asked_for_never_changes(self, administrator, second):
        asked = ask(administrator, second)
        for change in ({"effective_from": TOMORROW}, {"values": {}}, {"proposed_by_id": second.pk}):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                ChangeRequest.objects.filter(pk=asked.pk).update(**change)
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            ChangeRequest.objects.filter(pk=asked.pk).delete()
