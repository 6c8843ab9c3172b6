"""Communities come on board with their real codes; figures are corrected with a trace."""

from datetime import date

import pytest

from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community, update_community
from tenants.communities.models import Community
from tenants.communities.selectors import communities, communities_on
from tests.support.denials import denied

DAY = date(2024, 1, 1)
CHENGNAN = "370303001007"


@pytest.fixture
def in_street(street: Tenant):
    with tenant_context(street):
        yield street


@pytest.fixture
def administrator(in_street: Tenant, actor_as):
    return actor_as(in_street, Role.STREET_ADMINISTRATOR)


def test_a_community_comes_on_board_with_its_figures(administrator) -> None:
    community = add_community(
        actor=administrator,
        name=" 城南社区 ",
        division_code=CHENGNAN,
        profile="ageing",
        residents=10_000,
        buildings=80,
        operating_cost_fen=60_000_000,
        opened_on=DAY,
    )

    kept = Community.objects.get()
    assert (kept.pk, kept.name, kept.division_code, kept.profile) == (
        community.pk, "城南社区", CHENGNAN, "ageing",
    )  # fmt: skip
    assert (kept.residents, kept.buildings, kept.operating_cost_fen) == (10_000, 80, 60_000_000)
    assert (kept.opened_on, kept.sample_cost) == (DAY, False)
    entry = Entry.objects.get()
    assert (entry.action, entry.object_id) == ("communities.added", str(community.pk))
    assert (entry.person_id, entry.before) == (administrator.person_id, None)
    assert entry.after["division_code"] == CHENGNAN


def test_one_newer_than_the_list_has_no_code_and_unknown_figures(administrator) -> None:
    for name in ("荣悦城社区", "滨湖社区"):  # two without a code do not collide
        add_community(actor=administrator, name=name, opened_on=DAY)

    assert list(Community.objects.order_by("pk").values_list("division_code", "residents")) == [
        (None, None), (None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("370303001999", "DIVISION_UNKNOWN"),  # the street is known, the community is not
        ("999999999999", "DIVISION_UNKNOWN"),
        ("370303001", "DIVISION_UNKNOWN"),
        ("３７０３０３００１００７", "DIVISION_UNKNOWN"),
        ("", "DIVISION_UNKNOWN"),
        ("3703030010071", "DIVISION_UNKNOWN"),
        ("370305001016", "DIVISION_ELSEWHERE"),  # Wenshao's
    ],
)
def test_a_code_must_be_one_of_the_street(administrator, code: str, refusal: str) -> None:
    with denied(refusal, "divisionCode"):
        add_community(actor=administrator, name="城南社区", division_code=code, opened_on=DAY)


def test_a_tenant_without_a_division_takes_any_listed_community(in_street: Tenant) -> None:
    in_street.division = None

    add_community(
        actor=system_actor(in_street), name="闻韶社区", division_code="370305001016", opened_on=DAY
    )

    assert Community.objects.get().division_code == "370305001016"


def test_nobody_comes_on_board_twice(administrator) -> None:
    add_community(actor=administrator, name="城南社区", division_code=CHENGNAN, opened_on=DAY)

    with denied("COMMUNITY_ON_BOARD", "divisionCode"):
        add_community(actor=administrator, name="城南", division_code=CHENGNAN, opened_on=DAY)


@pytest.mark.parametrize(
    ("given", "refusal", "field"),
    [
        ({"name": "  "}, "NAME_INVALID", "name"),
        ({"name": "长" * 101}, "NAME_INVALID", "name"),
        ({"profile": "rich"}, "PROFILE_INVALID", "profile"),
        ({"residents": -1}, "RESIDENTS_INVALID", "residents"),
        ({"residents": 2**31}, "RESIDENTS_INVALID", "residents"),
        ({"operating_cost_fen": -1}, "AMOUNT_OUT_OF_RANGE", "operatingCostFen"),
        ({"operating_cost_fen": 2**53}, "AMOUNT_OUT_OF_RANGE", "operatingCostFen"),
    ],
)
def test_a_wrong_field_is_named(administrator, given: dict, refusal: str, field: str) -> None:
    with denied(refusal, field):
        add_community(actor=administrator, **{"name": "城南社区", "opened_on": DAY} | given)


