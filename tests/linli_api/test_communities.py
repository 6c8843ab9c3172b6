"""Communities and facts through a tenant's API."""

from datetime import date

import pytest

from linli.accounts.policy import Role, system_actor
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from linli_api import ids
from tenants.communities.actions import add_community
from tenants.communities.facts import state_fact
from tenants.communities.models import Community, Fact
from tests.support.api import ask, do, done, errors, refused, statements
from tests.support.rows import rows_unchanged

OPENED = date(2024, 3, 1)
NEW = {"name": "城南社区", "openedOn": "2024-03-01"}
NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


@pytest.fixture
def auditor(street, actor_as):
    return actor_as(street, Role.AUDITOR)


def community(tenant: Tenant, name: str, **more) -> Community:
    with tenant_context(tenant):
        return add_community(actor=system_actor(tenant), name=name, opened_on=OPENED, **more)


def fact(tenant: Tenant, key: str, value, about: Community | None = None) -> Fact:
    about_id = about.pk if about else None
    said = {"community_id": about_id, "key": key, "value": value, "source": "Zibo Daily"}
    with tenant_context(tenant):
        return state_fact(actor=system_actor(tenant), **said)


def global_id(row) -> str:
    return ids.encode(type(row).__name__, row.pk)


def names(actor, arguments: str) -> list[str]:
    found = ask(actor, f"{{ communities({arguments}) {{ nodes {{ name }} }} }}")
    return [one["name"] for one in found["communities"]["nodes"]]


class TestReading:
    def test_every_column(self, street, auditor):
        one = community(
            street,
            "城南社区",
            division_code="370303001001",
            profile="ageing",
            residents=8123,
            buildings=81,
            operating_cost_fen=3_000_000_000_00,
            sample_cost=True,
        )
        query = """query($id: ID!) { community(id: $id) {
            id name divisionCode profile residents buildings operatingCostFen openedOn sampleCost
        } }"""
        assert ask(auditor, query, id=global_id(one))["community"] == {
            "id": global_id(one),
            "name": "城南社区",
            "divisionCode": "370303001001",
            "profile": "AGEING",
            "residents": 8123,
            "buildings": 81,
            "operatingCostFen": 3_000_000_000_00,
            "openedOn": "2024-03-01",
            "sampleCost": True,
        }

    def test_what_is_not_known_is_null(self, street, auditor):
        community(street, "城南社区")
        query = "{ communities { nodes { divisionCode profile residents operatingCostFen } } }"
        assert ask(auditor, query)["communities"]["nodes"] == [
            {"divisionCode": None, "profile": None, "residents": None, "operatingCostFen": None}
        ]

    def test_filters_and_orders(self, street, auditor):
        community(street, "丙社区", profile="young", division_code="370303001001")
        community(street, "甲社区", profile="ageing")
        community(street, "乙村", profile="ageing", division_code="370303001002")
        assert names(auditor, "orderBy: OLDEST") == ["丙社区", "甲社区", "乙村"]
        assert names(auditor, "orderBy: NEWEST, first: 2") == ["乙村", "甲社区"]
        assert names(auditor, "profile: AGEING, orderBy: OLDEST") == ["甲社区", "乙村"]
        assert names(auditor, 'search: "社区", orderBy: OLDEST') == ["丙社区", "甲社区"]
        assert names(auditor, 'divisionCode: "370303001", orderBy: OLDEST') == ["丙社区", "乙村"]
        assert names(auditor, 'search: "%"') == []

    def test_a_role_in_one_community_sees_that_one_and_its_facts(self, street, actor_as):
        own, other = community(street, "甲社区"), community(street, "乙社区")
        fact(street, "volunteers", 70, own)
        fact(street, "volunteers", 71, other)
        fact(street, "volunteers", 5800)
        worker = actor_as(street, Role.COMMUNITY_WORKER, community_id=own.pk)
        assert names(worker, "first: 10") == ["甲社区"]
        seen = ask(worker, "{ facts { totalCount nodes { value } } }")["facts"]
        assert seen == {"totalCount": 1, "nodes": [{"value": 70}]}
        query = "query($id: ID!) { community(id: $id) { name } }"
        assert errors(worker, query, id=global_id(other)) == [("NOT_FOUND", "id")]

    def test_facts_hold_any_json(self, street, auditor):
        one = community(street, "甲社区")
        fact(street, "markets", {"this_year": 11, "places": ["广场"]}, one)
        fact(street, "volunteers", "5,800 余名")
        query = "{ facts { nodes { key value source sample community { name } } } }"
        common = {"source": "Zibo Daily", "sample": False}
        assert ask(auditor, query)["facts"]["nodes"] == [
            {
                "key": "markets",
                "value": {"this_year": 11, "places": ["广场"]},
                "community": {"name": "甲社区"},
                **common,
            },
            {"key": "volunteers", "value": "5,800 余名", "community": None, **common},
        ]
        query = 'query($id: ID!) { facts(communityId: $id, key: "markets") { totalCount } }'
        assert ask(auditor, query, id=global_id(one)) == {"facts": {"totalCount": 1}}

    def test_statements_do_not_grow_with_the_rows(self, street, auditor):
        query = """{ communities { totalCount nodes {
            name facts { totalCount nodes { key value community { name } } }
        } } }"""
        fact(street, "volunteers", 1, community(street, "甲社区"))
        few = statements(auditor, query)
        for number in range(5):
            one = community(street, f"社区{number}")
            fact(street, "volunteers", number, one)
            fact(street, "markets", number, one)
        assert statements(auditor, query) == few


