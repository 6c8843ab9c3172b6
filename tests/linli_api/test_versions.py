"""Two people change one thing: who read it before the other's change is told, and nothing is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.db import connections

from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.errors import Refused
from linli.registry.models import Brand, Tenant
from linli.tenancy.context import tenant_context
from linli_api import ids
from tenants.communities.actions import add_community, update_community
from tenants.communities.facts import state_fact
from tests.support.api import ask, do, done, refused

CONFLICT = [("VERSION_CONFLICT", "expectedVersion")]


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
