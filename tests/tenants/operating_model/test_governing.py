"""M5, M6: what a district and a city lay down about adopting, and what they offer."""

from datetime import timedelta
from itertools import product

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.utils import timezone
from django.utils.translation import override

from linli.accounts.policy import Role, system_actor
from linli.errors import Forbidden, Refused
from linli.events.models import Event
from linli.library.governing import approval_needed, offers_for, rule_for
from linli.library.models import AdoptionRule, Offer
from linli.library.selectors import adoption_rules, offers, units_by_offer
from linli.registry.models import Tenant
from linli.tenancy.context import public_context, tenant_context
from tenants.operating_model.actions import adopt_version
from tenants.operating_model.governing import offer_version, set_adoption_rule, withdraw_offer
from tenants.operating_model.models import Adoption
from tenants.operating_model.selectors import preview_adoption

from .conftest import (
    START,
    TODAY,
    TOMORROW,
    YESTERDAY,
    document,
    nothing_written,
    publish,
    trail,
    write,
)

APPROVERS = AdoptionRule.Approver.values
UPGRADES = AdoptionRule.Upgrades.values
LATER = TODAY + timedelta(days=30)


def rule(tenant, approver="nobody", upgrades="free", since=TODAY, **more):
    with tenant_context(tenant):
        return set_adoption_rule(
            actor=system_actor(tenant),
            approver=approver,
            upgrades=upgrades,
            effective_from=since,
            **more,
        )


def offer(tenant, version, units=None, since=TODAY, **more):
    with tenant_context(tenant):
        return offer_version(
            actor=system_actor(tenant),
            published_id=version.pk,
            unit_ids=None if units is None else [unit.pk for unit in units],
            effective_from=since,
            **more,
        )


def refusal(tenant, work, *given, **more):
    """Its code and field; nothing is written in the tenant or the public schema."""
    with tenant_context(tenant):
        with nothing_written(), pytest.raises(Refused) as refused, transaction.atomic():
            work(*given, **more)
        assert str(refused.value.message)
    return refused.value.code, refused.value.field


def binds(tenant, day=TODAY):
    """Who approves and who laid that down, what may be upgraded to and who laid that down."""
    found = rule_for(tenant, day)
    by, to = (one.name if one else None for one in (found.approver_by, found.upgrades_by))
    return found.approver.value, by, found.upgrades.value, to


@pytest.fixture
def sister(district):
    """A second street office in Zhangdian, not provisioned."""
    with public_context():
        return Tenant.objects.create(
            slug="keyuan", schema_name="t_keyuan", name="科苑街道", kind="street", parent=district
        )


@pytest.fixture
def versions(other_street):
    """Two versions of Wenshao's model, in the library."""
    with tenant_context(other_street):
        return [
            publish(other_street, write(other_street, document(rent_free_months=months)))
            for months in (18, 6)
        ]


class TestTheRule:
    def test_where_nothing_is_laid_down_a_street_is_free(self, street, city):
        assert binds(street) == ("nobody", None, "free", None)
        assert binds(city) == ("nobody", None, "free", None)
        assert approval_needed(street, TODAY) is None

    @pytest.mark.parametrize(("below", "above"), list(product(APPROVERS, APPROVERS)))
    def test_of_two_that_laid_something_down_the_stricter_counts(
        self, city, district, street, below, above
    ):
        rule(district, below)
        rule(city, above)
        stricter = max(below, above, key=APPROVERS.index)
        named = "张店区" if stricter == below else "淄博市"
        assert binds(street)[:2] == (stricter, named)
        needed = approval_needed(street, TODAY)
        assert (needed is None) == (stricter == "nobody")
        office = {"district": district, "city": city}.get(stricter, street)
        assert rule_for(street, TODAY).office == office

    @pytest.mark.parametrize(("below", "above"), list(product(UPGRADES, UPGRADES)))
    def test_so_with_upgrades(self, city, district, street, below, above):
        rule(district, upgrades=below)
        rule(city, upgrades=above)
        stricter = max(below, above, key=UPGRADES.index)
        assert binds(street)[2:] == (stricter, "张店区" if stricter == below else "淄博市")

    def test_each_of_the_two_by_whoever_demands_more(self, city, district, street):
        rule(district, "second_person", "when_offered")
        rule(city, "city", "free")
        assert binds(street) == ("city", "淄博市", "when_offered", "张店区")

    def test_it_binds_who_is_below_and_nobody_else(
        self, city, district, street, other_street, other_city
    ):
        rule(district, "district")
        assert [binds(one)[0] for one in (street, other_street, district, city, other_city)] == [
            "district", "nobody", "nobody", "nobody", "nobody",
        ]  # fmt: skip

    def test_a_later_one_replaces_it_from_its_day_on(self, district, street):
        rule(district, "city")
        rule(district, "second_person", since=LATER)
        assert binds(street, YESTERDAY)[0] == "nobody"
        assert binds(street, LATER - timedelta(days=1))[0] == "city"
        assert binds(street, LATER)[0] == "second_person"

    def test_of_several_for_one_day_the_last_counts(self, district, street):
        for approver in ("city", "district", "nobody"):
            rule(district, approver)
        assert binds(street)[0] == "nobody"

    def test_the_district_is_what_stands_right_above(self, city):
        """A small city's street office without a district."""
        directly = Tenant.objects.create(
            slug="gaoqing", schema_name="t_gaoqing", name="高青镇", kind="street", parent=city
        )
        rule(city, "district")
        assert rule_for(directly, TODAY).office == city


