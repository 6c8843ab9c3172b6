"""Every mutation of a tenant's schema leaves an event about what it wrote, without personal data."""

import json

import pytest
from django.db import transaction
from django.utils import timezone

from linli.events.body import body_of
from linli.events.models import Event
from linli.events.types import event_type
from linli.ids import encode
from linli.tenancy.context import tenant_context
from linli_api.schema import platform_schema, tenant_schema
from tests.support.api import do
from tests.support.deeds import DEEDS, Place
from tests.support.probes import probes
from tests.support.shapes import misfits
from tests.support.two_towns import two_towns

# What is done with webhooks themselves is told by the trail only, but for the test event; so is who
# may come in and how, and what somebody took out. A sandbox that is reset begins anew. A draft is
# nobody's rule and no version yet: what it becomes is told when it is finished.
UNTOLD = {
    "createClient",
    "addClientSecret",
    "revokeClientSecret",
    "revokeClient",
    "createPersonalToken",
    "revokePersonalToken",
    "trustDocument",
    "withdrawDocument",
    "requireTrustedDocuments",
    "exportConnection",
    "cancelExport",
    "resetSandbox",
    "openDraft",
    "saveDraft",
    "editDraft",
    "discardDraft",
    "createWebhookEndpoint",
    "updateWebhookEndpoint",
    "addWebhookSecret",
    "revokeWebhookSecret",
    "pauseWebhookEndpoint",
    "resumeWebhookEndpoint",
    "deleteWebhookEndpoint",
    "replayEvents",
    "replayDelivery",
}
# The library is read at the platform's host.
SHOWN = platform_schema.graphql_schema.type_map | tenant_schema.graphql_schema.type_map
MUTATIONS = {probe.name for probe in probes(tenant_schema) if probe.operation == "mutation"}


@pytest.fixture(scope="module")
def world(session_database, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), two_towns(session_database) as made:
        yield made


@pytest.mark.parametrize(
    ("mutation", "deed"),
    [
        pytest.param(mutation, deed, id=f"{mutation}-{deed.__name__}")
        for mutation in sorted(MUTATIONS - UNTOLD)
        for deed in DEEDS[mutation]
    ],
)
def test_it_is_told(world, mutation, deed):
    with transaction.atomic(), tenant_context(world.ours.tenant):
        place = Place(world.ours)
        done = deed(place)
        where = done.actor.tenant
        with tenant_context(where):
            before = set(Event.objects.values_list("pk", flat=True))
            assert do(done.actor, mutation, **done.given) == {"errors": []}
            new = list(Event.objects.exclude(pk__in=before).order_by("pk"))
        assert new
        for event in new:
            assert event.object_type == event_type(event.type).about
            assert misfits(body_of(event, where.pk)) == []
            fields = SHOWN[event.object_type].fields
            assert set(event.data.get("changed", ())) <= set(fields)
            assert event.person_id == done.actor.person_id
            told = json.dumps(event.data, ensure_ascii=False)
            for name in ("name", "purpose", "note", "reason", "hostCharity", "services"):
                if given := done.given.get(name):
                    assert given not in told
        transaction.set_rollback(True)


def test_a_misfit_is_seen():
    """What is promised is what graphql/linli_api/events.graphql says."""
    about = {
        "type": "fact.stated",
        "object_type": "Fact",
        "object_id": 1,
        "at": timezone.now(),
        "position": 0,
    }
    data = {"community": None, "key": "markets", "corrected": False}
    assert misfits(body_of(Event(**about, data=data), 1)) == []
    for spoilt, path in (
        (data | {"key": None}, "data.key is null"),
        (data | {"key": 1}, "data.key is 1, no String"),
        (data | {"corrected": 0}, "data.corrected is 0, no Boolean"),
        (data | {"community": encode("Fund", 1)}, "no CommunityId"),
        (data | {"more": 1}, "data has ['community', 'corrected', 'key', 'more']"),
    ):
        [found] = misfits(body_of(Event(**about, data=spoilt), 1))
        assert path in found
    [found] = misfits(body_of(Event(**about | {"object_type": "Fund"}, data=data), 1))
    assert "no FactId" in found


def test_every_mutation_is_told_or_said_not_to_be():
    assert UNTOLD <= MUTATIONS
    assert set(DEEDS) >= MUTATIONS - UNTOLD
