"""From a bearer token to an `Actor`: on the way of every request of a program, so one statement.

What the database answers is always fresh: what was revoked, or a role that ended, is missing at the
very next request, in every process. Only what follows from the values it answers is remembered, by
these values. Tables are named with their schema, for the connection may stand in a tenant's.

Who was let in is `known` from then on, with a stamp of all rows that decided it: a later statement
that reads `standing` beside what it is for tells whether that still holds (`linli_api.express`).
"""

import json
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

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
from linli.registry.hosts import (
    COLUMNS,
    COUNT,
    HOST_STAMP,
    OF_HOST,
    tenant_of_host,
    tenant_of_row,
)
from linli.registry.models import Tenant
from linli.tenancy.context import connection
from linli.tenancy.postgresql.prepared import Row
from linli.tenancy.postgresql.stamps import stamp, stamp_of_many

_REMEMBERED = 10_000

_CLIENT_COLUMNS = """
    client.id, client.name, client.tenant_id, client.covers_below, token.scope,
    client.scope_here, client.scope_below, secret.id, secret.created_by_id
"""
_OF_CLIENT = """
      FROM public.clients_accesstoken token
      JOIN public.clients_clientsecret secret ON secret.id = token.secret_id
      JOIN public.clients_client client ON client.id = secret.client_id
     WHERE token.token_checksum = $2 AND token.expires > statement_timestamp()
       AND secret.revoked_at IS NULL AND client.revoked_at IS NULL
"""
_TODAY = f"(statement_timestamp() AT TIME ZONE '{settings.TIME_ZONE}')::date"
_PERSON_COLUMNS = """
    token.id, token.name, token.tenant_id, token.scope,
    person.id, person.username, person.name, person.email, person.phone, held.roles
"""
_OF_PERSON = f"""
      FROM public.clients_personaltoken token
      JOIN public.accounts_person person ON person.id = token.person_id AND person.is_active
     CROSS JOIN LATERAL (
           SELECT json_agg(json_build_array(role, tenant_id, community_id) ORDER BY id)::text AS roles,
                  {stamp_of_many("member")} AS stamp
             FROM public.accounts_membership member
            WHERE person_id = person.id AND starts_on <= {_TODAY}
              AND (ended_on IS NULL OR ended_on > {_TODAY})
           ) held
     WHERE token.digest = $2 AND token.revoked_at IS NULL
       AND (token.expires_at IS NULL OR token.expires_at > statement_timestamp())
"""
_PERSON_STAMP = f"concat_ws(' ', {stamp('token', 'person')}, held.stamp)"


@dataclass(frozen=True)
class _Way:
    """How one kind of token is looked up by its digest $2 at the host $1, in one statement; host and
    token may each be missing. asked: the tenant, who asks, and the stamp of each. stands: the two
    stamps alone."""

    asked: str
    stands: str


def _at_host(columns: str, host: str, token: str) -> str:
    return f"""
        SELECT {columns} FROM (SELECT) AS one
        LEFT JOIN (SELECT {host}) AS host ON true LEFT JOIN (SELECT {token}) AS token ON true
    """


def _way(columns: str, stamped: str, of_token: str) -> _Way:
    host, token = f"{HOST_STAMP} AS stamp {OF_HOST}", f"{stamped} AS stamp {of_token}"
    return _Way(
        asked=_at_host("host.*, token.*", f"{COLUMNS}, {host}", f"{columns}, {token}"),
        stands=_at_host("concat_ws('/', host.stamp, token.stamp)", host, token),
    )


_WAYS = {
    ACCESS_TOKEN: _way(_CLIENT_COLUMNS, stamp("token", "secret", "client"), _OF_CLIENT),
    PERSONAL_TOKEN: _way(_PERSON_COLUMNS, _PERSON_STAMP, _OF_PERSON),
}


@dataclass(frozen=True)
class Admitted:
    """Who asks, and the row whose last use this is (`linli.clients.usage`)."""

    actor: Actor
    table: str
    key: UUID


@dataclass(frozen=True)
class Known:
    """Who was let in at a host before, as long as the rows that decided it have this stamp.

    of: host and digest."""

    tenant: Tenant | None
    admitted: Admitted
    stamp: str
    way: "_Way"
    of: tuple[str, str]

    @property
    def stands(self) -> str:
        """The statement that tells the stamp as it is now, with what it is ``of`` for parameters."""
        return self.way.stands

    @cached_property
    def caller(self) -> int:
        """Whose share it is of what there is at once: a person has one with all their tokens. A number,
        which is sooner looked up than the UUID it is of."""
        whose = self.admitted.actor.person_id or self.admitted.actor.client_id
        return whose.int if whose else 0


_known: dict[tuple[str, str], Known] = {}


def admit(token: str, tenant: Tenant | None) -> Admitted | None:
    """Who asks with a token at a tenant's host, or at the platform's (None).

    None for a token that never was, has expired or was revoked, and for one of another tenant:
    nothing tells these apart.
    """
    found = _found("", token)
    return _admitted(found[COUNT + 1 : -1], token, tenant) if found else None


def admit_at(host: str, token: str) -> tuple[Tenant | None, Admitted | None]:
    """The tenant of a host, and who asks there; from then on they are known."""
    host = host.lower()
    row = _found(host, token)
    if row is None:  # no token of ours
        return tenant_of_host(host), None
    tenant = tenant_of_row(row[:COUNT])
    return tenant, _learnt(host, token, tenant, row) if tenant else None


def admit_at_platform(token: str) -> Admitted | None:
    """The same at the platform's host, whose name is ``""`` for who is known."""
    row = _found("", token)
    return _learnt("", token, None, row) if row else None


def known(host: str, token: str) -> Known | None:
    """Who was let in there before; whether that still holds is for its stamp to say."""
    return _known.get((host, digest(token)))


def _learnt(host: str, token: str, tenant: Tenant | None, row: Row) -> Admitted | None:
    key, whom, stamp = (host, digest(token)), row[COUNT + 1 : -1], _stamp_in(row)
    admitted = _admitted(whom, token, tenant)
    if admitted is None or (tenant is not None and not tenant.is_served):
        _known.pop(key, None)
    elif key not in _known or _known[key].stamp != stamp:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        # With a tenant of its own: what a request does to its one is not to be seen by others.
        own = tenant_of_row(row[:COUNT])
        theirs = replace(admitted, actor=replace(admitted.actor, tenant=own))
        _known[key] = Known(own, theirs, stamp, _way_of(token), key)  # type: ignore[arg-type]
    return admitted


def _stamp_in(row: Row) -> str:
    return "/".join(stamp for stamp in (row[COUNT], row[-1]) if stamp is not None)


def _way_of(token: str) -> _Way | None:
    return next((way for prefix, way in _WAYS.items() if token.startswith(prefix)), None)


def _found(host: str, token: str) -> Row | None:
    way = _way_of(token)
    if way is None:
        return None
    return connection.fetch_prepared(way.asked, [host, digest(token)], qualified=True)


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