class TestAdding:
    def test_one(self, administrator):
        added = done(
            administrator,
            "addCommunity",
            "community { name divisionCode profile residents openedOn sampleCost }",
            **NEW | {"name": " 城南社区 ", "divisionCode": "370303001001"},
            profile="OLD_ESTATE",
            residents=8000,
        )
        assert added == {
            "name": "城南社区",
            "divisionCode": "370303001001",
            "profile": "OLD_ESTATE",
            "residents": 8000,
            "openedOn": "2024-03-01",
            "sampleCost": False,
        }
        with tenant_context(administrator.tenant):
            assert Community.objects.get().profile == "old_estate"

    @pytest.mark.parametrize(
        ("wrong", "fault"),
        [
            ({"divisionCode": "370303001999"}, ("DIVISION_UNKNOWN", "divisionCode")),
            ({"divisionCode": "370305001001"}, ("DIVISION_ELSEWHERE", "divisionCode")),
            ({"divisionCode": "12"}, ("DIVISION_UNKNOWN", "divisionCode")),
            ({"name": " "}, ("NAME_INVALID", "name")),
            ({"residents": -1}, ("RESIDENTS_INVALID", "residents")),
            ({"operatingCostFen": -1}, ("AMOUNT_OUT_OF_RANGE", "operatingCostFen")),
        ],
    )
    def test_what_is_refused(self, administrator, wrong, fault):
        assert refused(administrator, "addCommunity", **NEW | wrong) == [fault]

    def test_the_same_code_twice(self, street, administrator):
        community(street, "城南社区", division_code="370303001001")
        again = refused(administrator, "addCommunity", **NEW, divisionCode="370303001001")
        assert again == [("COMMUNITY_ON_BOARD", "divisionCode")]

    def test_a_district_has_none(self, district, actor_as):
        operator = actor_as(district, Role.PLATFORM_OPERATOR, held_at=None)
        assert refused(operator, "addCommunity", **NEW) == [("NO_COMMUNITIES_HERE", None)]

    @pytest.mark.parametrize("role", [Role.AUDITOR, Role.COMMUNITY_SECRETARY, Role.PARTNER])
    def test_the_wrong_role(self, street, actor_as, role):
        assert refused(actor_as(street, role), "addCommunity", **NEW) == [("FORBIDDEN", None)]


