"""Who decides about what a street adopts, through the API (M5, M6)."""

import pytest

from linli.accounts.policy import Role, system_actor
from linli.tenancy.context import tenant_context
from linli_api import ids
from tenants.operating_model.actions import publish_version, write_version
from tests.support.api import ask, done, errors, refused, statements
from tests.support.models import chengnan

pytestmark = pytest.mark.django_db

RATE = "partners.contributions[stationed].rate"
IN_FORCE = """query($on: Date) {
    adoptionRuleInForce(on: $on) {
        approver approverSetBy officeName upgrades upgradesSetBy
    }
}"""
OFFERS = """{ offers { nodes {
    issuerName publishedId key number title toAll unitNames effectiveFrom bindingBy behindNames
    note     withdrawnOn withdrawnReason
} } }"""
REQUESTS = """{ changeRequests { nodes {
    kind state version { key number } publishedId values { path value } bounds { path maximum }
    effectiveFrom reason decidedAt decisionReason adoption { number effectiveFrom }
} } }"""


def published(tenant, months, key="guide"):
    """The next version of Wenshao's model, in the library; its global id."""
    model = chengnan()
    model["partners"]["rent_free_months"] = months
    with tenant_context(tenant):
        actor = system_actor(tenant)
        version = write_version(actor=actor, key=key, title="样板", document=model, bounds={})
        made = publish_version(actor=actor, version_id=version.pk, profiles=["ageing"])
    return ids.encode("PublishedVersion", made.pk)


@pytest.fixture
def at_district(district, actor_as):
    return actor_as(district, Role.DISTRICT_ADMINISTRATOR)


@pytest.fixture
def from_the_district(district, street, actor_as):
    return actor_as(street, Role.DISTRICT_ADMINISTRATOR, held_at=district)


def lay_down(at_district, approver="DISTRICT", upgrades="WHEN_OFFERED", seen=0):
    return done(
        at_district, "setAdoptionRule", "rule { version issuerName approver upgrades }",
        approver=approver, upgrades=upgrades, effectiveFrom="2026-06-15", expectedVersion=seen,
        reason="先试点",
    )  # fmt: skip


def test_a_district_lays_it_down_and_the_street_is_told(house, at_district):
    free = {"upgrades": "FREE", "upgradesSetBy": None, "officeName": "车站街道"}
    assert ask(house.auditor, IN_FORCE)["adoptionRuleInForce"] == {
        "approver": "NOBODY", "approverSetBy": None, **free,
    }  # fmt: skip
    assert lay_down(at_district) == {
        "version": 1, "issuerName": "张店区", "approver": "DISTRICT", "upgrades": "WHEN_OFFERED",
    }  # fmt: skip
    assert lay_down(at_district, "SECOND_PERSON", seen=1)["version"] == 2
    assert ask(house.partner, IN_FORCE)["adoptionRuleInForce"] == {
        "approver": "SECOND_PERSON", "approverSetBy": "张店区", "officeName": "车站街道",
        "upgrades": "WHEN_OFFERED", "upgradesSetBy": "张店区",
    }  # fmt: skip
    past = ask(house.partner, IN_FORCE, on="2026-06-14")["adoptionRuleInForce"]
    assert past["approver"] == "NOBODY"
    read = "{ adoptionRules(orderBy: NEWEST) { nodes { version approver reason effectiveFrom } } }"
    assert ask(house.auditor, read)["adoptionRules"]["nodes"] == [
        {"version": 2, "approver": "SECOND_PERSON", "reason": "先试点", "effectiveFrom": "2026-06-15"},
        {"version": 1, "approver": "DISTRICT", "reason": "先试点", "effectiveFrom": "2026-06-15"},
    ]  # fmt: skip


