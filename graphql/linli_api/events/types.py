"""Events and webhooks, as the API shows them."""

from datetime import datetime
from enum import Enum as PyEnum
from typing import Any

import graphene

from linli.accounts.policy import Permission
from linli.events import deliveries, models, secrets, selectors
from linli.events.body import body_of
from linli.events.sending import Failure
from linli.events.types import Id, Value, event_type, event_types
from linli_api import ids
from linli_api.connections import Connection
from linli_api.fields import Bounded, GlobalId, One
from linli_api.guard import INHERITED
from linli_api.inputs import VERSION
from linli_api.scalars import DateTime, Document, choices
from linli_api.types import Object

WebhookState = choices(
    models.WebhookEndpoint.State,
    "WebhookState",
    ENABLED="It is sent what happens.",
    PAUSED="Somebody stopped it; what happens waits, and is sent when it is resumed.",
    FAILING="It was stopped because every attempt failed for three days; what happens waits.",
)
DeliveryState = choices(
    models.Delivery.State,
    "DeliveryState",
    WAITING="An earlier event of the same object is still open, and goes first.",
    READY="Its turn has come: it is sent as soon as it is due, and again after a failure.",
    DELIVERED="The receiver answered with a status from 200 to 299.",
    GIVEN_UP="It is not tried again: refused for good, or all attempts failed. It can be replayed.",
)
WebhookFailure = choices(
    Failure,
    "WebhookFailure",
    STATUS="The receiver answered, with a status that is neither 2xx nor a redirect.",
    REDIRECT="The receiver sent it elsewhere with a 3xx, and no redirect is followed.",
    TIMEOUT="No answer came within 15 seconds.",
    CONNECTION="The receiver could not be reached, or broke off.",
    TLS="No certificate that can be trusted, or no common version of TLS.",
    NAME="The DNS knows no address of the host.",
    ADDRESS="The host leads to an address that is not of the internet, such as a private one.",
    SECRET="Nothing was sent, as the secret to sign with cannot be read; draw another.",
)

_Members = PyEnum(  # type: ignore[misc]
    "EventType", [(one.name.replace(".", "_").upper(), one.name) for one in event_types()]
)


def _describe(member: PyEnum | None) -> str:
    if member is None:
        return (
            'What kind of thing happened. Bodies have it as "partner.admitted", which no enum of '
            "GraphQL can hold: in capitals, with _ for the dot, it is the same name."
        )
    told = event_type(member.value)
    carried = ", ".join(_carried(*one) for one in told.wire_fields.items())
    return f"`{told.name}`: {told.description} About: `{told.about}`. data: {carried or 'empty'}."


def _carried(name: str, field: Id | Value) -> str:
    of = f" of `{field.of}`" if isinstance(field, Id) else ""
    one_of = field.one_of if isinstance(field, Value) else None
    few = f" ({', '.join(f'`{value}`' for value in one_of.values)})" if one_of else ""
    goes = f" (deprecated: {field.deprecation})" if field.deprecation else ""
    return f"`{name}: {field.form}`{of}{few}{goes}"


def _deprecated(member: PyEnum | None) -> str | None:
    return (event_type(member.value).deprecation or None) if member else None


EventType = graphene.Enum.from_enum(_Members, description=_describe, deprecation_reason=_deprecated)


class Event(Object):
    """Something that happened here, told in the order in which it became visible."""

    class Meta:
        permission = Permission.EVENTS_READ
        model = models.Event
        selector = selectors.events
        reads = frozenset(one.permission for one in event_types())
        orderings = {"POSITION": ("position",), "NEWEST": ("-position",)}

    type = graphene.Field(EventType, required=True, description="What kind of thing happened.")
    position = graphene.Int(
        required=True,
        description="Where it stands; every later event has a higher one. 0 in the answer that made "
        "it, for it is given a moment later.",
    )
    at = DateTime(required=True, description="When it happened.")
    object_type = graphene.String(required=True, description="The type of what it is about.")
    object_id = graphene.ID(required=True, description="The global id of what it is about.")
    person_id = graphene.ID(description="Who did it; null where the platform or a client did.")
    client_id = graphene.ID(description="The program it was done through, or null.")
    data = Document(
        required=True, description="The facts, by the type; amounts in fen, and as text in yuan."
    )
    body = Document(required=True, description="The same as a webhook carries it.")

    @staticmethod
    def resolve_object_id(event: models.Event, info: Any) -> str:
        return ids.encode(event.object_type, event.object_id)

    @staticmethod
    def resolve_person_id(event: models.Event, info: Any) -> str | None:
        return ids.encode("Person", event.person_id) if event.person_id else None

    @staticmethod
    def resolve_client_id(event: models.Event, info: Any) -> str | None:
        return ids.encode("Client", event.client_id) if event.client_id else None

    @staticmethod
    def resolve_body(event: models.Event, info: Any) -> dict[str, Any]:
        return body_of(event, info.context.actor.tenant.pk)


