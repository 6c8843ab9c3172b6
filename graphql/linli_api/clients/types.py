"""Programs that may enter, as the API shows them; a secret only in the answer that made it."""

import graphene

from linli.accounts.policy import Permission
from linli.clients import models, selectors
from linli_api.accounts.types import Person
from linli_api.connections import Connection
from linli_api.fields import Bounded, Computed, One
from linli_api.guard import MEMBER
from linli_api.registry.types import Tenant
from linli_api.scalars import DateTime
from linli_api.types import Object


class Client(Object):
    """A program of a tenant's that asks by itself (OAuth 2 client credentials)."""

    class Meta:
        permission = Permission.CLIENTS_READ
        model = models.Client
        selector = selectors.clients
        orderings = {"NEWEST": ("-id",), "OLDEST": ("id",), "NAME": ("name",)}

    name = graphene.String(required=True, description="What it is called in the trail.")
    oauth_id = graphene.String(
        required=True, description="Its client_id at /oauth/token; no secret."
    )
    tenant = One(Tenant, by="tenant_id", description="Whose it is.")
    covers_below = graphene.Boolean(
        required=True, description="Whether it is good at the tenants below that one too."
    )
    scopes = Bounded(
        graphene.String,
        most=200,
        description="What its tokens may have: partners:read.",
    )
    scopes_here = Bounded(
        graphene.String,
        most=200,
        description="Which of them count at its own tenant, for who made it held them there.",
    )
    scopes_below = Bounded(
        graphene.String,
        most=200,
        description="Which of them count at the tenants below.",
    )
    created_at = DateTime(required=True, description="When it was made.")
    created_by = One(Person, by="created_by_id", description="Who made it.")
    revoked_at = DateTime(description="Since when it is refused; null while it is good.")
    last_used_at = Computed(
        DateTime, load=selectors.last_use_by_client, description="To the minute; null for never."
    )
    secrets = Connection(
        lambda: ClientSecret, by="client_id", description="Its secrets, two of them live at most."
    )

    @staticmethod
    def resolve_oauth_id(client: models.Client, info: graphene.ResolveInfo) -> str:
        return client.client_id


class ClientSecret(Object):
    """What a client proves itself with. The secret itself is kept nowhere."""

    class Meta:
        permission = Permission.CLIENTS_READ
        model = models.ClientSecret
        selector = selectors.client_secrets

    created_at = DateTime(required=True, description="When it was drawn.")
    created_by = One(
        Person, by="created_by_id", description="Who drew it, and answers for what is done with it."
    )
    last_used_at = DateTime(description="To the minute; null for never.")
    revoked_at = DateTime(description="Since when it is refused; null while it is good.")


class PersonalToken(Object):
    """A token of your own, for a program of yours. The token itself is kept nowhere."""

    class Meta:
        permission = MEMBER
        model = models.PersonalToken
        selector = selectors.personal_tokens

    name = graphene.String(required=True, description="What you called it.")
    tenant = One(
        Tenant, by="tenant_id", description="Where it is good; null for wherever you may enter."
    )
    scopes = Bounded(
        graphene.String,
        most=200,
        description="What it lets through of what you may do: partners:read.",
    )
    created_at = DateTime(required=True, description="When you made it.")
    expires_at = DateTime(description="Until when it is good; null for no end.")
    last_used_at = DateTime(description="To the minute; null for never.")
    revoked_at = DateTime(description="Since when it is refused; null while it is good.")