def test_offered_asked_for_and_approved_by_the_district(
    house, other_street, at_district, from_the_district
):
    first, second = (published(other_street, months) for months in (18, 6))
    lay_down(at_district)
    given = {"publishedId": first, "effectiveFrom": "2026-06-15", "expectedVersion": 1}
    assert refused(house.administrator, "adoptVersion", **given) == [("APPROVAL_NEEDED", None)]

    shows = "request { id state }"
    asked = done(house.administrator, "requestAdoption", shows, **given)
    assert asked["state"] == "PROPOSED"
    own = {"requestId": asked["id"]}
    assert refused(house.administrator, "approveChange", **own) == [("WRONG_OFFICE", "requestId")]
    did = done(
        from_the_district, "approveChange", "request { state adoption { number } }", **own,
        reason="同意",
    )  # fmt: skip
    assert did == {"state": "APPROVED", "adoption": {"number": 2}}

    given |= {"publishedId": second, "expectedVersion": 2, "effectiveFrom": "2026-07-01"}
    not_offered = [("NOT_OFFERED", "effectiveFrom")]
    assert refused(house.administrator, "requestAdoption", **given) == not_offered
    offer = done(
        at_district, "offerVersion", "offer { id unitNames }", publishedId=second,
        unitIds=[ids.encode("Tenant", house.street.pk)], effectiveFrom="2026-07-01",
        bindingBy="2026-09-30", note="先试三个月",
    )  # fmt: skip
    assert offer["unitNames"] == ["车站街道"]
    assert ask(house.auditor, OFFERS)["offers"]["nodes"] == [
        {
            "issuerName": "张店区", "publishedId": second, "key": "guide", "number": 2,
            "title": "样板", "toAll": False, "unitNames": ["车站街道"],
            "effectiveFrom": "2026-07-01", "bindingBy": "2026-09-30", "behindNames": None,
            "note": "先试三个月", "withdrawnOn": None, "withdrawnReason": "",
        }
    ]  # fmt: skip
    given |= {"values": [{"path": RATE, "value": "0.02"}], "expectedLayerVersion": 0}
    given |= {"bounds": [{"path": RATE, "maximum": "0.04"}], "reason": "免租期合适"}
    asked = done(house.administrator, "requestAdoption", shows, **given)
    back = {"requestId": asked["id"], "reason": "再议"}
    assert done(from_the_district, "returnChange", "request { state }", **back) == {
        "state": "RETURNED"
    }
    asked = done(house.administrator, "requestAdoption", shows, **given)
    read = """query($id: ID!) { changeRequest(id: $id) { state version { number } } }"""
    shown = ask(from_the_district, read, id=asked["id"])["changeRequest"]
    assert shown == {"state": "PROPOSED", "version": {"number": 2}}
    gone = {"requestId": asked["id"], "reason": "不急"}
    assert done(house.administrator, "withdrawRequest", "request { state }", **gone) == {
        "state": "WITHDRAWN"
    }
    last, returned, approved = ask(house.auditor, REQUESTS)["changeRequests"]["nodes"]
    assert [one["state"] for one in (last, returned, approved)] == [
        "WITHDRAWN", "RETURNED", "APPROVED",
    ]  # fmt: skip
    assert returned.pop("decidedAt")
    assert returned == {
        "kind": "ADOPTION", "state": "RETURNED", "version": {"key": "guide", "number": 2},
        "publishedId": second, "values": [{"path": RATE, "value": "0.02"}],
        "bounds": [{"path": RATE, "maximum": "0.04"}], "effectiveFrom": "2026-07-01",
        "reason": "免租期合适", "decisionReason": "再议", "adoption": None,
    }  # fmt: skip
    assert approved["adoption"] == {"number": 2, "effectiveFrom": "2026-06-15"}
    assert (approved["values"], approved["bounds"]) == (None, None)

    end = {"offerId": offer["id"], "reason": "有错"}
    shows = "offer { withdrawnOn withdrawnReason }"
    assert done(at_district, "withdrawOffer", shows, **end) == {
        "withdrawnOn": "2026-06-15", "withdrawnReason": "有错",
    }  # fmt: skip


def test_values_without_the_layer_that_was_seen_are_refused(house):
    read = "{ modelVersions { nodes { id } } }"
    [version] = ask(house.administrator, read)["modelVersions"]["nodes"]
    given = {"versionId": version["id"], "effectiveFrom": "2026-06-15", "expectedVersion": 1}
    given["values"] = [{"path": RATE, "value": "0.02"}]
    missing = [("VERSION_MISSING", "expectedLayerVersion")]
    assert refused(house.administrator, "requestAdoption", **given) == missing


def test_what_is_offered_to_another_district_is_not_here(
    house, other_district, other_street, actor_as
):
    at_other = actor_as(other_district, Role.DISTRICT_ADMINISTRATOR)
    given = {"publishedId": published(other_street, 6), "effectiveFrom": "2026-06-15"}
    made = done(at_other, "offerVersion", "offer { id }", **given)
    assert ask(house.auditor, OFFERS)["offers"]["nodes"] == []
    read = "query($id: ID!) { offer(id: $id) { note } }"
    assert errors(house.auditor, read, id=made["id"]) == [("NOT_FOUND", "id")]


def test_a_list_takes_the_same_statements_however_long(house, other_street, at_district):
    one = published(other_street, 6)
    lay_down(at_district)
    given = {"publishedId": one, "effectiveFrom": "2026-06-15"}
    given["unitIds"] = [ids.encode("Tenant", house.street.pk)]
    rules = "{ adoptionRules { nodes { version issuerName approver } } }"
    done(at_district, "offerVersion", "offer { id }", **given)
    before = [statements(house.auditor, read) for read in (OFFERS, rules)]
    for seen, approver in enumerate(("NOBODY", "CITY", "DISTRICT"), start=1):
        done(at_district, "offerVersion", "offer { id }", **given)
        lay_down(at_district, approver, seen=seen)
    assert [statements(house.auditor, read) for read in (OFFERS, rules)] == before
