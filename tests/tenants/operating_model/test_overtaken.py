"""M5: what was asked for waits no longer once nothing can come of it."""

from unittest.mock import patch

import pytest
from django.utils.translation import override

from linli.accounts.policy import Role
from linli.events.models import Event
from linli.tenancy.context import tenant_context
from tenants.operating_model import actions
from tenants.operating_model.actions import adopt_version
from tenants.operating_model.binding import follow_offers
from tenants.operating_model.closing_requests import withdraw_overtaken
from tenants.operating_model.requests import (
    approve_change,
    request_adoption,
    request_roll_back,
    request_upgrade,
)
from tenants.operating_model.rolling_back import roll_back_upgrade
from tenants.operating_model.upgrades import apply_upgrade, give_up_upgrade, open_upgrade

from .conftest import TODAY, adopt, changed, document, publish, refused, trail, write
from .test_governing import offer, rule


@pytest.fixture
def asked(district, administrator, upgrade):
    rule(district, "district")
    return request_upgrade(actor=administrator, upgrade_id=upgrade.pk)


def ended(asked):
    asked.refresh_from_db()
    [entry] = trail("models.withdraw_request")
    assert (entry.object_id, entry.reason) == (str(asked.pk), asked.decision_reason)
    [event] = Event.objects.filter(type="change_request.withdrawn")
    assert (event.object_id, event.data["state"]) == (asked.pk, "withdrawn")
    return asked.state, asked.decided_by_id, asked.decision_reason


def test_an_upgrade_that_is_given_up_waits_for_nobody(administrator, upgrade, asked):
    with override("en"):
        give_up_upgrade(actor=administrator, upgrade_id=upgrade.pk, reason="下季度再说")

    assert ended(asked) == (
        "withdrawn",
        administrator.person_id,
        "The upgrade that this asked for was given up.",
    )
    again = open_upgrade(actor=administrator, version_id=upgrade.target_id, effective_from=TODAY)
    request_upgrade(actor=administrator, upgrade_id=again.pk)


def test_nor_does_one_that_was_applied_when_nobody_had_to_approve_any_more(
    district, administrator, upgrade, asked
):
    rule(district, "nobody")
    apply_upgrade(actor=administrator, upgrade_id=upgrade.pk)
    assert ended(asked)[:2] == ("withdrawn", administrator.person_id)


def test_nor_an_adoption_before_another(district, administrator, at_street, running):
    rule(district, "district")
    asked = request_adoption(
        actor=administrator,
        version_id=write(at_street, document(), key="own").pk,
        effective_from=TODAY,
    )
    rule(district, "nobody")
    other = write(at_street, document(rent_free_months=1), key="other")
    with override("en"):
        adopt_version(actor=administrator, version_id=other.pk, effective_from=TODAY)
    assert ended(asked)[2] == ("Another version was put in force since this was asked for.")


def test_nor_a_roll_back_that_was_done(district, administrator, upgrade):
    apply_upgrade(actor=administrator, upgrade_id=upgrade.pk)
    rule(district, "district")
    given = {"actor": administrator, "upgrade_id": upgrade.pk, "effective_from": TODAY}
    asked = request_roll_back(**given)
    rule(district, "nobody")
    roll_back_upgrade(**given)
    assert ended(asked)[0] == "withdrawn"


@pytest.mark.parametrize("to", [1, 2])
def test_nor_what_a_binding_offer_has_settled(
    wenshao, other_district, two_versions, street, actor_as, to
):
    """By the version that was asked for, or by another before it."""
    with tenant_context(street):
        versions = [*two_versions, publish(street, changed(street, rate="0.05", day=12))]
    actor = actor_as(wenshao, Role.STREET_ADMINISTRATOR)
    rule(other_district, "district")
    upgrade = open_upgrade(actor=actor, published_id=versions[1].pk, effective_from=TODAY)
    asked = request_upgrade(actor=actor, upgrade_id=upgrade.pk)
    offer(other_district, versions[to], [wenshao], binding_by=TODAY)

    assert follow_offers(wenshao).state == "applied"

    assert ended(asked)[:2] == ("withdrawn", None)


def test_what_can_still_be_approved_waits_on(administrator, asked):
    withdraw_overtaken(administrator)
    asked.refresh_from_db()
    assert asked.state == "proposed"
    assert not trail("models.withdraw_request")


def test_an_approval_is_no_withdrawal(asked, from_the_district):
    approve_change(actor=from_the_district, request_id=asked.pk)
    asked.refresh_from_db()
    assert asked.state == "approved"
    assert not trail("models.withdraw_request")


@pytest.mark.parametrize("kind", ["adoption", "upgrade", "roll back"])
def test_what_was_overtaken_and_not_withdrawn_is_not_approved(
    district, administrator, from_the_district, at_street, running, kind
):
    """As one that had been overtaken before requests were withdrawn by themselves."""
    given = {"actor": administrator, "effective_from": TODAY}
    second, own = changed(at_street), write(at_street, document(), key="own")
    if kind != "adoption":
        upgrade = open_upgrade(**given, version_id=second.pk)
    if kind == "roll back":
        apply_upgrade(actor=administrator, upgrade_id=upgrade.pk)
    rule(district, "district")
    asked = {
        "adoption": lambda: request_adoption(**given, version_id=second.pk),
        "upgrade": lambda: request_upgrade(actor=administrator, upgrade_id=upgrade.pk),
        "roll back": lambda: request_roll_back(**given, upgrade_id=upgrade.pk),
    }[kind]()
    with patch.object(actions, "withdraw_overtaken"):
        adopt(at_street, own, TODAY)

    to_approve = {"actor": from_the_district, "request_id": asked.pk}
    assert refused(approve_change, **to_approve) == "CHANGED_SINCE_REQUESTED"
    asked.refresh_from_db()
    assert asked.state == "proposed"
