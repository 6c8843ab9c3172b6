"""What is done with webhook endpoints."""

from typing import Any

import graphene

from linli.accounts.policy import Actor, Permission
from linli.events import actions, models, selectors
from linli_api import ids
from linli_api.events.types import (
    Event,
    EventType,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from linli_api.fields import Revealed
from linli_api.inputs import EXPECTED_VERSION, Changed, IdOf
from linli_api.mutation import Mutation
from linli_api.scalars import DateTime

WHICH = "Which endpoint."
SECRET = "The secret to verify signatures with. It is shown this once."


def newest(endpoint: models.WebhookEndpoint) -> selectors.LiveSecret:
    return selectors.live_secrets(endpoint)[-1]


def the_endpoint(actor: Actor, values: dict[str, Any]) -> models.WebhookEndpoint:
    """After the action; whoever may not see it is shown none."""
    found = selectors.endpoints(actor=actor, permission=Permission.WEBHOOKS_CREATE)
    return found.get(pk=values["endpoint_id"])


class CreateWebhookEndpoint(Mutation):
    """Has an address told of events from now on. Only of what the caller may read."""

    class Meta:
        permission = Permission.WEBHOOKS_CREATE

    class Input:
        url = graphene.String(required=True, description="An https:// address.")
        types = graphene.List(
            graphene.NonNull(EventType), required=True, description="What to be told of."
        )
        description = graphene.String(
            required=True, default_value="", description="What it is for."
        )

    endpoint = graphene.Field(WebhookEndpoint, description="The new endpoint.")
    webhook_secret = graphene.Field(
        WebhookSecret, description="The new secret: to revoke it by its id one day."
    )
    secret = Revealed(of="secret", description=SECRET)

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        endpoint, secret = actions.create_endpoint(actor=actor, **values)
        return {"endpoint": endpoint, "webhook_secret": newest(endpoint), "secret": secret}


class UpdateWebhookEndpoint(Mutation):
    """Changes where an endpoint is or what it is told of. What is left out stays; null clears the
    description, and is refused elsewhere."""

    class Meta:
        permission = Permission.WEBHOOKS_CREATE

    class Input:
        endpoint_id = IdOf("WebhookEndpoint", required=True, description=WHICH)
        expected_version = graphene.Int(description=EXPECTED_VERSION)
        url = Changed(graphene.String, description="An https:// address.")
        types = Changed(
            graphene.List(graphene.NonNull(EventType)), description="What to be told of."
        )
        description = Changed(graphene.String, clears=True, description="What it is for.")

    endpoint = graphene.Field(WebhookEndpoint, description="The endpoint.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        if "description" in values:
            values["description"] = values["description"] or ""
        return {"endpoint": actions.update_endpoint(actor=actor, **values)}


class AddWebhookSecret(Mutation):
    """Makes a second secret: events carry a signature of each until the old one is revoked."""

    class Meta:
        permission = Permission.WEBHOOKS_CREATE

    class Input:
        endpoint_id = IdOf("WebhookEndpoint", required=True, description=WHICH)
        expected_version = graphene.Int(description=EXPECTED_VERSION)

    endpoint = graphene.Field(WebhookEndpoint, description="The endpoint.")
    webhook_secret = graphene.Field(
        WebhookSecret, description="The new secret: to revoke it by its id one day."
    )
    secret = Revealed(of="secret", description=SECRET)

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        endpoint, secret = actions.add_secret(actor=actor, **values)
        return {"endpoint": endpoint, "webhook_secret": newest(endpoint), "secret": secret}


class RevokeWebhookSecret(Mutation):
    """Stops signing with a secret, at once."""

    class Meta:
        permission = Permission.WEBHOOKS_CREATE

    class Input:
        endpoint_id = IdOf("WebhookEndpoint", required=True, description=WHICH)
        expected_version = graphene.Int(description=EXPECTED_VERSION)
        webhook_secret_id = IdOf("WebhookSecret", required=True, description="Which secret.")

    endpoint = graphene.Field(WebhookEndpoint, description="The endpoint.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        secret_id = str(values.pop("webhook_secret_id"))
        return {"endpoint": actions.revoke_secret(actor=actor, secret_id=secret_id, **values)}


class PauseWebhookEndpoint(Mutation):
    """Sends nothing until it is resumed; what happens meanwhile waits, for 30 days at most."""

    class Meta:
        permission = Permission.WEBHOOKS_CREATE

    class Input:
        endpoint_id = IdOf("WebhookEndpoint", required=True, description=WHICH)
        expected_version = graphene.Int(description=EXPECTED_VERSION)
        reason = graphene.String(required=True, default_value="", description="Why.")

    endpoint = graphene.Field(WebhookEndpoint, description="The endpoint.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"endpoint": actions.pause_endpoint(actor=actor, **values)}


class ResumeWebhookEndpoint(Mutation):
    """Sends again, beginning with what has waited."""

    class Meta:
        permission = Permission.WEBHOOKS_CREATE

    class Input:
        endpoint_id = IdOf("WebhookEndpoint", required=True, description=WHICH)
        expected_version = graphene.Int(description=EXPECTED_VERSION)

    endpoint = graphene.Field(WebhookEndpoint, description="The endpoint.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"endpoint": actions.resume_endpoint(actor=actor, **values)}


class DeleteWebhookEndpoint(Mutation):
    """Deletes an endpoint with its log; what was still to be sent is not."""

    class Meta:
        permission = Permission.WEBHOOKS_CREATE

    class Input:
        endpoint_id = IdOf("WebhookEndpoint", required=True, description=WHICH)
        expected_version = graphene.Int(description=EXPECTED_VERSION)

    endpoint_id = graphene.ID(description="The id it had.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        key = actions.delete_endpoint(actor=actor, **values)
        return {"endpoint_id": ids.encode("WebhookEndpoint", key)}


class SendTestEvent(Mutation):
    """Sends an event webhook.test to one endpoint, the way every other goes; to a paused one too, once."""

    class Meta:
        permission = Permission.WEBHOOKS_CREATE

    class Input:
        endpoint_id = IdOf("WebhookEndpoint", required=True, description=WHICH)

    endpoint = graphene.Field(WebhookEndpoint, description="The endpoint.")
    event = graphene.Field(Event, description="The event, before it is given its position.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        event = actions.send_test(actor=actor, **values)
        return {"endpoint": the_endpoint(actor, values), "event": event}


class ReplayEvents(Mutation):
    """Delivers again what happened since a time, at most 30 days ago, delivered or not.

    It goes on after the answer: the endpoint's replayPosition tells how far it has come."""

    class Meta:
        permission = Permission.WEBHOOKS_CREATE

    class Input:
        endpoint_id = IdOf("WebhookEndpoint", required=True, description=WHICH)
        since = DateTime(required=True, description="From this instant on.")
        until = DateTime(description="Up to this instant, not included; up to now if left out.")

    endpoint = graphene.Field(WebhookEndpoint, description="The endpoint.")
    replayed = graphene.Int(description="How many events will be delivered again.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        replayed = actions.replay_events(actor=actor, **values)
        return {"endpoint": the_endpoint(actor, values), "replayed": replayed}


class ReplayDelivery(Mutation):
    """Delivers one event again, delivered or not."""

    class Meta:
        permission = Permission.WEBHOOKS_CREATE

    class Input:
        delivery_id = IdOf("WebhookDelivery", required=True, description="Which delivery.")

    delivery = graphene.Field(WebhookDelivery, description="The delivery, to be sent again.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"delivery": actions.replay_delivery(actor=actor, **values)}
