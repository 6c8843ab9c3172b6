"""From a bearer token to an `Actor`: on the way of every request of a program, so one statement.

What the database answers is always fresh: what was revoked, or a role that ended, is missing at the
very next request, in every process. Only what follows from the values it answers is remembered, by
these values. Tables are named with their schema, for the connection may stand in a tenant's.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from linli.accounts.models import Person
from linli.accounts.policy import (
    Actor,
    Client,
    Held,
    grants_of,
    grants_of_client,
    narrowed,
    reaches,
)
from linli.clients.scopes import permissions_of
from linli.clients.secrets import ACCESS_TOKEN, PERSONAL_TOKEN, digest
from linli.registry.models import Tenant

_REMEMBERED = 10_000

_CLIENT = """
    SELECT client.id, client.name, client.tenant_id, client.covers_below, token.scope,
           secret.id, secret.created_by_id
      FROM public.clients_accesstoken token
      JOIN public.clients_clientsecret secret ON secret.id = token.secret_id
      JOIN public.clients_client client ON client.id = secret.client_id
     WHERE token.token_checksum = %(digest)s AND token.expires > %(now)s
       AND secret.revoked_at IS NULL AND client.revoked_at IS NULL
"""
_PERSON = """
    SELECT token.id, token.name, token.tenant_id, token.scope,
           person.id, person.username, person.name, person.email, person.phone,
           held.roles, held.tenants, held.communities
      FROM public.clients_personaltoken token
      JOIN public.accounts_person person ON person.id = token.person_id AND person.is_active
     CROSS JOIN LATERAL (
           SELECT array_agg(role ORDER BY id) AS roles,
                  array_agg(tenant_id ORDER BY id) AS tenants,
                  array_agg(community_id ORDER BY id) AS communities
             FROM public.accounts_membership
            WHERE person_id = person.id AND starts_on <= %(today)s
              AND (ended_on IS NULL OR ended_on > %(today)s)
           ) held
     WHERE token.digest = %(digest)s AND token.revoked_at IS NULL
       AND (token.expires_at IS NULL OR token.expires_at > %(now)s)
"""


@dataclass(frozen=True)
class Admitted:
    """Who asks, and the row whose last use this is (`linli.clients.usage`)."""

    actor: Actor
    table: str
    key: UUID


def admit(token: str, tenant: Tenant | None) -> Admitted | None:
    """Who asks with a token at a tenant's host, or at the platform's (None).

    None for a token that never was, has expired or was revoked, and for one of another tenant:
    nothing tells these apart.
    """
    if token.startswith(ACCESS_TOKEN):
        return _client(token, tenant)
    if token.startswith(PERSONAL_TOKEN):
        return _person(token, tenant)
    return None


def _client(token: str, tenant: Tenant | None) -> Admitted | None:
    row = _one(_CLIENT, token)
    if row is None:
        return None
    client, secret_id = _client_of(*row)
    if not reaches(row[2], client.below, tenant):
        return None
    actor = Actor(None, tenant, grants_of_client(client, tenant), client)
    return Admitted(actor, "clients_clientsecret", secret_id)


def _person(token: str, tenant: Tenant | None) -> Admitted | None:
    row = _one(_PERSON, token)
    if row is None:
        return None
    *known, roles, tenants, communities = row
    bearer = _bearer_of(*known)
    if bearer.tenant_id is not None and (tenant is None or bearer.tenant_id != tenant.pk):
        return None
    held = map(Held, roles or (), tenants or (), communities or ())
    grants = grants_of(held, tenant)
    if tenant is not None and not grants:
        return None  # they may not enter
    through = narrowed(grants, bearer.client.permissions)
    actor = Actor(bearer.person, tenant, through, bearer.client)
    return Admitted(actor, "clients_personaltoken", bearer.client.id)


def _one(statement: str, token: str) -> tuple[Any, ...] | None:
    now: datetime = timezone.now()
    today: date = timezone.localdate(now)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"digest": digest(token), "now": now, "today": today})
        return cursor.fetchone()


@lru_cache(_REMEMBERED)
def _client_of(
    key: UUID,
    name: str,
    tenant_id: UUID,
    below: bool,
    scope: str,
    secret_id: UUID,
    answers_id: UUID | None,
) -> tuple[Client, UUID]:
    scopes = frozenset(scope.split())
    permissions = permissions_of(scopes)
    return Client(key, name, tenant_id, below, scopes, permissions, answers_id), secret_id


class _Bearer(NamedTuple):
    client: Client
    person: Person
    tenant_id: UUID | None


@lru_cache(_REMEMBERED)
def _bearer_of(key: UUID, name: str, tenant_id: UUID | None, scope: str, *person: Any) -> _Bearer:
    """Its columns that are not read here, the password's among them, stay deferred."""
    names = ["id", "username", "name", "email", "phone"]
    whose = Person.from_db("default", names, person)
    whose.is_active = True
    scopes = frozenset(scope.split())
    return _Bearer(Client(key, name, None, False, scopes, permissions_of(scopes)), whose, tenant_id)
