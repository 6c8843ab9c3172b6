"""Whoever stands above many units: what one token does in each of them, and whose an event is."""

from datetime import date
from ipaddress import ip_network

import pytest

from linli.accounts.policy import Role, system_actor
from linli.clients.actions import create_personal_token
from linli.events.sequencing import sequence
from linli.ids import encode
from linli.registry.models import Tenant
from linli.tenancy.context import public_context, tenant_context
from tenants.communities.actions import add_community
from tests.house.pages import Page
from tests.support.databases import ROOT
from tests.support.deliverers import delivering
from tests.support.factories import MembershipFactory
from tests.support.programs import graphql, program
from tests.support.receivers import receiver

EVENTS = """query($after: String) { events(after: $after) {
    nodes { type body } pageInfo { endCursor } } }"""
CREATE = """mutation($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) {
    endpoint { url } secret errors { code message } } }"""
SCOPES = ("events:read", "webhooks:read", "webhooks:write", "communities:read", "tenants:read")


def asked(token, at, document, **variables):
    with public_context():
        answer = graphql(token, document, at, **variables).json()
    assert "errors" not in answer, answer
    return answer["data"]


def created(token, at, url="https://example.org/linli"):
    given = {"url": url, "types": ["COMMUNITY_ADDED"]}
    return asked(token, at, CREATE, input=given)["createWebhookEndpoint"]


def happens(tenant, name):
    with tenant_context(tenant):
        add_community(actor=system_actor(tenant), name=name, opened_on=date(2024, 1, 1))
        sequence(tenant.pk)


@pytest.fixture
def streets(street, other_street):
    return street, other_street


@pytest.fixture
def above(city, actor_as):
    """The token of a client that covers both street offices, and the districts between."""
    supervisor = actor_as(city, Role.CITY_SUPERVISOR)
    return program(supervisor, *SCOPES, covers_below=True, name="市平台").token()


class TestAClientThatCoversMany:
    def test_it_learns_which_and_catches_up_in_each_with_one_token(self, above, city, streets):
        found = asked(above, None, "{ tenants { nodes { id slug } } }")["tenants"]["nodes"]
        covered = Tenant.objects.filter(slug__in=[one["slug"] for one in found])
        assert {city, *streets, *(street.parent for street in streets)} == set(covered)
        ids = {one["slug"]: one["id"] for one in found}
        for tenant in covered:
            assert asked(above, tenant, EVENTS)["events"]["nodes"] == []

        after = {}
        for tenant in streets:
            happens(tenant, "一社区")
            page = asked(above, tenant, EVENTS)["events"]
            after[tenant] = page["pageInfo"]["endCursor"]
            assert [one["type"] for one in page["nodes"]] == ["COMMUNITY_ADDED"]
        for tenant in streets:
            happens(tenant, "二社区")
            [event] = asked(above, tenant, EVENTS, after=after[tenant])["events"]["nodes"]
            assert event["body"]["tenantId"] == ids[tenant.slug]
            own = asked(above, tenant, "{ tenant { id } }")["tenant"]["id"]
            assert own == ids[tenant.slug]

    def test_it_makes_endpoints_at_home_only(self, above, city, streets):
        assert created(above, city)["errors"] == []
        for tenant in (*streets, streets[0].parent):
            [error] = created(above, tenant)["errors"]
            assert error["code"] == "FORBIDDEN"
            assert "webhooks:write of this program does not count at this unit" in error["message"]
        assert created(above, city)["errors"] == []  # once more the same address


def test_one_token_of_an_administrator_of_each_and_one_receiver(
    scratch_database, actor_as, settings
):
    """An endpoint in each at one address: the secret and the body tell whose an event is."""
    settings.LINLI_WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]
    recipes: dict = {}
    for block in Page(ROOT / "docs/events.md").blocks("python"):
        exec(block.text, recipes)
    one, other = Tenant.objects.filter(slug__in=["chezhan", "wenshao"]).order_by("slug")
    actor = actor_as(one, Role.STREET_ADMINISTRATOR)
    MembershipFactory(person=actor.person, tenant=other, role=Role.STREET_ADMINISTRATOR)
    _row, token = create_personal_token(actor=actor, name="区平台", scopes=SCOPES, tenant=None)
    with receiver() as r, delivering(scratch_database):
        secrets = {
            encode("Tenant", tenant.pk): created(token, tenant, r.url)["secret"]
            for tenant in (one, other)
        }
        for tenant in (one, other):
            with tenant_context(tenant):
                add_community(actor=system_actor(tenant), name="新社区", opened_on=date(2024, 1, 1))
        got = r.wait_for(2)
    units = [recipes["unit_of"](g.headers["Linli-Signature"], g.body, secrets) for g in got]
    assert sorted(units) == sorted(secrets)
    assert len({g.event["id"] for g in got}) == 2
