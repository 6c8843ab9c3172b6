"""Upgrades that another approves, that are offered, and that are binding (M6)."""

from datetime import date, timedelta
from unittest.mock import patch
from uuid import uuid4

import pytest

from linli.accounts.policy import Role, system_actor
from linli.errors import Refused
from linli.library.selectors import behind_by_offer
from linli.tenancy.context import tenant_context
from tenants.operating_model import binding
from tenants.operating_model.actions import (
    adopt_version,
    change_visibility,
    withdraw_version,
)
from tenants.operating_model.binding import follow_offers, units_to_follow
from tenants.operating_model.decisions import Said
from tenants.operating_model.governing import withdraw_offer
from tenants.operating_model.models import Adoption, ChangeRequest, Upgrade, UpgradeDecision
from tenants.operating_model.packages import import_package
from tenants.operating_model.requests import (
    approve_change,
    request_roll_back,
    request_upgrade,
)
from tenants.operating_model.rolling_back import roll_back_upgrade
from tenants.operating_model.rulebook import Rulebook
from tenants.operating_model.selectors import (
    effective_rules,
    preview_roll_back,
    problems_of_upgrade,
)
from tenants.operating_model.upgrades import (
    apply_upgrade,
    decide_upgrade,
    open_upgrade,
)
from tenants.partners.actions import admit_partner, sign_agreement
from tests.support.packages import package, trust

from .conftest import (
    DAY,
    MONTHS,
    RATE,
    START,
    TODAY,
    TOMORROW,
    changed,
    community,
    document,
    layer,
    publish,
    refused,
    trail,
    write,
)
from .test_governing import offer, rule

FAR = date(2099, 1, 1)


class TestApproval:
    def test_where_the_district_approves_a_street_asks(
        self, district, administrator, from_the_district, upgrade
    ):
        rule(district, "district")
        assert (
            refused(apply_upgrade, actor=administrator, upgrade_id=upgrade.pk) == "APPROVAL_NEEDED"
        )

        asked = request_upgrade(actor=administrator, upgrade_id=upgrade.pk, reason="跟上新版")
        assert effective_rules(TODAY).value(DAY) == 25
        approve_change(actor=from_the_district, request_id=asked.pk, reason="同意")

        assert effective_rules(TODAY).value(DAY) == 10
        upgrade.refresh_from_db()
        asked.refresh_from_db()
        assert (upgrade.state, asked.state) == ("applied", "approved")
        assert asked.adoption_id == upgrade.adoption_id
        [told] = trail("models.apply_upgrade")
        assert told.person_id == from_the_district.person_id

    def test_what_is_not_decided_is_not_asked_for(self, district, administrator, second):
        layer(administrator.tenant, {RATE: "0.02"})
        rule(district, "district")
        upgrade = open_upgrade(actor=administrator, version_id=second.pk, effective_from=TODAY)

        assert refused(request_upgrade, actor=administrator, upgrade_id=upgrade.pk) == (
            "UPGRADE_UNDECIDED"
        )

    @pytest.mark.parametrize("what", ["decision", "community"])
    def test_what_was_changed_since_is_asked_for_anew(
        self, district, administrator, from_the_district, upgrade, at_street, what
    ):
        place = community(at_street)
        rule(district, "district")
        asked = request_upgrade(actor=administrator, upgrade_id=upgrade.pk)
        if what == "decision":
            decide_upgrade(
                actor=administrator, upgrade_id=upgrade.pk, decisions=[Said(DAY, "set", value=5)]
            )
        else:
            layer(at_street, {DAY: 5}, community=place)

        assert refused(approve_change, actor=from_the_district, request_id=asked.pk) == (
            "CHANGED_SINCE_REQUESTED"
        )
        assert ChangeRequest.objects.get().state == "proposed"

    def test_a_roll_back_is_approved_too(self, district, administrator, from_the_district, upgrade):
        apply_upgrade(actor=administrator, upgrade_id=upgrade.pk)
        rule(district, "district")
        given = {"actor": administrator, "upgrade_id": upgrade.pk, "effective_from": TODAY}
        assert refused(roll_back_upgrade, **given) == "APPROVAL_NEEDED"
        layer(administrator.tenant, {MONTHS: 3})
        assert refused(request_roll_back, **given) == "CHANGED_SINCE"
        layer(administrator.tenant, {})

        asked = request_roll_back(reason="居民不同意", **given)
        approve_change(actor=from_the_district, request_id=asked.pk)

        assert effective_rules(TODAY).value(DAY) == 25
        asked.refresh_from_db()
        upgrade.refresh_from_db()
        assert (upgrade.state, asked.adoption.version_id) == (
            "rolled_back",
            Rulebook.load().adoption(TODAY).version_id,
        )


