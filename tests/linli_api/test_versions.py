"""Two people change one thing: who read it before the other's change is told, and nothing is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.db import connections
from django.utils import timezone
from graphql import get_named_type

from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.errors import Refused
from linli.registry.models import Brand, Tenant
from linli.tenancy.context import tenant_context
from linli_api import ids
from linli_api.schema import SCHEMAS
from tenants.communities.actions import add_community, update_community
from tenants.communities.facts import state_fact
from tenants.operating_model.actions import set_layer
from tenants.operating_model.models import Layer
from tests.support.api import ask, do, done, refused
from tests.support.factories import PersonFactory
from tests.support.models import adopt_chengnan

CONFLICT = [("VERSION_CONFLICT", "expectedVersion")]
# Why nobody's change can be lost by a mutation without expectedVersion.
MAKES = "makes a row and changes none"
ONE_WAY = "goes one way, and is refused to who comes second"
IN_ORDER = "is the next step, and is refused out of order"
NOTHING_TO_LOSE = {
    "resetSandbox": "throws everything away on purpose",
    "createClient": MAKES,
    "addClientSecret": MAKES,
    "revokeClientSecret": ONE_WAY,
    "revokeClient": ONE_WAY,
    "createPersonalToken": MAKES,
    "revokePersonalToken": ONE_WAY,
    "addCommunity": MAKES,
    "onboardCommunities": MAKES,
    "writeVersion": "makes the next version; those before stay",
    "openDraft": MAKES,
    "publishVersion": MAKES,
    "openUpgrade": MAKES,
    "giveUpUpgrade": ONE_WAY,
    "decideClash": IN_ORDER,
    "rollBackUpgrade": IN_ORDER,
    "offerVersion": MAKES,
    "requestRollBack": MAKES,
    "withdrawOffer": ONE_WAY,
    "approveChange": IN_ORDER,
    "returnChange": ONE_WAY,
    "withdrawRequest": ONE_WAY,
    "withdrawVersion": ONE_WAY,
    "importPackage": MAKES,
    "addTrustedSource": MAKES,
    "revokeTrustedSource": ONE_WAY,
    "admitPartner": MAKES,
    "signAgreement": MAKES,
    "declareIncome": MAKES,
    "openFund": MAKES,
    "receiveContribution": "adds to a ledger in which nothing is changed",
    "recordIncome": "adds to a ledger in which nothing is changed",
    "reverseEvent": "adds to a ledger in which nothing is changed; once",
    "proposeSpending": MAKES,
    "approveSpending": IN_ORDER,
    "paySpending": IN_ORDER,
    "trustDocument": MAKES,
    "withdrawDocument": ONE_WAY,
    "createWebhookEndpoint": MAKES,
    "sendTestEvent": MAKES,
    "replayEvents": "sends again what there is",
    "replayDelivery": "sends again what there is",
    "exportConnection": MAKES,
    "cancelExport": ONE_WAY,
    "requestTenant": MAKES,
    "requestSandbox": MAKES,
    "registerPerson": MAKES,
    "grantMembership": MAKES,
    "endMembership": ONE_WAY,
    "refreshComparison": "works out anew what is worked out anyway",
}
# What sets the whole of something: who has not seen it cannot but lose what stands there.
REPLACES = {
    "setLayer", "adoptVersion", "requestAdoption", "applyUpgrade", "requestUpgrade", "issuePolicy", "setAdoptionRule",
    "saveDraft", "editDraft", "discardDraft", "finishDraft",
}  # fmt: skip
RATE = "partners.contributions[stationed].rate"
MONTHS = "partners.rent_free_months"


def mutations():
    for schema in SCHEMAS.values():
        for name, field in schema.graphql_schema.mutation_type.fields.items():
            yield name, field.args["input"].type.of_type.fields if field.args else {}


def test_every_mutation_takes_the_version_or_has_nothing_to_lose():
    bare, told = set(), set()
    for name, inputs in mutations():
        many = inputs.get("items")
        fields = get_named_type(many.type).fields if many else inputs
        version = fields.get("expectedVersion")
        single = name if not many else f"{name[:-3]}y" if name.endswith("ies") else name[:-1]
        (bare if version is None else told).add(single)
        assert (str(getattr(version, "type", None)) == "Int!") == (name in REPLACES), name
    assert bare == set(NOTHING_TO_LOSE)
    assert not told & bare


class TestRules:
    """Two people set the rules of one place; each sets all of it."""

    def layer(self, who, value, seen, **given):
        whole = {"values": [{"path": RATE, "value": value}], "bounds": []}
        whole |= {"effectiveFrom": "2026-06-15", "expectedVersion": seen}
        return whole | given

    def test_the_second_of_two_is_told_of_the_first(self, house):
        who = house.administrator
        assert refused(who, "setLayer", **self.layer(who, "0.02", 1)) == CONFLICT
        shows = "layer { version }"
        assert done(who, "setLayer", shows, **self.layer(who, "0.02", 0)) == {"version": 1}
        months = {"values": [{"path": MONTHS, "value": 12}]}
        assert refused(who, "setLayer", **self.layer(who, "", 0, **months)) == CONFLICT
        both = {"values": [{"path": RATE, "value": "0.02"}, {"path": MONTHS, "value": 12}]}
        assert done(who, "setLayer", shows, **self.layer(who, "", 1, **both)) == {"version": 2}
        read = "{ layers(kind: STREET, orderBy: NEWEST, first: 1) { nodes { version } } }"
        assert ask(who, read)["layers"]["nodes"] == [{"version": 2}]

    def test_another_day_of_the_same_place_is_the_same_place(self, house):
        who = house.administrator
        later = {"effectiveFrom": "2026-09-01"}
        done(who, "setLayer", "layer { id }", **self.layer(who, "0.02", 0, **later))
        assert refused(who, "setLayer", **self.layer(who, "0.03", 0)) == CONFLICT

    def test_another_community_is_another_place(self, house):
        who = house.administrator
        done(who, "setLayer", "layer { id }", **self.layer(who, "0.02", 0))
        for place in (house.chengnan, house.gongsheng):
            given = self.layer(who, "0.03", 0, communityId=place)
            assert done(who, "setLayer", "layer { version }", **given) == {"version": 1}

    def test_an_adoption_sees_the_adoption_and_the_layer(self, house):
        who = house.administrator
        read = "{ adoptions(orderBy: NEWEST, first: 1) { nodes { number version { id } } } }"
        [adopted] = ask(who, read)["adoptions"]["nodes"]
        assert adopted["number"] == 1
        given = {"versionId": adopted["version"]["id"], "effectiveFrom": "2026-06-15"}
        given["values"] = [{"path": RATE, "value": "0.02"}]
        missing = [("VERSION_MISSING", "expectedLayerVersion")]
        assert refused(who, "adoptVersion", expectedVersion=1, **given) == missing
        given["expectedLayerVersion"] = 0
        assert refused(who, "adoptVersion", expectedVersion=0, **given) == CONFLICT
        shows = "adoption { number }"
        assert done(who, "adoptVersion", shows, expectedVersion=1, **given) == {"number": 2}
        given["values"] = [{"path": RATE, "value": "0.03"}]
        assert refused(who, "adoptVersion", expectedVersion=2, **given) == [
            ("VERSION_CONFLICT", "expectedLayerVersion")
        ]

    def test_a_policy(self, house, street, actor_as):
        who = actor_as(street.parent, Role.DISTRICT_ADMINISTRATOR)
        given = {"values": [], "bounds": [{"path": RATE, "maximum": "0.04"}]}
        given |= {"effectiveFrom": "2026-06-15"}
        assert refused(who, "issuePolicy", expectedVersion=1, **given) == CONFLICT
        shows = "layer { version }"
        assert done(who, "issuePolicy", shows, expectedVersion=0, **given) == {"version": 1}
        given["bounds"] = [{"path": RATE, "maximum": "0.03"}]
        assert refused(who, "issuePolicy", expectedVersion=0, **given) == CONFLICT


def test_of_eight_layers_at_once_one_is_set(scratch_database):
    """Each sets all there is; without the version seven would be lost without a word."""
    street = Tenant.objects.get(slug="chezhan")
    system, gate = system_actor(street), Barrier(8)
    with tenant_context(street):
        adopt_chengnan(street, effective_from=date(2024, 1, 1))

    def change(i):
        try:
            with tenant_context(street):
                gate.wait(timeout=30)
                given = {"values": {MONTHS: 10 + i}, "bounds": {}, "expected_version": 0}
                set_layer(actor=system, effective_from=timezone.localdate(), **given)
                return "set"
        except Refused as told:
            return told.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(change, range(8))) == ["VERSION_CONFLICT"] * 7 + ["set"]
    with tenant_context(street):
        assert Layer.objects.count() == 1


def test_a_webhook_endpoint(house):
    who = house.administrator
    given = {"url": "https://example.org/hook", "types": ["FUND_OPENED"]}
    made = done(who, "createWebhookEndpoint", "endpoint { id version }", **given)
    which, shows = {"endpointId": made["id"]}, "endpoint { version }"
    assert made["version"] == 1
    change = which | {"description": "记账"}
    assert done(who, "updateWebhookEndpoint", shows, expectedVersion=1, **change)["version"] == 2
    assert done(who, "updateWebhookEndpoint", shows, **change)["version"] == 2
    for name, more in (
        ("updateWebhookEndpoint", {"types": ["PARTNER_ADMITTED"]}),
        ("addWebhookSecret", {}),
        ("pauseWebhookEndpoint", {}),
        ("deleteWebhookEndpoint", {}),
    ):
        assert refused(who, name, expectedVersion=1, **which, **more) == CONFLICT
    assert done(who, "pauseWebhookEndpoint", shows, expectedVersion=2, **which)["version"] == 3
    assert refused(who, "resumeWebhookEndpoint", expectedVersion=2, **which) == CONFLICT
    assert done(who, "resumeWebhookEndpoint", shows, expectedVersion=3, **which)["version"] == 4


def test_the_rule_on_documents(house):
    who, shows = house.administrator, "tenant { documentRule { onlyTrusted version } }"
    given = {"onlyTrusted": True}
    assert refused(who, "requireTrustedDocuments", expectedVersion=1, **given) == CONFLICT
    ruled = done(who, "requireTrustedDocuments", shows, expectedVersion=0, **given)
    assert ruled == {"documentRule": {"onlyTrusted": True, "version": 1}}
    given = {"onlyTrusted": False}
    assert refused(who, "requireTrustedDocuments", expectedVersion=0, **given) == CONFLICT
    ruled = done(who, "requireTrustedDocuments", shows, expectedVersion=1, **given)
    assert ruled == {"documentRule": {"onlyTrusted": False, "version": 2}}


def community(house, **given):
    return done(
        house.administrator,
        "updateCommunity",
        "community { version residents }",
        communityId=house.chengnan,
        **given,
    )


class TestCommunity:
    def test_each_change_counts_and_what_changes_nothing_does_not(self, house):
        assert community(house, residents=1) == {"version": 2, "residents": 1}
        assert community(house, residents=2, expectedVersion=2) == {"version": 3, "residents": 2}
        assert community(house, residents=2, expectedVersion=3)["version"] == 3

    def test_who_is_late_is_told_what_it_is_now_and_nothing_is_changed(self, house):
        community(house, residents=1)
        given = {"communityId": house.chengnan, "residents": 5}
        assert (
            refused(house.administrator, "updateCommunity", expectedVersion=1, **given) == CONFLICT
        )
        [error] = do(house.administrator, "updateCommunity", expectedVersion=1, **given)["errors"]
        assert "version 2, not 1" in error["message"]
        assert community(house, residents=5, expectedVersion=2)["version"] == 3

    def test_the_version_alone_is_no_change_in_the_trail(self, house):
        community(house, residents=1)
        assert Entry.objects.latest("id").after == {"residents": 1}


def test_a_fact_that_is_not_there_yet_is_at_0(house):
    given = {"key": "volunteers", "value": 5, "source": "日报"}
    assert refused(house.administrator, "stateFact", expectedVersion=1, **given) == CONFLICT
    stated = done(house.administrator, "stateFact", "fact { version }", expectedVersion=0, **given)
    assert stated == {"version": 1}
    assert refused(house.administrator, "stateFact", expectedVersion=0, **given) == CONFLICT
    given["value"] = 6
    assert done(house.administrator, "stateFact", "fact { version }", **given) == {"version": 2}


def test_a_partner(house):
    who = house.administrator
    given = {"communityId": house.chengnan, "name": "诊所", "kind": "enterprise"}
    partner = done(who, "admitPartner", "partner { id version }", **given)
    change = {"partnerId": partner["id"], "name": "口腔诊所"}
    renamed = done(
        who, "updatePartner", "partner { name version kind }", expectedVersion=1, **change
    )
    assert renamed == {"name": "口腔诊所", "version": 2, "kind": "enterprise"}
    assert refused(who, "updatePartner", expectedVersion=1, **change) == CONFLICT
    assert done(who, "updatePartner", "partner { version }", **change) == {"version": 2}
    change = {"partnerId": partner["id"], "kind": "yachts"}
    assert refused(who, "updatePartner", **change) == [("KIND_UNKNOWN", "kind")]
    done(who, "admitPartner", "partner { id }", **given)
    change = {"partnerId": partner["id"], "name": "诊所"}
    assert refused(who, "updatePartner", **change) == [("PARTNER_ADMITTED", "name")]


def test_a_partner_of_the_next_community_is_not_there(house):
    given = {"communityId": house.gongsheng, "name": "诊所", "kind": "enterprise"}
    partner = done(house.administrator, "admitPartner", "partner { id }", **given)
    change = {"partnerId": partner["id"], "name": "别的"}
    assert refused(house.secretary, "updatePartner", **change) == [("NOT_FOUND", "partnerId")]
    assert refused(house.auditor, "updatePartner", **change) == [("FORBIDDEN", None)]


class TestAtThePlatform:
    @pytest.fixture
    def operator(self, street, actor_as):
        return actor_as(None, Role.PLATFORM_OPERATOR)

    def test_a_brand(self, street, operator):
        given = {"tenantId": ids.encode("Tenant", street.pk), "colour": "#0b6b5b"}
        shows = "brand { title version }"
        assert refused(operator, "brandTenant", title="一", expectedVersion=1, **given) == CONFLICT
        first = done(operator, "brandTenant", shows, title="一", expectedVersion=0, **given)
        assert first == {"title": "一", "version": 1}
        second = done(operator, "brandTenant", shows, title="二", expectedVersion=1, **given)
        assert second == {"title": "二", "version": 2}
        assert refused(operator, "brandTenant", title="三", expectedVersion=1, **given) == CONFLICT
        assert Brand.objects.get(tenant=street).title == "二"

    def test_a_person(self, operator):
        given = {"personId": ids.encode("Person", PersonFactory().pk)}
        shows = "person { isActive version }"
        assert refused(operator, "disablePerson", expectedVersion=2, **given) == CONFLICT
        off = done(operator, "disablePerson", shows, expectedVersion=1, **given)
        assert off == {"isActive": False, "version": 2}
        assert refused(operator, "disablePerson", expectedVersion=1, **given) == CONFLICT
        assert refused(operator, "enablePerson", expectedVersion=1, **given) == CONFLICT
        on = done(operator, "enablePerson", shows, expectedVersion=2, **given)
        assert on == {"isActive": True, "version": 3}
        secret = {"password": "sunlit-harbour-42"}
        assert refused(operator, "setPassword", expectedVersion=2, **given, **secret) == CONFLICT
        told = done(operator, "setPassword", shows, expectedVersion=3, **given, **secret)
        assert told["version"] == 4

    def test_a_tenants_life(self, street, operator):
        identity = ids.encode("Tenant", street.pk)
        read = "query($id: ID!) { tenant(id: $id) { version } }"
        version = ask(operator, read, id=identity)["tenant"]["version"]
        given = {"tenantId": identity, "reason": "欠费"}
        stale = {"expectedVersion": version - 1}
        assert refused(operator, "suspendTenant", **given, **stale) == CONFLICT
        shows = "tenant { status version }"
        assert done(operator, "suspendTenant", shows, expectedVersion=version, **given) == {
            "status": "SUSPENDED",
            "version": version + 1,
        }
        assert refused(operator, "resumeTenant", expectedVersion=version, **given) == CONFLICT


def test_of_eight_at_once_one_wins_and_the_others_are_told(scratch_database):
    street = Tenant.objects.get(slug="chezhan")
    system, gate = system_actor(street), Barrier(8)
    with tenant_context(street):
        row = add_community(actor=system, name="城南社区", opened_on=date(2024, 3, 1))

    def change(i):
        try:
            with tenant_context(street):
                gate.wait(timeout=30)
                given = {"community_id": row.pk, "residents": 100 + i, "expected_version": 1}
                return update_community(actor=system, **given).version
        except Refused as told:
            return told.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(change, range(8)), key=str) == [2] + ["VERSION_CONFLICT"] * 7
    with tenant_context(street):
        row.refresh_from_db()
        assert row.version == 2


def test_a_fact_stated_first_by_eight_at_once(scratch_database):
    street = Tenant.objects.get(slug="chezhan")
    system, gate = system_actor(street), Barrier(8)

    def state(i):
        try:
            with tenant_context(street):
                gate.wait(timeout=30)
                given = {"key": "volunteers", "value": i, "source": "日报", "expected_version": 0}
                return state_fact(actor=system, community_id=None, **given).version
        except Refused as told:
            return told.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(state, range(8)), key=str) == [1] + ["VERSION_CONFLICT"] * 7
