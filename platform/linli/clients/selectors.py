"""What people may read of the programs that may enter, and of what these did."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import CharField, Max, Q, QuerySet
from django.db.models.functions import Cast

from linli.accounts import selectors as accounts
from linli.accounts.policy import Actor, Permission, Reach, covered
from linli.audit.models import Entry
from linli.clients.models import Client, ClientSecret, PersonalToken


def clients(*, actor: Actor) -> QuerySet[Client]:
    """At a tenant's host its own; at the platform's those of all tenants whose clients the actor
    may see. Revoked ones stay."""
    return _seen(actor, Permission.CLIENTS_READ)


def client_secrets(*, actor: Actor) -> QuerySet[ClientSecret]:
    return ClientSecret.objects.filter(client__in=clients(actor=actor))


def personal_tokens(*, actor: Actor) -> QuerySet[PersonalToken]:
    """The actor's own; at a tenant's host those that are good there. Who asks by one sees that one."""
    if actor.person is None:
        return PersonalToken.objects.none()
    own = PersonalToken.objects.filter(person=actor.person)
    if actor.client_id is not None:
        own = own.filter(pk=actor.client_id)
    return own if actor.tenant is None else own.filter(Q(tenant=actor.tenant) | Q(tenant=None))


def last_use_by_client(rows: Sequence[Client], actor: Actor) -> dict[UUID, datetime]:
    """Of whichever of its secrets; to the minute."""
    used = Client.objects.filter(pk__in=[row.pk for row in rows])
    last = used.annotate(last=Max("secrets__last_used_at")).values_list("pk", "last")
    return {key: moment for key, moment in last if moment is not None}


def client_name_by_entry(rows: Sequence[Entry], actor: Actor) -> dict[UUID, str]:
    """Through which program it was done, by what that is called."""
    keys = {row.client_id for row in rows if row.client_id}
    names: dict[UUID, str] = {}
    for model in (Client, PersonalToken) if keys else ():
        names.update(model.objects.filter(pk__in=keys).values_list("pk", "name"))
    return {row.pk: names[row.client_id] for row in rows if row.client_id in names}


def trail(*, actor: Actor) -> QuerySet[Entry]:
    """The accounts' trail, with what the platform's says of the clients of tenants the actor
    audits."""
    every = accounts.trail(actor=actor)
    if actor.tenant is not None or actor.reach(Permission.AUDIT_READ) == Reach.EVERYWHERE:
        return every
    audited = _seen(actor, Permission.AUDIT_READ)
    secrets = ClientSecret.objects.filter(client__in=audited)
    return every | Entry.objects.filter(
        Q(object_type=Client._meta.label, object_id__in=_as_text(audited))
        | Q(object_type=ClientSecret._meta.label, object_id__in=_as_text(secrets))
    )


def _seen(actor: Actor, permission: Permission) -> QuerySet[Client]:
    if actor.tenant is None:
        return Client.objects.filter(tenant__in=covered(actor, permission))
    own = Client.objects.filter(tenant=actor.tenant)
    return own if actor.allows(permission) else own.none()


def _as_text(rows: QuerySet) -> QuerySet:
    return rows.annotate(text=Cast("pk", CharField())).values("text")
