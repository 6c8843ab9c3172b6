"""The demo's program: a client of 车站街道 whose secret everybody knows, so that whoever tries the API
can ask for a token at once. Development only, as the demo's people and their password are."""

from django.db import transaction

from linli.accounts.models import Person
from linli.accounts.policy import actor_for
from linli.clients.actions import create_client
from linli.clients.models import Client
from linli.clients.secrets import digest
from linli.registry.models import Tenant
from onboarding.demo.stage import PASSWORD

CLIENT_ID, SECRET = "linli_demo", PASSWORD
STREET = "chezhan"
SCOPES = [
    "tenants:read",
    "communities:read",
    "partners:read",
    "partners:write",
    "events:read",
    "webhooks:read",
    "webhooks:write",
]
# So that webhooks reach a receiver on this machine.
ENVIRONMENT = {"LINLI_WEBHOOK_NETWORKS": "127.0.0.0/8"}


def ensure() -> None:
    """Made by the street's administrator, as any other, then given its secret."""
    if Client.objects.filter(client_id=CLIENT_ID).exists():
        return
    street = Tenant.objects.get(slug=STREET)
    administrator = actor_for(Person.objects.get(username=STREET), street)
    with transaction.atomic():
        client, _secret = create_client(
            actor=administrator, name="示例程序", scopes=SCOPES, oauth_id=CLIENT_ID
        )
        client.secrets.update(digest=digest(SECRET))
