"""From a bearer token to an `Actor`: on the way of every request of a program, so one statement.

What the database answers is always fresh: what was revoked, or a role that ended, is missing at the
very next request, in every process. Only what follows from the values it answers is remembered, by
these values. Tables are named with their schema, for the connection may stand in a tenant's.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

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
from linli.clients.scopes import counting_as, permissions_of
from linli.clients.secrets import ACCESS_TOKEN, PERSONAL_TOKEN, digest
from linli.registry.hosts import BY_HOST, COUNT, tenant_of_host, tenant_of_row
from linli.registry.models import Tenant
from linli.tenancy.context import connection
from linli.tenancy.postgresql.prepared import Row

_REMEMBERED = 10_000

_CLIENT = """
    SELECT client.id, client.name, client.tenant_id, client.covers_below, token.scope,
           client.scope_here, client.scope_below, secret.id, secret.created_by_id
      FROM public.clients_accesstoken token
      JOIN public.clients_clientsecret secret ON secret.id = token.secret_id
      JOIN public.clients_client client ON client.id = secret.client_id
     WHERE token.token_checksum = $2 AND token.expires > $3::timestamptz
       AND secret.revoked_at IS NULL AND client.revoked_at IS NULL
"""
_PERSON = """
    SELECT token.id, token.name, token.tenant_id, token.scope,
           person.id, person.username, person.name, person.email, person.phone,
           held.roles
      FROM public.clients_personaltoken token
      JOIN public.accounts_person person ON person.id = token.person_id AND person.is_active
     CROSS JOIN LATERAL (
           SELECT json_agg(json_build_array(role, tenant_id, community_id) ORDER BY id)::text AS roles
             FROM public.accounts_membership
            WHERE person_id = person.id AND starts_on <= $4::date
              AND (ended_on IS NULL OR ended_on > $4::date)
           ) held
     WHERE token.digest = $2 AND token.revoked_at IS NULL
       AND (token.expires_at IS NULL OR token.expires_at > $3::timestamptz)
"""


def _at_host(token: str) -> str:
    """With the tenant of the host $1 in front: one statement until a program's request is let in."""
    return f"""
        SELECT host.*, token.* FROM (SELECT) AS one
        LEFT JOIN ({BY_HOST}) AS host ON true LEFT JOIN ({token}) AS token ON true
    """


_CLIENT_AT_HOST, _PERSON_AT_HOST = _at_host(_CLIENT), _at_host(_PERSON)


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
    found = _found("", token)
    return _admitted(found[COUNT:], token, tenant) if found else None


def admit_at(host: str, token: str) -> tuple[Tenant | None, Admitted | None]:
    """The tenant of a host, and who asks there."""
    found = _found(host.lower(), token)
    if found is None:  # no token of ours
        return tenant_of_host(host), None
    tenant = tenant_of_row(found[:COUNT])
    return tenant, _admitted(found[COUNT:], token, tenant) if tenant else None


def _found(host: str, token: str) -> Row | None:
    now = timezone.now()
    asked = [host, digest(token), now]
    if token.startswith(ACCESS_TOKEN):
        return connection.fetch_prepared(_CLIENT_AT_HOST, asked, qualified=True)
    if token.startswith(PERSONAL_TOKEN):
        asked.append(timezone.localdate(now))
        return connection.fetch_prepared(_PERSON_AT_HOST, asked, qualified=True)
    return None


def _admitted(row: Row, token: str, tenant: Tenant | None) -> Admitted | None:
    if row[0] is None:
        return None
    return _client(row, tenant) if token.startswith(ACCESS_TOKEN) else _person(row, tenant)


def _client(row: Row, tenant: Tenant | None) -> Admitted | None:
    client, secret_id = _client_of(row)
    if not reaches(client.tenant_id, client.below, tenant):
        return None
    actor = Actor(None, tenant, grants_of_client(client, tenant), client)
    return Admitted(actor, "clients_clientsecret", secret_id)


def _person(row: Row, tenant: Tenant | None) -> Admitted | None:
    bearer = _bearer_of(row[:-1])
    if bearer.tenant_id is not None and (tenant is None or bearer.tenant_id != tenant.pk):
        return None
    grants = grants_of(_held(row[-1]), tenant)
    if tenant is not None and not grants:
        return None  # they may not enter
    through = narrowed(grants, bearer.client.permissions)
    actor = Actor(bearer.person, tenant, through, bearer.client)
    return Admitted(actor, "clients_personaltoken", bearer.client.id)


@lru_cache(_REMEMBERED)
def _client_of(row: Any) -> tuple[Client, UUID]:
    key, name, tenant_id, below, scope, *counting, secret_id, answers_id = row
    scopes = frozenset(scope.split())
    client = Client(
        UUID(key),
        name,
        UUID(tenant_id),
        below == "t",
        scopes,
        *counting_as(scopes, *counting),
        UUID(answers_id) if answers_id else None,
    )
    return client, UUID(secret_id)


class _Bearer(NamedTuple):
    client: Client
    person: Person
    tenant_id: UUID | None


@lru_cache(_REMEMBERED)
def _bearer_of(row: Any) -> _Bearer:
    """The person's columns that are not read here, the password's among them, stay deferred."""
    key, name, tenant_id, scope, person_id, *known = row
    names = ["id", "username", "name", "email", "phone"]
    whose = Person.from_db("default", names, [UUID(person_id), *known])
    whose.is_active = True
    scopes = frozenset(scope.split())
    client = Client(UUID(key), name, None, False, scopes, permissions_of(scopes))
    return _Bearer(client, whose, UUID(tenant_id) if tenant_id else None)


@lru_cache(_REMEMBERED)
def _held(roles: str | None) -> tuple[Held, ...]:
    def key(text: str | None) -> UUID | None:
        return UUID(text) if text else None

    found = json.loads(roles or "[]")
    return tuple(Held(role, key(tenant), key(community)) for role, tenant, community in found)
