"""The real communities of a street, from the national list; twice changes nothing."""

import threading
from datetime import date

import pytest
from django.db import connection

from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from onboarding.communities import onboard_communities
from tenants.communities.models import Community
from tests.support.denials import denied

DAY = date(2024, 1, 1)
CHENGNAN, GONGSHENG = "370303001007", "370303001006"


@pytest.fixture
def administrator(street: Tenant, actor_as):
    with tenant_context(street):
        yield actor_as(street, Role.STREET_ADMINISTRATOR)


def test_a_street_takes_all_its_communities_under_their_names(administrator) -> None:
    done = onboard_communities(actor=administrator, codes=None, opened_on=DAY)

    assert [(c.division_code[-3:], c.name) for c in done.added] == [
        ("001", "新华社区"), ("002", "胜利桥社区"), ("003", "兴学街东社区"), ("004", "兴学街西社区"),
        ("005", "安乐街社区"), ("006", "工盛社区"), ("007", "城南社区"), ("008", "华泰社区"),
        ("009", "王舍社区"), ("010", "齐林家园社区"), ("011", "铁陆社区"),
    ]  # fmt: skip
    assert done.already == ()
    assert set(Community.objects.all()) == set(done.added)
    assert {c.opened_on for c in done.added} == {DAY}
    assert [entry.action for entry in Entry.objects.all()] == ["communities.added"] * 11


def test_again_it_changes_nothing_and_says_what_is_there(administrator) -> None:
    first = onboard_communities(actor=administrator, codes=[CHENGNAN], opened_on=DAY)
    again = onboard_communities(
        actor=administrator, codes=[CHENGNAN, GONGSHENG, CHENGNAN], opened_on=date(2025, 1, 1)
    )
    last = onboard_communities(
        actor=administrator, codes=[GONGSHENG, CHENGNAN], opened_on=date(2026, 1, 1)
    )

    assert [c.name for c in again.added] == ["工盛社区"]
    assert again.already == first.added
    assert (last.added, [c.name for c in last.already]) == ((), ["工盛社区", "城南社区"])
    assert (Community.objects.count(), Entry.objects.count()) == (2, 2)
    assert Community.objects.get(division_code=CHENGNAN).opened_on == DAY


def test_one_wrong_code_holds_up_all_and_is_named_by_its_place(administrator) -> None:
    codes = [CHENGNAN, GONGSHENG, "370303001005", "370303001999"]

    with denied("DIVISION_UNKNOWN", "codes.3") as caught:
        onboard_communities(actor=administrator, codes=codes, opened_on=DAY)

    assert "370303001999" in str(caught.refused.message)


def test_several_wrong_codes_are_all_named(administrator) -> None:
    codes = ["370305001016", CHENGNAN, "none"]

    with denied("CODES_REFUSED", "codes") as caught:
        onboard_communities(actor=administrator, codes=codes, opened_on=DAY)

    assert caught.codes == ["DIVISION_ELSEWHERE", "DIVISION_UNKNOWN"]
    assert caught.fields == ["codes.0", "codes.2"]


def test_a_unit_that_is_no_street_names_its_communities(city: Tenant) -> None:
    """A small city runs communities itself; "all" would be every village in it."""
    with tenant_context(city):
        with denied("STREET_UNKNOWN", "codes"):
            onboard_communities(actor=system_actor(city), codes=None, opened_on=DAY)
        done = onboard_communities(
            actor=system_actor(city), codes=[CHENGNAN, "370305001016"], opened_on=DAY
        )
        assert [c.name for c in done.added] == ["城南社区", "闻韶社区"]


def test_a_district_has_no_communities_of_its_own(district: Tenant) -> None:
    with tenant_context(district), denied("NO_COMMUNITIES_HERE"):
        onboard_communities(actor=system_actor(district), codes=[CHENGNAN], opened_on=DAY)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.COMMUNITY_SECRETARY])
def test_only_who_onboards_may(administrator, street: Tenant, actor_as, role) -> None:
    with denied("FORBIDDEN"):
        onboard_communities(actor=actor_as(street, role), codes=None, opened_on=DAY)


def test_two_at_once_wait_for_each_other(scratch_database, actor_as) -> None:
    street = Tenant.objects.select_related("parent__parent", "division").get(slug="chezhan")
    actor = actor_as(street, Role.STREET_ADMINISTRATOR)
    together = threading.Barrier(3)
    done = []

    def onboard() -> None:
        try:
            with tenant_context(street):
                together.wait()
                done.append(onboard_communities(actor=actor, codes=None, opened_on=DAY))
        finally:
            connection.close()

    threads = [threading.Thread(target=onboard) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(len(result.added) for result in done) == [0, 0, 11]
    with tenant_context(street):
        assert (Community.objects.count(), Entry.objects.count()) == (11, 11)
