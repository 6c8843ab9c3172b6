"""A street office whose events are committed, in a database of the test's own."""

from collections.abc import Callable, Iterator
from datetime import date
from ipaddress import ip_network
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from linli.accounts.policy import Actor, system_actor
from linli.events import actions
from linli.events.emit import emit
from linli.events.models import Event, WebhookEndpoint
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community
from tenants.communities.models import Community
from tests.support.databases import Database

Happen = Callable[..., Event]


@pytest.fixture
def committed(scratch_database: Database, settings) -> Iterator[Tenant]:
    """Chezhan, where endpoints on loopback are allowed; works in its schema."""
    settings.LINLI_WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]
    tenant = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
    with tenant_context(tenant):
        yield tenant


@pytest.fixture
def system(committed: Tenant) -> Actor:
    return system_actor(committed)


@pytest.fixture
def community(system: Actor) -> Community:
    return add_community(actor=system, name="城南社区", opened_on=date(2024, 1, 1))


@pytest.fixture
def endpoint(system: Actor) -> Callable[..., tuple[WebhookEndpoint, str]]:
    """``endpoint(url)``: one for changes of communities, with its secret."""

    def make(url: str, types: Any = ("community.updated",)) -> tuple[WebhookEndpoint, str]:
        return actions.create_endpoint(actor=system, url=url, types=types)

    return make


@pytest.fixture
def happen(system: Actor) -> Happen:
    """Something happened to a community, as an action would tell it, in a transaction."""

    def make(community: Community, note: str = "") -> Event:
        with transaction.atomic():
            Community.objects.select_for_update().get(pk=community.pk)
            return emit(
                actor=system,
                type="community.updated",
                obj=community,
                community_id=community.pk,
                data={"changed": [note or str(timezone.now())]},
            )

    return make
