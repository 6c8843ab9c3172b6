"""Who may ask the schema about itself, in production and in development."""

import json

import pytest
from graphql import get_introspection_query

from linli.accounts.policy import Role, actor_for
from linli_api.execution import Request, may_introspect, run
from linli_api.schema import tenant_schema
from tests.linli_api.hostile.corpus import CORPUS
from tests.support.factories import PersonFactory
from tests.support.programs import graphql, program

ALLOWED = {Role.STREET_ADMINISTRATOR, Role.AUDITOR, Role.INTEGRATOR}
pytestmark = pytest.mark.django_db


@pytest.fixture
def production(settings):
    settings.LINLI_INTROSPECTION_OPEN = False


@pytest.mark.parametrize(
    "role",
    [
        Role.STREET_ADMINISTRATOR,
        Role.COMMUNITY_SECRETARY,
        Role.COMMUNITY_WORKER,
        Role.CHARITY_CASHIER,
        Role.PARTNER,
        Role.AUDITOR,
        Role.INTEGRATOR,
    ],
)
def test_in_production_by_permission(production, street, actor_as, role):
    actor = actor_as(street, role)
    assert may_introspect(actor) == (role in ALLOWED)
    for query in (get_introspection_query(), '{ __type(name: "Partner") { name } }'):
        answer = run(tenant_schema, Request(query), actor)
        assert answer.ran == (role in ALLOWED)
        if role not in ALLOWED:
            [error] = answer.body["errors"]
            assert error["extensions"]["code"] == "FORBIDDEN"
            assert "schema.introspect" in error["message"]
            assert "data" not in answer.body
    # The name of a type is no introspection.
    assert run(tenant_schema, Request("{ __typename }"), actor).ran


@pytest.mark.parametrize("made", ["introspection_twenty_times", "introspection_under_fragments"])
def test_however_often_it_is_asked_it_is_refused_once(production, street, actor_as, made):
    query = json.loads(CORPUS[made]())["query"]
    answer = run(tenant_schema, Request(query), actor_as(street, Role.COMMUNITY_WORKER))
    assert [error["extensions"]["code"] for error in answer.body["errors"]] == ["FORBIDDEN"]


def test_a_program_without_the_scope_is_told_so_once(production, street, actor_as):
    administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
    query = "{ __schema { types { name } } a: __schema { queryType { name } } viewer { name } }"
    refused = graphql(program(administrator, "tenants:read").token(), query, street)
    assert refused.status_code == 403
    [error] = refused.json()["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert " introspect" in error["message"]
    assert [one["column"] for one in error["locations"]] == [3, 31]
    introspecting = program(administrator, "introspect", name="另一个").token()
    allowed = graphql(introspecting, "{ __schema { description } }", street)
    assert "errors" not in allowed.json()


@pytest.mark.parametrize("role", [Role.CITY_SUPERVISOR, Role.DISTRICT_ADMINISTRATOR])
def test_supervisors_at_their_own(production, city, district, actor_as, role):
    assert may_introspect(actor_as(city if role is Role.CITY_SUPERVISOR else district, role))


def test_the_operator_everywhere(production, street, actor_as):
    assert may_introspect(actor_as(None, Role.PLATFORM_OPERATOR))
    assert may_introspect(actor_as(street, Role.PLATFORM_OPERATOR, held_at=None))


def test_in_development_whoever_is_logged_in(street, settings):
    settings.LINLI_INTROSPECTION_OPEN = True
    assert may_introspect(actor_for(PersonFactory(), street))
    assert not may_introspect(None)