class TestLayingItDown:
    def test_it_is_written_recorded_and_told(self, district, actor_as):
        actor = actor_as(district, Role.DISTRICT_ADMINISTRATOR)
        with tenant_context(district):
            laid_down = set_adoption_rule(
                actor=actor, approver="district", upgrades="when_offered",
                effective_from=TODAY, reason="先试点", expected_version=0,
            )  # fmt: skip
            [here] = trail("models.set_adoption_rule")
            assert (here.person_id, here.reason, here.before) == (actor.person_id, "先试点", None)
            assert here.after["approver"] == "district"
            told = Event.objects.get(type="adoption_rule.set")
            assert told.object_id == laid_down.pk
            assert told.data == {
                "approver": "district", "upgrades": "when_offered",
                "effectiveFrom": TODAY.isoformat(),
            }  # fmt: skip
        with public_context():
            [public] = trail("library.lay_down_rule")
            assert public.object_id == str(laid_down.pk)

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"effective_from": YESTERDAY}, ("CHANGE_BACKDATED", "effectiveFrom")),
            ({"expected_version": 0}, ("VERSION_CONFLICT", "expectedVersion")),
            ({"approver": "district"}, ("NOTHING_CHANGES", None)),
        ],
    )
    def test_what_is_refused(self, district, given, told):
        rule(district, "district")
        given = {"approver": "city", "upgrades": "free", "effective_from": TODAY} | given
        actor = system_actor(district)
        assert refusal(district, set_adoption_rule, actor=actor, **given) == told

    def test_a_street_lays_nothing_down(self, street):
        given = {"approver": "nobody", "upgrades": "free", "effective_from": TODAY}
        actor = system_actor(street)
        assert refusal(street, set_adoption_rule, actor=actor, **given) == ("TENANT_KIND", None)

    def test_no_city_approves_where_there_is_none(self, district):
        alone = district
        Tenant.objects.filter(pk=alone.pk).update(parent=None)
        alone.refresh_from_db()
        given = {"approver": "city", "upgrades": "free", "effective_from": TODAY}
        actor = system_actor(alone)
        told = ("APPROVER_MISSING", "approver")
        assert refusal(alone, set_adoption_rule, actor=actor, **given) == told

    @pytest.mark.parametrize("role", [Role.AUDITOR, Role.INTEGRATOR])
    def test_is_for_who_may_issue(self, district, actor_as, role):
        given = {"approver": "city", "upgrades": "free", "effective_from": TODAY}
        with tenant_context(district), nothing_written(), pytest.raises(Forbidden):
            set_adoption_rule(actor=actor_as(district, role), **given)

    def test_a_rule_is_never_changed(self, district):
        laid_down = rule(district, "city")
        rows = AdoptionRule.objects.filter(pk=laid_down.pk)
        for work in (lambda: rows.update(approver="nobody"), rows.delete):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                work()


