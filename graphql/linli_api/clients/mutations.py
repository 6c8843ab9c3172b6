"""Letting programs in and shutting them out, at a tenant's host and at the platform's."""

from typing import Any

import graphene

from linli.accounts.policy import Actor, Permission
from linli.clients import actions
from linli_api.clients.standing import at_tenant, at_tenant_of_client, at_tenant_of_secret, meant
from linli_api.clients.types import Client, ClientSecret, PersonalToken
from linli_api.fields import Revealed
from linli_api.guard import MEMBER
from linli_api.inputs import IdOf
from linli_api.mutation import Mutation
from linli_api.scalars import DateTime


class CreateClient(Mutation):
    """Makes a client of a tenant. Each of its scopes counts where whoever makes it holds it: at the
    tenant, in those below, or in both."""

    class Meta:
        permission = Permission.CLIENTS_CREATE

    class Input:
        tenant_id = IdOf("Tenant", description="Whose; at a tenant's own host it is that one's.")
        name = graphene.String(required=True, description="What it is called in the trail.")
        scopes = graphene.List(
            graphene.NonNull(graphene.String),
            required=True,
            description="What it may do: partners:read, fund:read.",
        )
        covers_below = graphene.Boolean(
            required=True,
            default_value=False,
            description="Of a district or a city: whether it is good at the tenants below too.",
        )
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    client = graphene.Field(Client, description="The new client.")
    secret = Revealed(of="secret", description="Its first secret. It is not shown again.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        there = at_tenant(actor, values.pop("tenant_id", None))
        client, secret = actions.create_client(actor=there, **values)
        return {"client": client, "secret": secret}


class AddClientSecret(Mutation):
    """Draws a second secret of a client, so that the first can be revoked when all have the new
    one. Whoever draws it holds every one of the client's scopes where that counts."""

    class Meta:
        permission = Permission.CLIENTS_CREATE

    class Input:
        client_id = IdOf("Client", required=True, description="Of which client.")
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    client_secret = graphene.Field(ClientSecret, description="The new secret's row.")
    secret = Revealed(of="secret", description="The secret. It is not shown again.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        there = at_tenant_of_client(actor, values["client_id"])
        row, secret = actions.add_client_secret(actor=there, **values)
        return {"client_secret": row, "secret": secret}


class RevokeClientSecret(Mutation):
    """Refuses a secret, and the tokens that were got for it, from the next request on."""

    class Meta:
        permission = Permission.CLIENTS_CREATE

    class Input:
        client_secret_id = IdOf("ClientSecret", required=True, description="Which secret.")
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    client_secret = graphene.Field(ClientSecret, description="The secret, revoked.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        secret_id = values.pop("client_secret_id")
        there = at_tenant_of_secret(actor, secret_id)
        revoked = actions.revoke_client_secret(actor=there, secret_id=secret_id, **values)
        return {"client_secret": revoked}


class RevokeClient(Mutation):
    """Refuses a client, with its secrets and tokens, from the next request on."""

    class Meta:
        permission = Permission.CLIENTS_CREATE

    class Input:
        client_id = IdOf("Client", required=True, description="Which client.")
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    client = graphene.Field(Client, description="The client, revoked.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        there = at_tenant_of_client(actor, values["client_id"])
        return {"client": actions.revoke_client(actor=there, **values)}


class CreatePersonalToken(Mutation):
    """Makes a token of your own. It lets through what its scopes and your roles both allow at the
    moment of each request."""

    class Meta:
        permission = MEMBER

    class Input:
        tenant_id = IdOf(
            "Tenant",
            description="Where it is good. Left out: at a tenant's host there, at the platform's "
            "wherever you may enter.",
        )
        name = graphene.String(required=True, description="What you call it.")
        scopes = graphene.List(
            graphene.NonNull(graphene.String),
            required=True,
            description="What it lets through: partners:read, fund:read.",
        )
        expires_at = DateTime(description="Until when it is good; left out for no end.")

    personal_token = graphene.Field(PersonalToken, description="The new token's row.")
    token = Revealed(of="token", description="The token. It is not shown again.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        tenant = meant(actor, values.pop("tenant_id", None))
        row, token = actions.create_personal_token(actor=actor, tenant=tenant, **values)
        return {"personal_token": row, "token": token}


class RevokePersonalToken(Mutation):
    """Refuses a token of your own from the next request on."""

    class Meta:
        permission = MEMBER

    class Input:
        personal_token_id = IdOf("PersonalToken", required=True, description="Which token.")

    personal_token = graphene.Field(PersonalToken, description="The token, revoked.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        token_id = values.pop("personal_token_id")
        revoked = actions.revoke_personal_token(actor=actor, token_id=token_id, **values)
        return {"personal_token": revoked}


MUTATIONS = [
    CreateClient,
    AddClientSecret,
    RevokeClientSecret,
    RevokeClient,
    CreatePersonalToken,
    RevokePersonalToken,
]
