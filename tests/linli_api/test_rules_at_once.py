"""Right after rules changed, every process answers by the new ones; from memory as long as they stand."""

from contextlib import ExitStack
from random import Random

import httpx
import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linli.accounts.policy import Role, system_actor
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from linli_api.execution import Request, run
from linli_api.schema import tenant_schema
from tenants.communities.actions import add_community
from tests.support.gunicorn import TOKEN, gunicorn
from tests.support.models import adopt_chengnan
from tests.support.programs import graphql, host_of, program

ROUNDS = 200
MONTHS = "partners.rent_free_months"
RULES = "query($community: ID) { effectiveRules(communityId: $community) { %s } }"
VALUE = f'value(path: "{MONTHS}") {{ value origin {{ name }} }}'
SET = """mutation($input: SetLayerInput!) { setLayer(input: $input) { errors { code message } } }"""
SCOPES = ["models:read", "models:adopt", "communities:read"]


@pytest.fixture
def street(scratch_database) -> Tenant:
    made = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
    with tenant_context(made):
        adopt_chengnan(made, effective_from=timezone.localdate())
    return made


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


def test_whichever_process_is_asked_next(street, administrator, scratch_database):
    """Two servers that share nothing but the database, asked by a browser and by a program."""
    token = program(administrator, *SCOPES).token(street)
    random = Random(15)
    with ExitStack() as stack:
        asking = []
        for _server in range(2):
            points = {"LINLI_POINTS_A_MINUTE": str(10**9)}
            served = stack.enter_context(gunicorn(scratch_database, **points))
            person = served.browser(administrator.person, host_of(street))
            asking.append(stack.enter_context(person))
            headers = {"Host": host_of(street), "Authorization": f"Bearer {token}"}
            base = f"http://127.0.0.1:{served.port}"
            asking.append(
                stack.enter_context(httpx.Client(base_url=base, headers=headers, timeout=120))
            )
        for number in range(ROUNDS):
            months = 1 + number % 50
            given = {
                "values": [{"path": MONTHS, "value": months}],
                "bounds": [],
                "effectiveFrom": timezone.localdate().isoformat(),
                "expectedVersion": number,
            }
            _sent(random.choice(asking), SET, input=given)
            answer = _sent(random.choice(asking), RULES % VALUE)
            value = answer["effectiveRules"]["value"]
            assert value == {"value": months, "origin": {"name": street.name}}, number


def test_a_warm_look_up_adds_no_statement_to_a_request(street, administrator):
    with tenant_context(street):
        add_community(actor=system_actor(street), name="城南社区", opened_on=timezone.localdate())
    token = program(administrator, *SCOPES).token(street)

    def statements(document, **variables):
        for _warm in range(2):
            graphql(token, document, street, **variables)
        with CaptureQueriesContext(connection) as captured:
            answer = graphql(token, document, street, **variables).json()
        assert "errors" not in answer, answer
        return [one["sql"] for one in captured]

    here = {"community": _id(token, street)}
    for variables in ({}, here):
        [admission] = statements(RULES % f"digest document {VALUE}", **variables)
        assert "registry_rulesstamp" in admission
    person = Browser(headers={"host": host_of(street), "X-CSRFToken": TOKEN})
    person.force_login(administrator.person)
    person.cookies["csrftoken"] = TOKEN

    body = {"query": "{ effectiveRules { digest document } }"}
    for _warm in range(2):
        person.post("/graphql", body, content_type="application/json")
    with CaptureQueriesContext(connection) as captured:
        answer = person.post("/graphql", body, content_type="application/json").json()
    assert "errors" not in answer, answer
    [host] = [one["sql"] for one in captured if "rulesstamp" in one["sql"]]
    assert "registry_domain" in host
    assert not [one for one in captured if "operating_model" in one["sql"]]


def test_rules_of_a_community_that_is_not_theirs(street, administrator, actor_as):
    """A secretary reads their own community's rules, warm or not, and finds no other."""
    with tenant_context(street):
        system = system_actor(street)
        own, _other = (
            add_community(actor=system, name=name, opened_on=timezone.localdate())
            for name in ("城南社区", "工盛社区")
        )
    everyone = program(administrator, *SCOPES).token(street)
    secretary = actor_as(street, Role.COMMUNITY_SECRETARY, community_id=own.pk)
    ids = _ids(everyone, street)
    for _warm in range(2):
        for name, code in (("城南社区", None), ("工盛社区", "NOT_FOUND")):
            asked = Request(RULES % "digest", {"community": ids[name]})
            with tenant_context(street):
                body = run(tenant_schema, asked, secretary).body
            found = [one["extensions"]["code"] for one in body.get("errors", [])]
            assert found == ([code] if code else [])
            graphql(everyone, RULES % "digest", street, community=ids[name])


def _ids(token, street):
    answer = graphql(token, "{ communities { nodes { id name } } }", street).json()
    return {one["name"]: one["id"] for one in answer["data"]["communities"]["nodes"]}


def _id(token, street):
    [found] = _ids(token, street).values()
    return found


def _sent(client, document, **variables):
    response = client.post("/graphql", json={"query": document, "variables": variables})
    answer = response.json()
    assert "errors" not in answer, answer
    for payload in answer["data"].values():
        assert payload.get("errors", []) == []
    return answer["data"]