class TestOffers:
    def offered(self, tenant, day=TODAY):
        return [one.version.number for one in offers_for(tenant, day)]

    def test_first_to_some_then_to_the_others(
        self, district, street, sister, other_street, versions
    ):
        offer(district, versions[1], [street], note="先试三个月")
        assert self.offered(street) == [2]
        assert self.offered(sister) == []
        offer(district, versions[1], since=LATER)
        assert self.offered(sister) == []
        assert self.offered(sister, LATER) == [2]
        assert self.offered(street, LATER) == [2, 2]
        assert self.offered(other_street, LATER) == []
        assert self.offered(district, LATER) == []

    def test_the_citys_reach_the_streets_of_its_districts(
        self, city, street, other_street, versions
    ):
        offer(city, versions[0])
        offer(city, versions[1], [other_street])
        assert self.offered(street) == [1]
        assert self.offered(other_street) == [2, 1]

    def test_each_sees_its_own_and_not_to_whom_else(
        self, district, street, sister, versions, actor_as
    ):
        both = offer(district, versions[1], [street, sister])
        offer(district, versions[1], [sister])
        every = offer(district, versions[0])
        at_street = actor_as(street, Role.COMMUNITY_WORKER)
        at_district = actor_as(district, Role.DISTRICT_ADMINISTRATOR)
        assert set(offers(actor=at_street)) == {both, every}
        assert offers(actor=at_district).count() == 3
        assert units_by_offer([both, every], at_street) == {both.pk: ["车站街道"]}
        assert units_by_offer([both], at_district) == {both.pk: ["科苑街道", "车站街道"]}

    def test_it_is_written_recorded_and_told(self, district, street, versions, actor_as):
        actor = actor_as(district, Role.DISTRICT_ADMINISTRATOR)
        with tenant_context(district):
            made = offer_version(
                actor=actor, published_id=versions[1].pk, unit_ids=[street.pk, street.pk],
                effective_from=TODAY, binding_by=LATER, note=" 请抓紧 ",
            )  # fmt: skip
            assert (made.units, made.binding_by, made.note) == ([street.pk], LATER, "请抓紧")
            [here] = trail("models.offer_version")
            assert (here.person_id, here.after["units"]) == (actor.person_id, [str(street.pk)])
            told = Event.objects.get(type="offer.made")
            assert (told.object_id, told.data["binding"], told.data["toAll"]) == (
                made.pk, True, False,
            )  # fmt: skip
        with public_context():
            assert [one.object_id for one in trail("library.make_offer")] == [str(made.pk)]

    def test_what_is_refused(self, district, street, other_street, city, versions):
        def told(**given):
            actor = system_actor(district)
            given = {"published_id": versions[1].pk, "effective_from": TODAY} | given
            return refusal(district, offer_version, actor=actor, **given)

        assert told(published_id=street.pk) == ("NOT_FOUND", "publishedId")
        assert told(effective_from=YESTERDAY) == ("CHANGE_BACKDATED", "effectiveFrom")
        assert told(unit_ids=[]) == ("OFFERED_TO_NOBODY", "unitIds")
        for stranger in (other_street, district, city):
            found = told(unit_ids=[street.pk, stranger.pk])
            assert found == ("NOT_FOUND", "unitIds.1")
        of_the_city = {"published_id": versions[1].pk, "effective_from": TODAY}
        of_the_city |= {"actor": system_actor(city), "unit_ids": [district.pk]}
        assert refusal(city, offer_version, **of_the_city) == ("NOT_FOUND", "unitIds.0")
        due = told(effective_from=LATER, binding_by=TODAY)
        assert due == ("DUE_TOO_EARLY", "bindingBy")

    def test_the_database_holds_it_too(self, district, versions):
        given = {"issuer": district, "version": versions[0], "effective_from": TODAY}
        for wrong, name in (
            ({"units": []}, "offer_to_somebody"),
            ({"binding_by": YESTERDAY}, "offer_due_not_before_it_starts"),
            ({"withdrawn_on": TODAY}, "offer_withdrawn_says_why"),
        ):
            with pytest.raises(IntegrityError, match=name), transaction.atomic():
                Offer.objects.create(**given, **wrong)
        made = offer(district, versions[0])
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            Offer.objects.filter(pk=made.pk).update(binding_by=LATER)

    def test_a_street_offers_nothing(self, street, versions):
        given = {"published_id": versions[0].pk, "effective_from": TODAY}
        actor = system_actor(street)
        assert refusal(street, offer_version, actor=actor, **given) == ("TENANT_KIND", None)

    @pytest.mark.parametrize("role", [Role.AUDITOR, Role.INTEGRATOR])
    def test_is_for_who_may_issue(self, district, versions, actor_as, role):
        actor = actor_as(district, role)
        made = offer(district, versions[0])
        with tenant_context(district), nothing_written():
            with pytest.raises(Forbidden):
                offer_version(actor=actor, published_id=versions[0].pk, effective_from=TODAY)
            with pytest.raises(Forbidden):
                withdraw_offer(actor=actor, offer_id=made.pk, reason="有错")

    def test_withdrawn_it_counts_no_more_from_that_day_on(
        self, district, street, versions, monkeypatch
    ):
        made = offer(district, versions[1])
        monkeypatch.setattr(timezone, "localdate", lambda *args: LATER)
        with tenant_context(district):
            gone = withdraw_offer(actor=system_actor(district), offer_id=made.pk, reason="有错")
            assert (gone.withdrawn_on, gone.withdrawn_reason) == (LATER, "有错")
            assert trail("models.withdraw_offer")[0].reason == "有错"
            assert Event.objects.filter(type="offer.withdrawn", object_id=made.pk).exists()
        assert self.offered(street, LATER - timedelta(days=1)) == [2]
        assert self.offered(street, LATER) == []

    def test_what_cannot_be_withdrawn(self, district, other_district, versions):
        made = offer(district, versions[1])

        def told(tenant, **given):
            given = {"offer_id": made.pk, "reason": "有错"} | given
            return refusal(tenant, withdraw_offer, actor=system_actor(tenant), **given)

        assert told(district, reason="  ") == ("REASON_MISSING", "reason")
        assert told(other_district) == ("NOT_FOUND", "offerId")
        with tenant_context(district):
            withdraw_offer(actor=system_actor(district), offer_id=made.pk, reason="有错")
        assert told(district) == ("OFFER_WITHDRAWN", "offerId")