class TestUpdating:
    def test_only_what_is_given(self, street, administrator):
        one = community(street, "城南社区", profile="young", residents=8000)
        updated = done(
            administrator,
            "updateCommunity",
            "community { name profile residents buildings }",
            communityId=global_id(one),
            profile=None,
            buildings=80,
            reason="counted anew",
        )
        assert updated == {
            "name": "城南社区",
            "profile": None,
            "residents": 8000,
            "buildings": 80,
        }

    @pytest.mark.parametrize(
        ("field", "code"), [("name", "NAME_INVALID"), ("sampleCost", "SAMPLE_COST_INVALID")]
    )
    def test_what_is_always_known_cannot_be_unknown(self, street, administrator, field, code):
        key = global_id(community(street, "城南社区"))
        given = {"communityId": key, field: None}
        assert refused(administrator, "updateCommunity", **given) == [(code, field)]

    def test_anothers_id_is_the_id_of_nothing(self, other_street, administrator):
        elsewhere = community(other_street, "闻韶社区")
        answers = []
        for key in (elsewhere.pk, NOBODY):
            given = {"communityId": ids.encode("Community", key), "name": "我的"}
            with rows_unchanged(administrator.tenant.schema_name, other_street.schema_name):
                answers.append(do(administrator, "updateCommunity", "community { name }", **given))
        assert answers[0] == answers[1]
        assert answers[0]["community"] is None
        [error] = answers[0]["errors"]
        assert (error["code"], error["field"]) == ("NOT_FOUND", "communityId")


class TestOnboarding:
    DONE = "added { name divisionCode } already { divisionCode }"

    def test_by_codes_and_again(self, administrator):
        codes = ["370303001002", "370303001001"]
        first = do(
            administrator, "onboardCommunities", self.DONE, codes=codes, openedOn="2024-03-01"
        )
        again = do(
            administrator, "onboardCommunities", self.DONE, codes=codes, openedOn="2024-04-01"
        )
        assert [one["divisionCode"] for one in first["added"]] == sorted(codes)
        assert all(one["name"] for one in first["added"])
        assert first["already"] == first["errors"] == []
        assert again == {
            "added": [],
            "already": [{"divisionCode": code} for code in sorted(codes)],
            "errors": [],
        }

    def test_one_wrong_code_holds_up_all(self, administrator):
        codes = ["370303001001", "370303001999", "370305001001"]
        faults = refused(administrator, "onboardCommunities", codes=codes, openedOn="2024-03-01")
        assert faults == [("DIVISION_UNKNOWN", "codes.1"), ("DIVISION_ELSEWHERE", "codes.2")]

    def test_the_wrong_role(self, street, actor_as):
        auditor = actor_as(street, Role.AUDITOR)
        assert refused(auditor, "onboardCommunities", openedOn="2024-03-01") == [
            ("FORBIDDEN", None)
        ]


class TestStatingFacts:
    STATED = "fact { key value source sample community { name } }"

    def test_stated_and_corrected(self, street, administrator):
        said = {
            "communityId": global_id(community(street, "城南社区")),
            "key": "markets.this_year",
            "source": "Zibo Daily",
        }
        done(administrator, "stateFact", self.STATED, value=10, **said)
        assert done(administrator, "stateFact", self.STATED, value={"n": 11}, **said) == {
            "key": "markets.this_year",
            "value": {"n": 11},
            "source": "Zibo Daily",
            "sample": False,
            "community": {"name": "城南社区"},
        }
        with tenant_context(street):
            assert Fact.objects.get().value == {"n": 11}

    @pytest.mark.parametrize(("field", "longest"), [("key", 100), ("source", 200)])
    def test_too_long_a_text(self, administrator, field, longest):
        said = {"key": "k", "value": 1, "source": "s"} | {field: "x" * (longest + 1)}
        assert refused(administrator, "stateFact", **said) == [(f"{field.upper()}_INVALID", field)]

    def test_the_wrong_role(self, street, actor_as):
        auditor = actor_as(street, Role.AUDITOR)
        said = {"key": "k", "value": 1, "source": "s"}
        assert refused(auditor, "stateFact", **said) == [("FORBIDDEN", None)]
