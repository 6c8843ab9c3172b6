"""Events and webhooks through the API: who hears of what, cursors, secrets, states."""

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from linli.accounts.policy import Actor, Grant, Permission, Reach, Role, system_actor
from linli.audit.models import Entry
from linli.events.body import body_of
from linli.events.models import Delivery, Event, WebhookEndpoint
from linli.events.sequencing import sequence
from linli_api import ids
from tenants.communities.actions import update_community
from tenants.fund.actions import open_fund
from tenants.partners.actions import admit_partner
from tests.support.api import ask, do, done, errors, refused, statements, unchanged

EVENTS = """query($after: String, $first: Int, $types: [EventType!]) {
    events(after: $after, first: $first, types: $types) {
        nodes { type position objectType objectId body }
        pageInfo { endCursor hasNextPage }
    }
}"""
HOOK = {"url": "https://example.org/hook", "types": ["PARTNER_ADMITTED"]}


def told(actor, **arguments):
    return ask(actor, EVENTS, **arguments)["events"]


def types(actor, **arguments):
    return [node["type"] for node in told(actor, **arguments)["nodes"]]


@pytest.fixture
def happened(house):
    """A partner in each of two communities, a fund of the street's, all sequenced."""
    system = system_actor(house.street)
    for community in (house.chengnan, house.gongsheng):
        key = ids.decode("Community", community)
        admit_partner(actor=system, community_id=key, name="诊所", kind="enterprise")
    open_fund(actor=system, community_id=None, host_charity="慈善总会", opened_on=date(2024, 1, 1))
    sequence(house.street.pk)
    return house


class TestEvents:
    def test_they_come_by_position_with_the_body_of_webhooks(self, happened):
        nodes = told(happened.administrator)["nodes"]
        positions = [node["position"] for node in nodes]
        assert positions == list(range(1, len(nodes) + 1))
        last = Event.objects.get(position=positions[-1])
        assert nodes[-1]["type"] == "FUND_OPENED"
        assert nodes[-1]["body"] == body_of(last, happened.street.pk)
        assert nodes[-1]["objectId"] == ids.encode("Fund", last.object_id)

    def test_the_last_cursor_goes_on_from_there(self, happened):
        page = told(happened.administrator, first=2)
        assert page["pageInfo"]["hasNextPage"]
        seen = page["nodes"]
        while page["pageInfo"]["hasNextPage"]:
            page = told(happened.administrator, first=2, after=page["pageInfo"]["endCursor"])
            seen += page["nodes"]
        assert seen == told(happened.administrator, first=100)["nodes"]
        cursor = page["pageInfo"]["endCursor"]
        assert told(happened.administrator, after=cursor)["nodes"] == []

        key = ids.decode("Community", happened.chengnan)
        system = system_actor(happened.street)
        update_community(actor=system, community_id=key, residents=12)
        assert told(happened.administrator, after=cursor)["nodes"] == []
        sequence(happened.street.pk)
        assert types(happened.administrator, after=cursor) == ["COMMUNITY_UPDATED"]

    def test_of_some_types_only(self, happened):
        asked = ["PARTNER_ADMITTED", "FUND_OPENED"]
        assert types(happened.administrator, types=asked) == [
            "PARTNER_ADMITTED", "PARTNER_ADMITTED", "FUND_OPENED",
        ]  # fmt: skip

    def test_one_by_its_id(self, happened):
        event = Event.objects.get(type="fund.opened")
        document = "query($id: ID!) { event(id: $id) { type } }"
        one = ask(happened.administrator, document, id=ids.encode("Event", event.pk))
        assert one == {"event": {"type": "FUND_OPENED"}}

    def test_who_reads_one_community_hears_of_that_one(self, happened):
        heard = told(happened.secretary)["nodes"]
        assert [node["type"] for node in heard] == ["COMMUNITY_ADDED", "PARTNER_ADMITTED"]
        assert heard[0]["objectId"] == happened.chengnan

    def test_who_may_not_read_the_domain_hears_nothing_of_it(self, happened):
        permissions = frozenset({Permission.EVENTS_READ, Permission.PARTNERS_READ})
        grants = (Grant(Role.INTEGRATOR, permissions, Reach.OWN),)
        actor = Actor(happened.administrator.person, happened.street, grants)
        assert set(types(actor)) == {"PARTNER_ADMITTED"}

    def test_who_may_not_read_events_is_refused(self, happened):
        assert errors(happened.partner, EVENTS) == [("FORBIDDEN", None)]

    def test_statements_do_not_grow_with_the_rows(self, happened):
        document = "query($first: Int) { events(first: $first) { nodes { type body } } }"
        few = statements(happened.administrator, document, first=1)
        assert statements(happened.administrator, document, first=20) == few