def test_several_wrong_fields_are_all_named(administrator) -> None:
    with denied("FIELDS_INVALID") as caught:
        add_community(actor=administrator, name="", profile="rich", buildings=-2, opened_on=DAY)

    assert caught.fields == ["name", "profile", "buildings"]


@pytest.mark.parametrize(
    "role", [Role.AUDITOR, Role.COMMUNITY_SECRETARY, Role.CHARITY_CASHIER, Role.PARTNER]
)
def test_only_who_onboards_adds_and_updates(in_street, administrator, actor_as, role) -> None:
    community = add_community(actor=administrator, name="城南社区", opened_on=DAY)
    other = actor_as(in_street, role)

    with denied("FORBIDDEN"):
        add_community(actor=other, name="工盛社区", opened_on=DAY)
    with denied("FORBIDDEN"):
        update_community(actor=other, community_id=community.pk, residents=1)


def test_a_district_administrator_onboards_below_but_a_district_has_none(
    in_street, district: Tenant, actor_as
) -> None:
    above = actor_as(in_street, Role.DISTRICT_ADMINISTRATOR, held_at=district)
    add_community(actor=above, name="城南社区", opened_on=DAY)
    assert Community.objects.count() == 1

    with tenant_context(district), denied("NO_COMMUNITIES_HERE"):
        add_community(actor=system_actor(district), name="城南社区", opened_on=DAY)


def test_an_update_changes_what_is_given_and_tells_before_and_after(administrator) -> None:
    community = add_community(
        actor=administrator, name="城南", residents=9_000, buildings=80, opened_on=DAY
    )

    update_community(
        actor=administrator,
        community_id=community.pk,
        reason="census",
        name="城南社区",
        residents=10_000,
        operating_cost_fen=None,
    )

    kept = Community.objects.get()
    assert (kept.name, kept.residents, kept.buildings) == ("城南社区", 10_000, 80)
    entry = Entry.objects.get(action="communities.updated")
    assert entry.before == {"name": "城南", "residents": 9_000, "operating_cost_fen": None}
    assert entry.after == {"name": "城南社区", "residents": 10_000, "operating_cost_fen": None}
    assert entry.reason == "census"


def test_an_update_that_changes_nothing_leaves_no_trace(administrator) -> None:
    community = add_community(actor=administrator, name="城南社区", opened_on=DAY)

    update_community(actor=administrator, community_id=community.pk, name="城南社区 ")

    assert [entry.action for entry in Entry.objects.all()] == ["communities.added"]


def test_an_update_is_held_to_the_same_rules(administrator) -> None:
    add_community(actor=administrator, name="工盛社区", division_code="370303001006", opened_on=DAY)
    community = add_community(actor=administrator, name="城南社区", opened_on=DAY)

    with denied("COMMUNITY_ON_BOARD", "divisionCode"):
        update_community(
            actor=administrator, community_id=community.pk, division_code="370303001006"
        )
    with denied("DIVISION_ELSEWHERE", "divisionCode"):
        update_community(
            actor=administrator, community_id=community.pk, division_code="370305001016"
        )
    with denied("RESIDENTS_INVALID", "residents"):
        update_community(actor=administrator, community_id=community.pk, residents=-1)


def test_another_tenants_community_is_not_found(administrator, other_street: Tenant) -> None:
    with tenant_context(other_street):
        theirs = add_community(actor=system_actor(other_street), name="闻韶社区", opened_on=DAY)

    with denied("NOT_FOUND", "communityId"):
        update_community(actor=administrator, community_id=theirs.pk, residents=1)
    with tenant_context(other_street):
        assert Community.objects.get().residents is None
        assert Entry.objects.count() == 1


def test_readers_see_the_communities_their_role_reaches(
    in_street, administrator, actor_as, other_street: Tenant
) -> None:
    one = add_community(actor=administrator, name="城南社区", opened_on=DAY)
    two = add_community(actor=administrator, name="工盛社区", opened_on=date(2025, 1, 1))

    assert set(communities(actor=administrator)) == {one, two}
    secretary = actor_as(in_street, Role.COMMUNITY_SECRETARY, community_id=one.pk)
    assert list(communities(actor=secretary)) == [one]
    stranger = actor_as(in_street, Role.STREET_ADMINISTRATOR, held_at=other_street)
    assert list(communities(actor=stranger)) == []
    assert list(communities_on(date(2024, 12, 31))) == [one]
