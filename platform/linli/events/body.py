"""What is told of an event: the same in a webhook and in the API."""

from typing import Any
from uuid import UUID

from linli.events.models import Event
from linli.ids import encode

# Of each member the type as GraphQL has it; clients count on it as on the schema.
BODY = {
    "id": "ID!",
    "type": "String!",
    "position": "Int!",
    "at": "DateTime!",
    "tenantId": "ID!",
    "object": "Object!",
    "personId": "ID",
    "clientId": "ID",
    "data": "Data!",
}


def body_of(event: Event, tenant_id: UUID) -> dict[str, Any]:
    return {
        "id": encode("Event", event.pk),
        "type": event.type,
        "position": event.position,
        "at": event.at.isoformat(),
        "tenantId": encode("Tenant", tenant_id),
        "object": {"type": event.object_type, "id": encode(event.object_type, event.object_id)},
        "personId": encode("Person", event.person_id) if event.person_id else None,
        "clientId": encode("Client", event.client_id) if event.client_id else None,
        "data": event.data,
    }
