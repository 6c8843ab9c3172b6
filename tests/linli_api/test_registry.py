"""Divisions and tenants through the platform's API, and a tenant's own account of itself."""

import pytest

from linli.accounts.policy import Role, actor_for
from linli.registry.models import Brand, Tenant
from linli_api import ids
from linli_api.scalars import instant
from tests.support.api import ask, done, errors, refused, statements
from tests.support.factories import MembershipFactory

NOBODY = ids.encode("Tenant", "00000000-0000-7000-8000-000000000000")


def global_id(tenant: Tenant) -> str:
    return ids.encode("Tenant", tenant.pk)


def slugs(actor, arguments: str = "orderBy: OLDEST") -> list[str]:
    found = ask(actor, f"{{ tenants({arguments}) {{ nodes {{ slug }} }} }}")
    return [one["slug"] for one in found["tenants"]["nodes"]]


@pytest.fixture
def operator(db, actor_as):
    return actor_as(None, Role.PLATFORM_OPERATOR)


@pytest.fixture
def district_administrator(district, actor_as):
    return actor_as(None, Role.DISTRICT_ADMINISTRATOR, held_at=district)


class TestDivisions:
    def test_one_with_what_is_around_it(self, district_administrator):
        query = """{ division(code: "370303") {
            code name level edition parent { code name } children(first: 2) {
                totalCount nodes { code name level }
            }
        } }"""
        found = ask(district_administrator, query)["division"]
        children = found.pop("children")
        assert found == {
            "code": "370303",
            "name": "张店区",
            "level": "DISTRICT",
            "edition": 2023,
            "parent": {"code": "3703", "name": "淄博市"},
        }
        assert children["nodes"][0] == {
            "code": "370303001",
            "name": "车站街道",
            "level": "STREET",
        }
        assert children["totalCount"] > len(children["nodes"]) == 2

    def test_by_parent_by_name_and_by_level(self, district_administrator):
        def codes(arguments):
            found = ask(
                district_administrator,
                f"{{ divisions({arguments}) {{ totalCount nodes {{ code }} }} }}",
            )["divisions"]
            return found["totalCount"], [one["code"] for one in found["nodes"]]

        assert codes("level: PROVINCE, first: 1") == (31, ["11"])
        assert codes('parent: "37", search: "淄博"') == (1, ["3703"])
        assert codes('search: "车站街道", parent: "370303"') == (1, ["370303001"])
        assert codes('parent: "999999"') == (0, [])

    @pytest.mark.parametrize("code", ["370399", "", "3703'"])
    def test_one_that_does_not_exist(self, district_administrator, code):
        query = "query($code: String!) { division(code: $code) { name } }"
        assert errors(district_administrator, query, code=code) == [("NOT_FOUND", "code")]

    def test_statements_do_not_grow_with_the_rows(self, district_administrator):
        query = """query($first: Int) { divisions(level: DISTRICT, first: $first) { nodes {
            name parent { parent { name } } children(first: 3) { nodes { name } } } } }"""
        assert statements(district_administrator, query, first=2) == statements(
            district_administrator, query, first=30
        )


class TestTenants:
    def test_those_the_caller_reaches(
        self, city, district, street, other_street, actor_as, operator
    ):
        assert set(slugs(operator)) >= {"zibo", "zhangdian", "linzi", "chezhan", "datong"}
        supervisor = actor_as(None, Role.CITY_SUPERVISOR, held_at=city)
        assert slugs(supervisor) == ["zibo", "zhangdian", "linzi", "chezhan", "wenshao"]
        administrator = actor_as(None, Role.DISTRICT_ADMINISTRATOR, held_at=district)
        assert slugs(administrator) == ["zhangdian", "chezhan"]
        assert slugs(actor_as(None, Role.PARTNER, held_at=other_street)) == ["wenshao"]

    def test_every_column(self, city, district, street, district_administrator):
        Brand.objects.create(tenant=street, title="车站邻里", colour="#0a6e5c")
        query = """query($id: ID!) { tenant(id: $id) {
            id slug name kind status locale host brand { title colour }
            division { code name } parent { slug brand { title } parent { slug } }
            children { totalCount } requestedAt
        } }"""
        found = ask(district_administrator, query, id=global_id(street))["tenant"]
        assert found.pop("requestedAt") == instant(street.created_at)
        assert found == {
            "id": global_id(street),
            "slug": "chezhan",
            "name": "车站街道",
            "kind": "STREET",
            "status": "ACTIVE",
            "locale": "zh-hans",
            "host": "chezhan.linli.localhost",
            "brand": {"title": "车站邻里", "colour": "#0a6e5c"},
            "division": {"code": "370303001", "name": "车站街道"},
            # The city is above what a district administrator reaches.
            "parent": {"slug": "zhangdian", "brand": None, "parent": None},
            "children": {"totalCount": 0},
        }

    def test_filters(self, city, district, actor_as):
        supervisor = actor_as(None, Role.CITY_SUPERVISOR, held_at=city)
        assert slugs(supervisor, "kind: DISTRICT, orderBy: SLUG") == ["linzi", "zhangdian"]
        assert slugs(supervisor, f'parentId: "{global_id(district)}"') == ["chezhan"]
        assert slugs(supervisor, 'search: "街道", orderBy: NEWEST') == ["wenshao", "chezhan"]
        assert slugs(supervisor, "status: SUSPENDED") == []

    def test_one_out_of_reach_is_one_that_does_not_exist(
        self, other_street, district_administrator
    ):
        query = "query($id: ID!) { tenant(id: $id) { name } }"
        for key in (global_id(other_street), NOBODY):
            assert errors(district_administrator, query, id=key) == [("NOT_FOUND", "id")]

    def test_somebody_without_any_role(self, street, actor_as):
        person = actor_as(street, Role.AUDITOR).person
        person.memberships.update(ended_on="2020-02-01")
        assert errors(actor_for(person, None), "{ tenants { totalCount } }") == [
            ("FORBIDDEN", None)
        ]

    def test_statements_do_not_grow_with_the_rows(self, city, operator):
        query = """query($first: Int) { tenants(first: $first) { nodes {
            name host brand { title } division { name } parent { name host }
            children { nodes { name host } } } } }"""
        few = statements(operator, query, first=2)
        assert statements(operator, query, first=20) == few