class WebhookSecret(Object):
    """A signing secret that is live; what it is was told once, when it was made."""

    class Meta:
        permission = Permission.WEBHOOKS_READ
        shape = selectors.LiveSecret
        found = selectors.live_secret

    created_at = DateTime(required=True, description="When it was made.")


class WebhookAttempt(Object):
    """One attempt to deliver."""

    class Meta:
        permission = INHERITED

    at = DateTime(required=True, description="When it ended.")
    status = graphene.Int(description="The HTTP status the receiver answered with, if it did.")
    milliseconds = graphene.Int(required=True, description="How long it took.")
    failure = graphene.Field(WebhookFailure, description="Why it failed; null for a success.")

    @staticmethod
    def resolve_at(attempt: dict[str, Any], info: Any) -> datetime:
        return datetime.fromisoformat(attempt["at"])


class WebhookEndpoint(Object):
    """An address that is told of events, signed, at least once each."""

    class Meta:
        permission = Permission.WEBHOOKS_READ
        model = models.WebhookEndpoint
        selector = selectors.endpoints

    url = graphene.String(required=True, description="Where events are sent.")
    description = graphene.String(required=True, description="What it is for; may be empty.")
    types = graphene.List(
        graphene.NonNull(EventType), required=True, description="What it is told of."
    )
    state = graphene.Field(WebhookState, required=True, description="Whether it is sent to.")
    state_reason = graphene.String(required=True, description="Why; may be empty.")
    state_since = DateTime(required=True, description="Since when it is in this state.")
    failing_since = DateTime(
        description="Since when every attempt failed; null after a success. Paused after 3 days."
    )
    replay_position = graphene.Int(
        description="How far a replay has come that is under way: nothing after this position is sent "
        "before it has got there. Null where none is."
    )
    replay_last_position = graphene.Int(
        description="The position with which the replay that is under way ends. Null where none is."
    )
    secrets = Bounded(WebhookSecret, most=secrets.LIVE, description="The live secrets.")
    created_at = DateTime(required=True, description="When it was made.")
    person_id = GlobalId(
        "Person", by="person_id", description="Who made it; null where a client did."
    )
    client_id = GlobalId(
        "Client", by="client_id", description="The program it was made through, or null."
    )
    version = graphene.Int(required=True, description=VERSION)
    deliveries = Connection(
        lambda: WebhookDelivery, by="endpoint_id", description="What was sent to it, for 30 days."
    )

    @staticmethod
    def resolve_secrets(endpoint: models.WebhookEndpoint, info: Any) -> list[selectors.LiveSecret]:
        return selectors.live_secrets(endpoint)


class WebhookDelivery(Object):
    """One event on its way to one endpoint, with its last attempts. Kept for 30 days."""

    class Meta:
        permission = Permission.WEBHOOKS_READ
        model = models.Delivery
        selector = selectors.deliveries
        orderings = {"NEWEST": ("-position",), "OLDEST": ("position",)}

    endpoint = One(WebhookEndpoint, by="endpoint_id", description="To whom.")
    event = One(Event, by="event_id", description="Of what.")
    state = graphene.Field(DeliveryState, required=True, description="How it stands.")
    next_at = DateTime(description="When it is tried next; null once it is delivered or given up.")
    attempts = Bounded(
        WebhookAttempt,
        most=deliveries.LOG_ENTRIES,
        description="What came of each of the last, oldest first.",
    )

    @staticmethod
    def resolve_next_at(delivery: models.Delivery, info: Any) -> Any:
        return delivery.next_at if delivery.state == models.Delivery.State.READY else None

    @staticmethod
    def resolve_attempts(delivery: models.Delivery, info: Any) -> list[dict[str, Any]]:
        return delivery.log