class TestOffers:
    def test_what_is_not_offered_is_not_upgraded_to(
        self, district, administrator, upgrade, second, at_street, other_street
    ):
        rule(district, "nobody", upgrades="when_offered")
        # One's own needs no offer; so it is another's that is tried.
        apply_upgrade(actor=administrator, upgrade_id=upgrade.pk)
        assert Adoption.objects.count() == 2

    def test_others_are(self, other_street, other_district, street, actor_as):
        with tenant_context(street):
            first = publish(street, write(street))
            second = publish(street, changed(street))
        rule(other_district, "nobody", upgrades="when_offered")
        with tenant_context(other_street):
            actor = actor_as(other_street, Role.STREET_ADMINISTRATOR)

            adopt_version(actor=actor, published_id=first.pk, effective_from=START)
            given = {"actor": actor, "published_id": second.pk, "effective_from": TODAY}
            assert refused(open_upgrade, **given) == "NOT_OFFERED"
        offer(other_district, second, [other_street])
        with tenant_context(other_street):
            upgrade = open_upgrade(**given)
            apply_upgrade(actor=actor, upgrade_id=upgrade.pk)
            assert effective_rules(TODAY).value(DAY) == 10

    def test_another_model_in_between_is_no_way_round(self, other_street, other_district, street):
        with tenant_context(street):
            first = publish(street, write(street))
            second = publish(street, changed(street))
        rule(other_district, "nobody", upgrades="when_offered")
        with tenant_context(other_street):
            actor = system_actor(other_street)
            own = write(other_street, document(rent_free_months=1), key="own")
            adopt_version(actor=actor, published_id=first.pk, effective_from=START)
            adopt_version(actor=actor, version_id=own.pk, effective_from=TODAY)

            given = {"actor": actor, "published_id": second.pk, "effective_from": TODAY}
            assert refused(adopt_version, **given) == "NOT_OFFERED"
            assert refused(open_upgrade, **given) == "NOT_OFFERED"
            # Back to what ran already, at any time; and from there on no further.
            adopt_version(actor=actor, published_id=first.pk, effective_from=TODAY)
            assert refused(adopt_version, **given) == "NOT_OFFERED"
            made = offer(other_district, second, [other_street])
        with tenant_context(other_street):
            upgrade = open_upgrade(**given)
            adopt_version(actor=actor, version_id=own.pk, effective_from=TODAY)
        with tenant_context(other_district):
            withdraw_offer(actor=system_actor(other_district), offer_id=made.pk, reason="有错")
        with tenant_context(other_street):
            given = {"actor": actor, "upgrade_id": upgrade.pk}
            assert refused(apply_upgrade, **given) == "NOT_OFFERED"

    def test_what_came_as_a_file_is_offered_as_any(self, other_street, other_district, actor_as):
        trust(1)
        author, later = str(uuid4()), document()
        later["meetings"]["joint"]["day_of_month"] = 10
        within = {"id": author, "name": "古城街道", "within": []}
        with tenant_context(other_street):
            first, second = (
                import_package(actor=system_actor(other_street), file=package(1, **more).encode())[
                    0
                ]
                for more in (
                    {"author": within, "document": document(), "bounds": {}},
                    {"author": within, "document": later, "bounds": {}, "number": 2},
                )
            )
            actor = actor_as(other_street, Role.STREET_ADMINISTRATOR)
            adopt_version(actor=actor, published_id=first.pk, effective_from=START)
        rule(other_district, "nobody", upgrades="when_offered")
        offer(other_district, second, [other_street])
        with tenant_context(other_street):
            upgrade = open_upgrade(actor=actor, published_id=second.pk, effective_from=TODAY)
            apply_upgrade(actor=actor, upgrade_id=upgrade.pk)
            assert effective_rules(TODAY).value(DAY) == 10


