"""What staff can do, a program can: every scope is somebody's to give, and one deed shows it."""

from dataclasses import replace
from itertools import product

import pytest
from django.db import transaction

from linli.accounts.policy import Permission, actor_for, narrowed
from linli.accounts.roles import DUTIES
from linli.accounts.scopes import SCOPES
from linli.clients.admission import admit
from linli.events.models import WebhookEndpoint
from linli.registry.models import Tenant
from linli.tenancy.context import public_context, tenant_context
from tests.support.api import ask, do
from tests.support.deeds import DEEDS, Place, policies
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.programs import program
from tests.support.two_towns import two_towns

# A document for each scope that reads.
READS = {
    "tenants:read": "{ tenant { slug } }",
    "communities:read": "{ communities { nodes { name } } }",
    "models:read": "{ modelVersions { nodes { title } } }",
    "partners:read": "{ partners { nodes { name } } }",
    "fund:read": "{ funds { nodes { hostCharity } } }",
    "audit:read": "{ auditEntries { nodes { action } } }",
    "clients:read": "{ clients { nodes { name } } }",
    "documents:read": "{ trustedDocuments { nodes { name } } }",
    "events:read": "{ events { nodes { id } } }",
    "people:read": "{ memberships { nodes { role person { name } } } }",
    "webhooks:read": "{ webhookEndpoints { nodes { url deliveries { totalCount } } } }",
    "introspect": "{ __schema { queryType { name } } }",
}
# A mutation for each scope that writes.
WRITES = {
    "tenants:write": "requestTenant",
    "tenants:manage": "suspendTenant",
    "people:write": "registerPerson",
    "communities:write": "addCommunity",
    "models:write": "writeVersion",
    "models:adopt": "setLayer",
    "models:approve": "approveChange",
    "models:policy": "issuePolicy",
    "models:trust": "addTrustedSource",
    "partners:write": "admitPartner",
    "partners:receive": "recordIncome",
    "fund:write": "proposeSpending",
    "fund:approve": "approveSpending",
    "fund:pay": "paySpending",
    "fund:reverse": "reverseEvent",
    "comparison:write": "refreshComparison",
    "clients:write": "createClient",
    "documents:write": "trustDocument",
    "webhooks:write": "createWebhookEndpoint",
    "webhooks:manage": "pauseWebhookEndpoint",
}
# What it tells of, a webhook's maker may read.
BESIDE = {
    "webhooks:write": ("fund:read", "partners:read"),
    "webhooks:manage": ("webhooks:write", "fund:read"),
}
AT_THE_PLATFORM = {"tenants:write", "tenants:manage", "people:write", "models:trust"}
AT_THE_PLATFORM |= {"comparison:read", "comparison:write"}
# What nobody above may do: the street's own endpoints are there to be managed, and by the rule in force
# it decides itself what it adopts.
OF_THE_UNIT = {"webhooks:manage", "models:approve"}
COMPARE = """query($under: ID!) {
    comparison(measure: "self_reliance_rate", underId: $under, asOf: "2026-01-31") {
        rows { tenant { slug } }
    }
}"""


@pytest.fixture(scope="module")
def world(session_database, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), two_towns(session_database) as made:
        yield made


@pytest.fixture
def place(world):
    with transaction.atomic(), tenant_context(world.ours.tenant):
        yield Place(world.ours)
        transaction.set_rollback(True)


def _program(place, scope):
    """Of whoever has one role only and may make it: of the street's people or of those above, and
    only if it is nobody of theirs, the platform's."""
    homes = [place.tenant] if scope in OF_THE_UNIT else [place.tenant, *place.tenant.ancestors()]
    for role, home in product(sorted(DUTIES, key=lambda role: not DUTIES[role].kinds), homes):
        duties = DUTIES[role]
        if duties.kinds and home.kind not in duties.kinds:
            continue
        if Permission.CLIENTS_CREATE in duties.own and SCOPES[scope] <= duties.own:
            person = PersonFactory()
            held_at = home if duties.kinds else None
            MembershipFactory(person=person, tenant=held_at, role=role)
            with public_context():
                return program(
                    actor_for(person, home), scope, *BESIDE.get(scope, ()), name="项目",
                    covers_below=home.kind != "street",
                )  # fmt: skip
    raise AssertionError(f"nobody can give a program {scope}")


def _acting(place, scope):
    made = _program(place, scope)
    home = None if scope in AT_THE_PLATFORM else made.client.tenant
    with public_context():
        return admit(made.token(), home).actor


def test_each_scope_is_tried():
    assert READS.keys() | WRITES.keys() | {"comparison:read"} == SCOPES.keys()


@pytest.mark.parametrize("scope", READS)
def test_a_program_reads(place, scope, settings):
    settings.LINLI_INTROSPECTION_OPEN = False
    acting = _acting(place, scope)
    with tenant_context(place.tenant):
        [answer] = ask(acting, READS[scope]).values()
    assert answer


@pytest.mark.parametrize("scope", WRITES)
def test_a_program_does(place, scope):
    acting = _acting(place, scope)
    WebhookEndpoint.objects.update(types=["fund.opened"])  # which BESIDE may read
    deed = DEEDS[WRITES[scope]][0](place)
    given = deed.given
    if scope == "clients:write":
        given = given | {"scopes": ["clients:write"]}
    if scope == "models:policy":
        given = given | {
            "expectedVersion": policies(Tenant.objects.get(pk=acting.client.tenant_id))
        }
    if scope == "comparison:write":
        given = given | {"underId": place.id(Tenant.objects.get(pk=acting.client.tenant_id))}
    assert do(acting, WRITES[scope], **given) == {"errors": []}
    nobody = replace(acting, grants=())
    assert [one["code"] for one in do(nobody, WRITES[scope], **given)["errors"]] == ["FORBIDDEN"]


@pytest.mark.parametrize("name", [name for name in DEEDS if "Webhook" in name or "eplay" in name])
def test_who_may_not_see_endpoints_may_still_manage_them(place, name):
    WebhookEndpoint.objects.update(types=["fund.opened"])  # none is told of endpoints
    deed = DEEDS[name][0](place)
    unseeing = frozenset(Permission) - {Permission.WEBHOOKS_READ}
    acting = replace(deed.actor, grants=narrowed(deed.actor.grants, unseeing))
    assert do(acting, name, **deed.given) == {"errors": []}


def test_a_program_compares(place):
    acting = _acting(place, "comparison:read")
    assert ask(acting, COMPARE, under=place.id(place.tenant)) == {"comparison": {"rows": []}}