class TestUpgradesWhenOffered:
    def upgrade(self, street, version, since=TODAY, actor=None):
        return adopt_version(
            actor=actor or system_actor(street), published_id=version.pk, effective_from=since
        )

    @pytest.fixture
    def on_the_first(self, district, at_street, versions):
        self.upgrade(at_street, versions[0], START)
        rule(district, upgrades="when_offered")
        return at_street

    def test_what_is_not_offered_is_refused_and_previewed_as_a_problem(
        self, on_the_first, versions
    ):
        street = on_the_first
        told = refusal(street, self.upgrade, street, versions[1])
        assert told == ("NOT_OFFERED", "effectiveFrom")
        with tenant_context(street):
            [problem] = preview_adoption(
                actor=system_actor(street), published_id=versions[1].pk, effective_from=TODAY
            ).problems
        assert problem.code == "NOT_OFFERED"
        with override("en"):
            assert str(problem.message).startswith(
                "张店区 has laid down that you upgrade only to versions that were offered to you, "
                "and chengnan v2 is not offered for"
            )

    def test_what_is_offered_is_taken_from_its_day_on(self, district, on_the_first, versions):
        street = on_the_first
        offer(district, versions[1], [street], since=TOMORROW)
        assert refusal(street, self.upgrade, street, versions[1])[0] == "NOT_OFFERED"
        with tenant_context(street):
            self.upgrade(street, versions[1], TOMORROW)
            assert Adoption.objects.count() == 2

    def test_what_is_offered_to_another_or_withdrawn_is_not(
        self, district, on_the_first, sister, versions
    ):
        street = on_the_first
        offer(district, versions[1], [sister])
        gone = offer(district, versions[1])
        with tenant_context(district):
            withdraw_offer(actor=system_actor(district), offer_id=gone.pk, reason="有错")
        assert refusal(street, self.upgrade, street, versions[1])[0] == "NOT_OFFERED"

    def test_another_model_or_an_earlier_version_is_no_upgrade(
        self, district, on_the_first, versions, other_street
    ):
        street = on_the_first
        with tenant_context(other_street):
            write(other_street, key="another")
            other = publish(
                other_street, write(other_street, document(rent_free_months=3), key="another")
            )
        with tenant_context(street):
            self.upgrade(street, other)
        offer(district, versions[1])
        with tenant_context(street):
            self.upgrade(street, versions[1])
            self.upgrade(street, versions[0])
            assert Adoption.objects.count() == 4

    def test_what_the_street_wrote_itself_needs_no_offer(self, district, at_street):
        rule(district, upgrades="when_offered")
        for months, since in ((18, START), (6, TODAY)):
            version = write(at_street, document(rent_free_months=months))
            adopt_version(
                actor=system_actor(at_street), version_id=version.pk, effective_from=since
            )
        assert Adoption.objects.count() == 2


def test_what_was_laid_down_here_and_above_is_seen(
    city, district, other_district, street, actor_as
):
    for tenant in (city, district, other_district):
        rule(tenant, "city")
    seen = adoption_rules(actor=actor_as(street, Role.COMMUNITY_WORKER))
    assert {one.issuer for one in seen} == {city, district}