class TestBinding:
    def test_where_nothing_clashes_it_applies_itself(self, wenshao, other_district, two_versions):
        offer(other_district, two_versions[1], binding_by=TODAY)
        assert list(units_to_follow()) == [wenshao]

        follow_offers(wenshao)

        assert effective_rules(TODAY).value(DAY) == 10
        assert list(units_to_follow()) == []
        assert follow_offers(wenshao) is None
        assert Adoption.objects.count() == 2

    def test_where_something_clashes_people_decide(self, wenshao, other_district, two_versions):
        layer(wenshao, {RATE: "0.02"}, reason="利润薄")
        offer(other_district, two_versions[1], [wenshao], binding_by=TODAY)

        upgrade = follow_offers(wenshao)

        assert (upgrade.state, effective_rules(TODAY).value(RATE)) == ("open", "0.02")
        assert "binding" in upgrade.reason or "必须" in upgrade.reason
        assert follow_offers(wenshao).pk == upgrade.pk
        decide_upgrade(
            actor=system_actor(wenshao), upgrade_id=upgrade.pk, decisions=[Said(RATE, "keep")]
        )
        follow_offers(wenshao)
        rules = effective_rules(TODAY)
        assert (rules.value(RATE), rules.value(DAY)) == ("0.02", 10)
        assert UpgradeDecision.objects.count() == 1

    @pytest.mark.parametrize(
        "why", ["not_due", "not_binding", "withdrawn", "other_model", "others"]
    )
    def test_nobody_else_is_upgraded(
        self, wenshao, other_district, district, two_versions, street, why
    ):

        version = two_versions[1]
        if why == "other_model":
            with tenant_context(street):
                version = publish(
                    street, write(street, document(rent_free_months=3), key="another")
                )
        if why == "others":
            offer(district, version, binding_by=TODAY)
        else:
            by = {"not_due": TOMORROW, "not_binding": None}.get(why, TODAY)
            made = offer(other_district, version, binding_by=by)
        if why == "withdrawn":
            with tenant_context(other_district):
                withdraw_offer(actor=system_actor(other_district), offer_id=made.pk, reason="有错")

        assert wenshao not in list(units_to_follow())
        assert follow_offers(wenshao) is None
        assert Upgrade.objects.count() == 0

    def test_a_day_that_was_chosen_before_does_not_put_it_off(
        self, wenshao, other_district, two_versions
    ):
        open_upgrade(
            actor=system_actor(wenshao),
            published_id=two_versions[1].pk,
            effective_from=TODAY + timedelta(days=900),
        )
        offer(other_district, two_versions[1], binding_by=TODAY)

        follow_offers(wenshao)

        assert effective_rules(TODAY).value(DAY) == 10

    @pytest.mark.parametrize("whose", ["a community's", "the street office's"])
    def test_what_is_planned_for_later_neither_moves_the_day_nor_freezes_the_unit(
        self, wenshao, other_district, two_versions, whose
    ):
        place = community(wenshao) if whose == "a community's" else None
        layer(wenshao, {MONTHS: 17}, since=FAR, community=place)
        offer(other_district, two_versions[1], [wenshao], binding_by=TODAY)

        upgrade = follow_offers(wenshao)

        assert (upgrade.state, upgrade.effective_from) == ("open", TODAY)
        [told] = problems_of_upgrade(upgrade, actor=system_actor(wenshao))
        assert (told.code, told.data["earliest"]) == ("LATER_CHANGES", FAR.isoformat())
        assert [wenshao] == list(units_to_follow())
        layer(wenshao, {DAY: 5})  # all goes on as before
        assert follow_offers(wenshao).pk == upgrade.pk
        layer(wenshao, {DAY: 25})
        layer(wenshao, {} if place else {DAY: 25}, since=FAR, community=place)  # called off
        decide_upgrade(
            actor=system_actor(wenshao), upgrade_id=upgrade.pk, decisions=[Said(DAY, "take")]
        )
        follow_offers(wenshao)
        assert (effective_rules(TODAY).value(RATE), effective_rules(FAR).value(RATE)) == (
            "0.04", "0.04"
        )  # fmt: skip

    def test_an_open_upgrade_to_another_version_of_the_model_gives_way(
        self, wenshao, other_district, two_versions, street
    ):
        layer(wenshao, {RATE: "0.02"})
        with tenant_context(street):
            third = publish(street, changed(street, rate="0.05", day=12))
        actor = system_actor(wenshao)
        other = open_upgrade(actor=actor, published_id=third.pk, effective_from=TODAY)
        decide_upgrade(actor=actor, upgrade_id=other.pk, decisions=[Said(RATE, "keep")])
        offer(other_district, two_versions[1], [wenshao], binding_by=TODAY)

        upgrade = follow_offers(wenshao)

        assert (upgrade.state, upgrade.target.number) == ("open", 2)
        other.refresh_from_db()
        assert (other.state, other.decisions.count()) == ("given_up", 1)
        [told] = trail("models.give_up_upgrade")
        assert told.reason == upgrade.reason
        assert str(two_versions[1]) in told.reason

    def test_where_it_cannot_be_opened_nothing_is_given_up(
        self, wenshao, other_district, two_versions, street
    ):
        with tenant_context(street):
            third = publish(street, changed(street, rate="0.05", day=12))
        other = open_upgrade(
            actor=system_actor(wenshao), published_id=third.pk, effective_from=TODAY
        )
        offer(other_district, two_versions[1], [wenshao], binding_by=TODAY)

        with patch.object(
            binding, "begin_upgrade", side_effect=Refused("NOT_FOUND", "not seen here")
        ):
            assert follow_offers(wenshao) is None
        other.refresh_from_db()
        assert other.state == "open"

    def test_who_is_behind_is_seen_by_the_district_and_by_themselves(
        self, wenshao, other_district, two_versions
    ):
        later = offer(other_district, two_versions[1], binding_by=TOMORROW)
        made = offer(other_district, two_versions[1], binding_by=TODAY)
        layer(wenshao, {RATE: "0.02"})
        upgrade = follow_offers(wenshao)

        def seen(tenant):
            return behind_by_offer([later, made], system_actor(tenant))

        assert seen(other_district) == seen(wenshao) == {made.pk: [wenshao.name]}
        said = [Said(RATE, "take")]
        decide_upgrade(actor=system_actor(wenshao), upgrade_id=upgrade.pk, decisions=said)
        follow_offers(wenshao)
        assert seen(other_district) == seen(wenshao) == {made.pk: []}

    def test_who_it_is_not_made_to_is_not_behind(self, wenshao, other_district, two_versions):
        made = offer(other_district, two_versions[1], [wenshao], binding_by=TODAY)
        made.units = [uuid4()]
        assert behind_by_offer([made], system_actor(other_district)) == {made.pk: []}
        assert list(units_to_follow()) == [wenshao]

    def test_another_upgrade_that_is_being_decided_is_not_touched(
        self, wenshao, other_district, two_versions
    ):
        own = write(wenshao, document(rent_free_months=1), key="own")
        upgrade = open_upgrade(actor=system_actor(wenshao), version_id=own.pk, effective_from=TODAY)
        made = offer(other_district, two_versions[1], binding_by=TODAY)

        assert follow_offers(wenshao) is None
        assert Upgrade.objects.get().pk == upgrade.pk
        assert behind_by_offer([made], system_actor(wenshao)) == {made.pk: [wenshao.name]}

    def test_what_binds_is_neither_rolled_back_nor_gone_behind(
        self, wenshao, other_district, two_versions
    ):
        first, second = two_versions
        made = offer(other_district, second, [wenshao], binding_by=TODAY)
        upgrade = follow_offers(wenshao)
        actor = system_actor(wenshao)
        back = {"actor": actor, "upgrade_id": upgrade.pk, "effective_from": TODAY}
        earlier = {"actor": actor, "published_id": first.pk, "effective_from": TOMORROW}

        assert refused(roll_back_upgrade, **back) == "BINDING"
        assert refused(open_upgrade, **earlier) == "BINDING"
        assert refused(adopt_version, **earlier) == "BINDING"

        with tenant_context(other_district):
            withdraw_offer(actor=system_actor(other_district), offer_id=made.pk, reason="先不强求")
        roll_back_upgrade(**back)
        assert effective_rules(TODAY).value(DAY) == 25

    def test_an_upgrade_opened_before_is_not_applied_behind_what_binds(
        self, wenshao, other_district, two_versions, street
    ):
        opened = open_upgrade(
            actor=system_actor(wenshao), published_id=two_versions[1].pk, effective_from=TODAY
        )
        with tenant_context(street):
            third = publish(street, changed(street, day=12))
        offer(other_district, third, [wenshao], binding_by=TODAY)

        given = {"actor": system_actor(wenshao), "upgrade_id": opened.pk}
        assert refused(apply_upgrade, **given) == "BINDING"

    @pytest.mark.parametrize("how", ["withdrawn", "private"])
    def test_a_version_that_can_be_had_no_more_binds_nobody(
        self, wenshao, other_district, two_versions, street, how
    ):
        second = two_versions[1]
        with tenant_context(street):
            third = write(street, document(rent_free_months=1))
            published = publish(street, third)
        made = offer(other_district, published, [wenshao], binding_by=TODAY)
        reader = system_actor(other_district)
        assert behind_by_offer([made], reader) == {made.pk: [wenshao.name]}
        with tenant_context(street):
            actor = system_actor(street)
            if how == "withdrawn":
                withdraw_version(actor=actor, version_id=third.pk, reason="有错")
            else:
                change_visibility(actor=actor, version_id=third.pk, visibility="private")

        made.version.refresh_from_db()
        assert not behind_by_offer([made], reader).get(made.pk)
        assert list(units_to_follow()) == []
        assert follow_offers(wenshao) is None
        upgrade = open_upgrade(
            actor=system_actor(wenshao), published_id=second.pk, effective_from=TODAY
        )
        apply_upgrade(actor=system_actor(wenshao), upgrade_id=upgrade.pk)
        assert effective_rules(TODAY).value(DAY) == 10

    @pytest.mark.parametrize("approver", ["city", "district"])
    def test_where_the_city_approves_a_district_binds_nobody_past_it(
        self, wenshao, city, other_district, two_versions, approver
    ):
        rule(city, approver)
        offer(other_district, two_versions[1], [wenshao], binding_by=TODAY)

        upgrade = follow_offers(wenshao)

        assert upgrade.state == ("open" if approver == "city" else "applied")
        assert effective_rules(TODAY).value(DAY) == (25 if approver == "city" else 10)