class TestEndpoints:
    def test_a_secret_is_shown_once_and_kept_sealed(self, house):
        made = do(
            house.administrator,
            "createWebhookEndpoint",
            "endpoint { url state types secrets { id } } secret",
            **HOOK,
        )
        assert made["errors"] == []
        assert made["secret"].startswith("whsec_")
        assert made["endpoint"] == {
            "url": HOOK["url"],
            "state": "ENABLED",
            "types": HOOK["types"],
            "secrets": [{"id": made["endpoint"]["secrets"][0]["id"]}],
        }
        kept = WebhookEndpoint.objects.get()
        everything = str(WebhookEndpoint.objects.values()) + str(Entry.objects.values())
        assert made["secret"] not in everything
        assert len(kept.secrets) == 1

    def test_secrets_are_rotated(self, house):
        administrator = house.administrator
        first = self._create(house)
        given = {"endpointId": first["id"]}
        shows = "endpoint { secrets { id } } webhookSecret { id createdAt } secret"
        added = do(administrator, "addWebhookSecret", shows, **given)
        old, new = (secret["id"] for secret in added["endpoint"]["secrets"])
        assert added["webhookSecret"]["id"] == new
        assert datetime.fromisoformat(added["webhookSecret"]["createdAt"]).tzinfo
        node = "query($id: ID!) { node(id: $id) { id __typename } }"
        assert ask(administrator, node, id=new)["node"] == {
            "id": new,
            "__typename": "WebhookSecret",
        }
        assert errors(house.cashier, node, id=new) == [("FORBIDDEN", None)]
        nothing = ids.encode("WebhookSecret", house.street.pk)
        assert errors(administrator, node, id=nothing) == [("NOT_FOUND", "id")]
        assert refused(administrator, "addWebhookSecret", **given) == [
            ("SECRETS_FULL", "endpointId")
        ]
        left = done(
            administrator,
            "revokeWebhookSecret",
            "endpoint { secrets { id } }",
            webhookSecretId=old,
            **given,
        )
        assert left["secrets"] == [{"id": new}]
        assert refused(administrator, "revokeWebhookSecret", webhookSecretId=new, **given) == [
            ("LAST_SECRET", "webhookSecretId")
        ]

    @pytest.mark.parametrize(
        "url", ["http://example.org/", "https://10.0.0.1/", "https://a:b@example.org/", "x"]
    )
    def test_an_address_that_will_not_do(self, house, url):
        given = HOOK | {"url": url}
        assert refused(house.administrator, "createWebhookEndpoint", **given) == [
            ("URL_INVALID", "url")
        ]

    def test_nobody_has_a_program_told_what_they_may_not_read(self, house):
        permissions = frozenset(
            {Permission.WEBHOOKS_READ, Permission.WEBHOOKS_CREATE, Permission.PARTNERS_READ}
        )
        grants = (Grant(Role.INTEGRATOR, permissions, Reach.OWN),)
        actor = Actor(house.administrator.person, house.street, grants)
        endpoint = done(actor, "createWebhookEndpoint", "endpoint { id }", **HOOK)
        more = {"endpointId": endpoint["id"], "types": ["FUND_OPENED"]}
        assert refused(actor, "updateWebhookEndpoint", **more) == [("FORBIDDEN", None)]
        given = HOOK | {"types": ["PARTNER_ADMITTED", "FUND_OPENED"]}
        assert refused(actor, "createWebhookEndpoint", **given) == [("FORBIDDEN", None)]

    def test_nobody_touches_an_endpoint_that_is_told_what_they_may_not_read(self, happened):
        given = HOOK | {"types": ["PARTNER_ADMITTED", "FUND_OPENED"]}
        made = do(
            happened.administrator,
            "createWebhookEndpoint",
            "endpoint { id secrets { id } }",
            **given,
        )["endpoint"]
        which = {"endpointId": made["id"]}
        since = (timezone.now() - timedelta(days=1)).isoformat()
        do(happened.administrator, "replayEvents", since=since, **which)
        delivery = Delivery.objects.filter(event__type="partner.admitted").first()

        permissions = frozenset({Permission.WEBHOOKS_CREATE, Permission.PARTNERS_READ})
        grants = (Grant(Role.INTEGRATOR, permissions, Reach.OWN),)
        actor = Actor(happened.administrator.person, happened.street, grants)
        secret = made["secrets"][0]["id"]
        for mutation, more in {
            "updateWebhookEndpoint": which | {"description": "x"},
            "addWebhookSecret": which,
            "revokeWebhookSecret": which | {"webhookSecretId": secret},
            "pauseWebhookEndpoint": which,
            "resumeWebhookEndpoint": which,
            "deleteWebhookEndpoint": which,
            "sendTestEvent": which,
            "replayEvents": which | {"since": since},
            "replayDelivery": {"deliveryId": ids.encode("WebhookDelivery", delivery.pk)},
        }.items():
            with unchanged():
                assert refused(actor, mutation, **more) == [("FORBIDDEN", None)], mutation

    def test_what_changes_nothing_leaves_no_trace(self, house):
        given = {"endpointId": self._create(house)["id"], "url": HOOK["url"]}
        with unchanged():
            done(house.administrator, "updateWebhookEndpoint", "endpoint { id }", **given)

    def test_a_test_is_answered_with_its_event(self, house):
        given = {"endpointId": self._create(house)["id"]}
        shows = "endpoint { id } event { id type objectId }"
        sent = do(house.administrator, "sendTestEvent", shows, **given)
        assert sent["endpoint"] == {"id": given["endpointId"]}
        assert sent["event"]["type"] == "WEBHOOK_TEST"
        assert sent["event"]["objectId"] == given["endpointId"]
        assert ids.split(sent["event"]["id"])[0] == "Event"

    def test_paused_and_resumed(self, house):
        given = {"endpointId": self._create(house)["id"]}
        shows = "endpoint { state stateReason }"
        paused = done(house.administrator, "pauseWebhookEndpoint", shows, reason="升级", **given)
        assert paused == {"state": "PAUSED", "stateReason": "升级"}
        assert refused(house.administrator, "pauseWebhookEndpoint", **given) == [
            ("ENDPOINT_PAUSED", "endpointId")
        ]
        done(house.administrator, "sendTestEvent", "endpoint { id }", **given)
        resumed = done(house.administrator, "resumeWebhookEndpoint", shows, **given)
        assert resumed == {"state": "ENABLED", "stateReason": ""}

    def test_deleted_it_is_gone_with_its_secrets_and_log(self, happened):
        made = self._create(happened)
        since = (timezone.now() - timedelta(days=1)).isoformat()
        given = {"endpointId": made["id"]}
        replayed = do(
            happened.administrator, "replayEvents", "replayed endpoint { id }", since=since, **given
        )
        assert replayed["replayed"] == Delivery.objects.count() > 0
        do(happened.administrator, "deleteWebhookEndpoint", "endpointId", **given)
        assert not Delivery.objects.exists()
        assert WebhookEndpoint.objects.get().secrets == []
        found = ask(happened.administrator, "{ webhookEndpoints { nodes { id } } }")
        assert found["webhookEndpoints"]["nodes"] == []
        assert refused(happened.administrator, "sendTestEvent", **given) == [
            ("NOT_FOUND", "endpointId")
        ]

    def test_what_is_replayed_begins_in_the_past_and_ends_after_it_begins(self, happened):
        endpoint, now = self._create(happened)["id"], timezone.now()

        def refusal(since, until=None):
            given = {"since": since.isoformat(), "until": until and until.isoformat()}
            return refused(
                happened.administrator, "replayEvents", endpointId=endpoint, **given
            )  # and nothing is changed

        day, hour = timedelta(days=1), timedelta(hours=1)
        assert refusal(now + hour) == [("PERIOD_INVALID", "since")]
        assert refusal(now + hour, now + day) == [("PERIOD_INVALID", "since")]
        assert refusal(now - hour, now - day) == [("PERIOD_INVALID", "until")]
        assert refusal(now - hour, now - hour) == [("PERIOD_INVALID", "until")]
        # An end that is yet to come is none too many.
        since, until = (now - hour).isoformat(), (now + 10_000 * day).isoformat()
        given = {"endpointId": endpoint, "since": since, "until": until}
        replayed = done(happened.administrator, "replayEvents", "replayed", **given)
        assert replayed == Delivery.objects.count() > 0

    def test_there_are_twenty_at_most(self, house):
        for _ in range(20):
            self._create(house)
        assert refused(house.administrator, "createWebhookEndpoint", **HOOK) == [
            ("TOO_MANY_ENDPOINTS", None)
        ]

    @pytest.mark.parametrize("role", ["secretary", "cashier"])
    def test_for_administrators_only(self, house, role):
        self._create(house)
        actor = getattr(house, role)
        assert refused(actor, "createWebhookEndpoint", **HOOK) == [("FORBIDDEN", None)]
        assert errors(actor, "{ webhookEndpoints { nodes { id } } }") == [("FORBIDDEN", None)]

    def test_an_auditor_sees_them_without_a_secret_and_manages_none(self, house):
        shows = "endpoint { id } secret"
        made = do(house.administrator, "createWebhookEndpoint", shows, **HOOK)
        which = {"endpointId": made["endpoint"]["id"]}
        assert refused(house.auditor, "createWebhookEndpoint", **HOOK) == [("FORBIDDEN", None)]
        assert refused(house.auditor, "addWebhookSecret", **which) == [("FORBIDDEN", None)]
        listing = """{ webhookEndpoints { nodes {
            id url types state version secrets { id createdAt } } } }"""
        told = ask(house.auditor, listing)
        assert told["webhookEndpoints"]["nodes"][0]["url"] == HOOK["url"]
        assert made["secret"].removeprefix("whsec_") not in str(told)

    @staticmethod
    def _create(house):
        shows = "endpoint { id secrets { id } } secret"
        return do(house.administrator, "createWebhookEndpoint", shows, **HOOK)["endpoint"]


