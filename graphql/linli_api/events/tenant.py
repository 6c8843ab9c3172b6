"""What a tenant's schema shows of its events and webhooks."""

import graphene

from linli_api.connections import Connection, Filter
from linli_api.events import mutations
from linli_api.events.types import (
    DeliveryState,
    Event,
    EventType,
    WebhookDelivery,
    WebhookEndpoint,
)
from linli_api.fields import ById
from linli_api.inputs import IdOf


class Query:
    event = ById(Event, description="One event.")
    events = Connection(
        Event,
        filters={
            "types": Filter(
                "type__in",
                graphene.List(graphene.NonNull(EventType), description="Only of these types."),
            )
        },
        description="What happened here, in order. Keep the last cursor to go on from there.",
    )
    webhook_endpoint = ById(WebhookEndpoint, description="One webhook endpoint.")
    webhook_endpoints = Connection(
        WebhookEndpoint, description="The addresses that are told of events."
    )
    webhook_delivery = ById(WebhookDelivery, description="One delivery.")
    webhook_deliveries = Connection(
        WebhookDelivery,
        filters={
            "endpoint_id": Filter("endpoint_id", IdOf("WebhookEndpoint")),
            "state": Filter("state", DeliveryState(description="Those in this state.")),
        },
        description="The delivery log.",
    )


MUTATIONS = [
    mutations.CreateWebhookEndpoint,
    mutations.UpdateWebhookEndpoint,
    mutations.AddWebhookSecret,
    mutations.RevokeWebhookSecret,
    mutations.PauseWebhookEndpoint,
    mutations.ResumeWebhookEndpoint,
    mutations.DeleteWebhookEndpoint,
    mutations.SendTestEvent,
    mutations.ReplayEvents,
    mutations.ReplayDelivery,
]