class TestATenantsOwnHost:
    def test_itself_and_those_above(self, city, district, street, other_street, actor_as):
        worker = actor_as(street, Role.COMMUNITY_WORKER)
        MembershipFactory(person=worker.person, tenant=other_street, role=Role.AUDITOR)
        query = """{ tenant { slug host parent { slug parent { slug children { nodes { slug } } } }
            division { parent { name } } } }"""
        assert ask(worker, query)["tenant"] == {
            "slug": "chezhan",
            "host": "chezhan.linli.localhost",
            "parent": {
                "slug": "zhangdian",
                "parent": {"slug": "zibo", "children": {"nodes": [{"slug": "zhangdian"}]}},
            },
            "division": {"parent": {"name": "张店区"}},
        }
        query = "query($id: ID!) { node(id: $id) { id } }"
        assert errors(worker, query, id=global_id(other_street)) == [("NOT_FOUND", "id")]

    def test_nobody_from_outside(self, street, other_street, actor_as):
        stranger = actor_as(street, Role.STREET_ADMINISTRATOR, held_at=other_street)
        assert errors(stranger, "{ tenant { name } }") == [("FORBIDDEN", None)]


WANTED = {"slug": "kefa", "name": "科苑街道", "kind": "STREET"}


class TestRequesting:
    def test_under_the_callers_district(self, district, district_administrator):
        tenant = done(
            district_administrator,
            "requestTenant",
            "tenant { slug name kind status host parent { slug } division { name } }",
            **WANTED,
            parentId=global_id(district),
            divisionCode="370303002",
            reason="second wave",
        )
        division = tenant.pop("division")
        assert division["name"].endswith(("街道", "镇"))
        assert tenant == {
            "slug": "kefa",
            "name": "科苑街道",
            "kind": "STREET",
            "status": "REQUESTED",
            "host": "kefa.linli.localhost",
            "parent": {"slug": "zhangdian"},
        }

    def test_under_anothers_district_is_under_nothing(self, other_district, district_administrator):
        for parent in (global_id(other_district), NOBODY):
            faults = refused(district_administrator, "requestTenant", **WANTED, parentId=parent)
            assert faults == [("NOT_FOUND", "parentId")]

    @pytest.mark.parametrize(
        ("wrong", "fault"),
        [
            ({"slug": "Che_zhan"}, ("SLUG_INVALID", "slug")),
            ({"slug": "chezhan"}, ("SLUG_TAKEN", "slug")),
            ({"divisionCode": "370303999"}, ("DIVISION_UNKNOWN", "divisionCode")),
            ({"divisionCode": "370305001"}, ("DIVISION_MISMATCH", "divisionCode")),
            ({"kind": "CITY"}, ("PARENT_MISMATCH", "parentId")),
            ({"locale": "tlh"}, ("LOCALE_INVALID", "locale")),
            ({"parentId": None}, ("FORBIDDEN", "parentId")),
        ],
    )
    def test_what_is_refused(self, district, street, district_administrator, wrong, fault):
        given = WANTED | {"parentId": global_id(district)} | wrong
        assert refused(district_administrator, "requestTenant", **given) == [fault]

    def test_the_wrong_role(self, street, district, actor_as):
        administrator = actor_as(None, Role.STREET_ADMINISTRATOR, held_at=street)
        given = WANTED | {"parentId": global_id(district)}
        assert refused(administrator, "requestTenant", **given) == [("FORBIDDEN", None)]


class TestMoving:
    def test_suspended_resumed_archived(self, street, operator):
        for step, status in [
            ("suspendTenant", "SUSPENDED"),
            ("resumeTenant", "ACTIVE"),
            ("archiveTenant", "ARCHIVED"),
        ]:
            given = {"tenantId": global_id(street), "reason": "as agreed"}
            assert done(operator, step, "tenant { status }", **given) == {"status": status}
        street.refresh_from_db()
        assert street.status == Tenant.Status.ARCHIVED

    def test_a_step_out_of_order(self, street, operator):
        given = {"tenantId": global_id(street), "reason": "as agreed"}
        assert refused(operator, "resumeTenant", **given) == [("TENANT_MOVE_REFUSED", "tenantId")]

    def test_without_a_reason(self, street, operator):
        given = {"tenantId": global_id(street), "reason": " "}
        assert refused(operator, "suspendTenant", **given) == [("REASON_MISSING", "reason")]

    def test_nothing_by_that_id(self, operator):
        given = {"tenantId": NOBODY, "reason": "as agreed"}
        assert refused(operator, "archiveTenant", **given) == [("NOT_FOUND", "tenantId")]

    @pytest.mark.parametrize("step", ["suspendTenant", "resumeTenant", "archiveTenant"])
    def test_only_the_operator_moves(self, street, district_administrator, step):
        given = {"tenantId": global_id(street), "reason": "as agreed"}
        assert refused(district_administrator, step, **given) == [("FORBIDDEN", None)]