def test_the_log_shows_every_attempt(happened):
    made = done(happened.administrator, "createWebhookEndpoint", "endpoint { id }", **HOOK)
    since = (timezone.now() - timedelta(days=1)).isoformat()
    do(happened.administrator, "replayEvents", since=since, endpointId=made["id"])
    attempt = {"at": "2026-06-15T08:00:00+08:00", "status": 503, "milliseconds": 12}
    Delivery.objects.update(log=[attempt | {"failure": "status"}])
    document = """query($endpoint: ID) { webhookDeliveries(endpointId: $endpoint, state: READY) {
        nodes { state endpoint { id } event { type }
                attempts { at status milliseconds failure } }
    } }"""
    found = ask(happened.administrator, document, endpoint=made["id"])["webhookDeliveries"]
    assert (
        found["nodes"]
        == [
            {
                "state": "READY",
                "endpoint": {"id": made["id"]},
                "event": {"type": "PARTNER_ADMITTED"},
                "attempts": [attempt | {"at": "2026-06-15T00:00:00+00:00", "failure": "STATUS"}],
            }
        ]
        * 2
    )
    [nested] = ask(
        happened.administrator, "{ webhookEndpoints { nodes { deliveries { totalCount } } } }"
    )["webhookEndpoints"]["nodes"]
    assert nested == {"deliveries": {"totalCount": 2}}