def agreed(actor, place, rule_key):
    """For a year from today on, by the session."""
    partner = admit_partner(actor=actor, community_id=place.pk, name="众福养老", kind="enterprise")
    return sign_agreement(
        actor=actor, partner_id=partner.pk, mode="visiting", rule_key=rule_key,
        starts_on=TODAY, ends_on=TODAY + timedelta(days=365),
    )  # fmt: skip


class TestAgreements:
    def test_what_would_no_longer_fit_holds_it_up_unless_that_is_said(
        self, running, at_street, administrator
    ):
        place = community(at_street)
        agreement = agreed(administrator, place, "visiting")
        model = document()
        del model["partners"]["contributions"][1]
        upgrade = open_upgrade(
            actor=administrator, version_id=write(at_street, model).pk, effective_from=TODAY
        )
        given = {"actor": administrator, "upgrade_id": upgrade.pk}

        assert refused(apply_upgrade, **given) == "AGREEMENTS_CLASH"
        assert refused(apply_upgrade, despite_agreements=True, **given) == "REASON_MISSING"
        apply_upgrade(despite_agreements=True, reason="协议另改", **given)

        [told] = trail("models.apply_upgrade")
        assert told.after["despite_agreements"] == [str(agreement.pk)]
        assert Rulebook.load().adoption(TODAY).version_id == upgrade.target_id

    def test_a_roll_back_shows_and_asks_what_was_agreed_under_the_new_version(
        self, running, at_street, administrator
    ):
        place = community(at_street)
        model = document()
        model["partners"]["contributions"][1]["key"] = "by_session"
        upgrade = open_upgrade(
            actor=administrator, version_id=write(at_street, model).pk, effective_from=TODAY
        )
        apply_upgrade(actor=administrator, upgrade_id=upgrade.pk)
        agreement = agreed(administrator, place, "by_session")
        given = {"actor": administrator, "upgrade_id": upgrade.pk, "effective_from": TODAY}

        shown = preview_roll_back(**given)
        assert ([one.agreement_id for one in shown.unfit], shown.problems) == ([agreement.pk], [])
        assert refused(request_roll_back, **given) == "AGREEMENTS_CLASH"
        assert refused(roll_back_upgrade, **given) == "AGREEMENTS_CLASH"
