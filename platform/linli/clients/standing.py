"""Who was let in once, as they would be let in now: for jobs that go on without them."""

from dataclasses import replace
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from linli.accounts.models import Person
from linli.accounts.policy import Actor, Client, actor_for, grants_of_client, narrowed
from linli.clients import models
from linli.clients.scopes import counting_as, permissions_of
from linli.registry.models import Tenant


def as_now(tenant: Tenant, *, person_id: UUID | None, client_id: UUID | None) -> Actor:
    """With what they may do at this moment: nothing if the person left, or if the client or the token
    they came with was revoked."""
    if person_id is None:
        client = _live_client(client_id)
        return Actor(None, tenant, grants_of_client(client, tenant) if client else (), client)
    actor = actor_for(Person.objects.get(pk=person_id), tenant)
    if client_id is None:
        return actor
    token = _live_token(client_id)
    return replace(
        actor, client=token, grants=narrowed(actor.grants, token.permissions) if token else ()
    )


def _live_client(key: UUID | None) -> Client | None:
    row = models.Client.objects.filter(pk=key, revoked_at=None).first()
    if row is None:
        return None
    scopes = frozenset(row.scopes)
    counting = counting_as(scopes, row.scope_here, row.scope_below)
    return Client(row.pk, row.name, row.tenant_id, row.covers_below, scopes, *counting)


def _live_token(key: UUID) -> Client | None:
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    row = models.PersonalToken.objects.filter(unexpired, pk=key, revoked_at=None).first()
    if row is None:
        return None
    scopes, permissions = frozenset(row.scopes), permissions_of(row.scopes)
    return Client(row.pk, row.name, scopes=scopes, permissions=permissions)
