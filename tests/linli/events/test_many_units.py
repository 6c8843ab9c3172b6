"""Whoever stands above many units: what one token does in each of them, and whose an event is."""

from datetime import date, timedelta
from ipaddress import ip_network

import pytest
from django.utils import timezone

from linli.accounts.policy import Role, system_actor
from linli.clients.actions import (
    add_client_secret,
    create_personal_token,
    revoke_client_secret,
)
from linli.events.actions import create_endpoint, pause_endpoint
from linli.events.models import WebhookEndpoint
from linli.events.sequencing import sequence
from linli.ids import encode
from linli.registry.models import Tenant
from linli.tenancy.context import public_context, tenant_context
from linli_api.ids import decode
from tenants.communities.actions import add_community
from tests.house.pages import Page
from tests.support.databases import ROOT
from tests.support.deliverers import delivering
from tests.support.denials import denied
from tests.support.factories import MembershipFactory
from tests.support.programs import Program, graphql, program
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


# What is done with an endpoint, in an order in which each can be done.
MANAGING: dict[str, dict] = {
    "updateWebhookEndpoint": {"description": "x"},
    "addWebhookSecret": {},
    "sendTestEvent": {},
    "replayEvents": {"since": (timezone.now() - timedelta(days=1)).isoformat()},
    "pauseWebhookEndpoint": {},
    "resumeWebhookEndpoint": {},
    "deleteWebhookEndpoint": {},
}


def managed(token, at, mutation, **given):
    secret = "secret" if mutation == "addWebhookSecret" else ""
    document = f"""mutation($input: {mutation[0].upper()}{mutation[1:]}Input!) {{
        {mutation}(input: $input) {{ {secret} errors {{ code message }} }} }}"""
    return asked(token, at, document, input=given)[mutation]


def listed(token, at):
    document = "{ webhookEndpoints { nodes { id personId clientId } } }"
    return asked(token, at, document)["webhookEndpoints"]["nodes"]


def endpoint_of(actor) -> str:
    """The id of one that a person makes."""
    with tenant_context(actor.tenant):
        made, _secret = create_endpoint(
            actor=actor, url="https://example.org/", types=["community.added"]
        )
    return encode("WebhookEndpoint", made.pk)


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

    def test_it_makes_endpoints_at_home_and_in_each(self, above, city, streets):
        for tenant in (city, *streets, streets[0].parent, city):  # once more the same address
            made = created(above, tenant)
            assert made["errors"] == []
            assert made["secret"].startswith("whsec_")

    def test_it_looks_after_its_own_and_touches_no_other(self, above, city, street, actor_as):
        theirs = endpoint_of(actor_as(street, Role.STREET_ADMINISTRATOR))
        supervisors = endpoint_of(actor_as(street, Role.CITY_SUPERVISOR, held_at=city))
        assert created(above, street)["errors"] == []
        [own] = (one for one in listed(above, street) if one["id"] not in (theirs, supervisors))
        assert own["clientId"]
        assert own["personId"] is None
        for mutation, more in MANAGING.items():
            for other in (theirs, supervisors):
                refused = managed(above, street, mutation, endpointId=other, **more)
                assert [one["code"] for one in refused["errors"]] == ["FORBIDDEN"], mutation
                assert refused.get("secret") is None
            done = managed(above, street, mutation, endpointId=own["id"], **more)
            assert done["errors"] == [], mutation

    def test_after_its_secret_changed_hands_they_are_still_its_own(self, city, street, actor_as):
        supervisor = actor_as(city, Role.CITY_SUPERVISOR)
        made = program(supervisor, *SCOPES, covers_below=True, name="市平台")
        assert created(made.token(), street)["errors"] == []
        colleague = actor_as(city, Role.CITY_SUPERVISOR)
        old = made.client.secrets.get()
        _row, secret = add_client_secret(actor=colleague, client_id=made.client.pk)
        revoke_client_secret(actor=colleague, secret_id=old.pk)
        token = Program(made.client, secret).token()
        [own] = listed(token, street)
        assert managed(token, street, "sendTestEvent", endpointId=own["id"])["errors"] == []

    def test_so_does_a_person_from_above(self, city, street, actor_as):
        supervisor, other = (actor_as(street, Role.CITY_SUPERVISOR, held_at=city) for _ in range(2))
        own = decode("WebhookEndpoint", endpoint_of(supervisor))
        with tenant_context(street):
            with denied("FORBIDDEN"):
                pause_endpoint(actor=other, endpoint_id=own)
            pause_endpoint(actor=supervisor, endpoint_id=own)

    def test_the_units_administrator_stops_it(self, above, street, actor_as):
        created(above, street)
        administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
        with tenant_context(street):
            [endpoint] = WebhookEndpoint.objects.all()
            pause_endpoint(actor=administrator, endpoint_id=endpoint.pk)

    def test_a_client_of_the_units_with_write_alone_keeps_to_its_own_too(self, street, actor_as):
        administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
        theirs = endpoint_of(administrator)
        narrow = program(administrator, *SCOPES, name="一个").token()
        wide = program(administrator, *SCOPES, "webhooks:manage", name="另一个").token()
        refused = managed(narrow, street, "pauseWebhookEndpoint", endpointId=theirs)
        assert [one["code"] for one in refused["errors"]] == ["FORBIDDEN"]
        assert "webhooks:manage" in refused["errors"][0]["message"]
        assert managed(wide, street, "pauseWebhookEndpoint", endpointId=theirs)["errors"] == []


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
