"""Letting programs in and shutting them out. Each leaves one row in the trail, none with a secret.

Nobody hands out what they do not hold: a scope of a client counts where whoever makes it holds it
themselves, at their own tenant, in those below, or in both; whoever draws a secret of one holds each
of its scopes wherever that counts.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.clients import scopes as named
from linli.clients.models import LIVE_SECRETS, Client, ClientSecret, PersonalToken
from linli.clients.secrets import CLIENT_SECRET, PERSONAL_TOKEN, digest, new_client_id, new_secret
from linli.errors import Forbidden, NotFound, Refused
from linli.registry.models import Tenant
from linli.rules import check_fields, upheld
from linli.tenancy.context import public_context


def create_client(
    *,
    actor: Actor,
    name: str,
    scopes: Sequence[str],
    covers_below: bool = False,
    reason: str = "",
    oauth_id: str | None = None,
) -> tuple[Client, str]:
    """A client of the tenant the actor stands in, and its first secret, which is shown this once.

    Needs ``clients.create``. oauth_id: an id that is known, as the demo's is; without one it is drawn.

    Raises `Forbidden`, `Refused` SCOPES_MISSING, SCOPE_UNKNOWN, SCOPE_NOT_HELD, NOTHING_BELOW,
    CLIENT_EXISTS, or the faults of fields.
    """
    actor.require(Permission.CLIENTS_CREATE)
    if actor.tenant is None:
        raise Forbidden(permission=Permission.CLIENTS_CREATE.value)
    if covers_below and actor.tenant.kind == Tenant.Kind.STREET:
        message = _("Nothing lies below a street office. Leave it out.")
        raise Refused("NOTHING_BELOW", message, field="coversBelow")
    client = Client(
        client_id=oauth_id or new_client_id(),
        name=name.strip(),
        tenant=actor.tenant,
        covers_below=covers_below,
        scope=named.written(scopes),
        created_by_id=actor.answers_id,
    )
    here, below = set(client.scopes), set(client.scopes) if covers_below else set()
    here, below = _held(here, actor.held_here()), _held(below, actor.held_below())
    for index, scope in enumerate(scopes):
        if scope not in here | below:
            raise _not_held(scope, field=f"scopes.{index}")
    client.scope_here, client.scope_below = (named.in_order(one) for one in (here, below))
    check_fields(client)
    with public_context(), transaction.atomic():
        with upheld(client_name_taken=lambda: _name_taken(client)):
            client.save(force_insert=True)
        record(
            actor=actor,
            action="clients.created",
            obj=client,
            before=None,
            after=snapshot(
                client,
                *("name", "client_id", "tenant", "scope", "covers_below"),
                *("scope_here", "scope_below"),
            ),
            reason=reason,
        )
        _secret, text = _draw(actor, client, slot=1, reason=reason)
    return client, text


def add_client_secret(
    *, actor: Actor, client_id: UUID, reason: str = ""
) -> tuple[ClientSecret, str]:
    """A second secret, so that the first can be revoked when all who use it have the new one.

    Raises `Forbidden`, `NotFound`, `Refused` CLIENT_REVOKED, SECRETS_TWO_LIVE, SCOPE_NOT_HELD.
    """
    with public_context(), transaction.atomic():
        client = _managed(actor, client_id)
        if client.revoked_at is not None:
            message = _("This client was revoked. Create a new one.")
            raise Refused("CLIENT_REVOKED", message, field="clientId")
        here, below = set(client.scopes_here), set(client.scopes_below)
        lacking = here - _held(here, actor.held_here()) | below - _held(below, actor.held_below())
        if lacking:
            raise _not_held(min(lacking), field="clientId")
        taken = set(client.secrets.filter(revoked_at=None).values_list("slot", flat=True))
        free = [slot for slot in range(1, LIVE_SECRETS + 1) if slot not in taken]
        if not free:
            message = _("Two secrets of this client are live. Revoke one of them first.")
            raise Refused("SECRETS_TWO_LIVE", message, field="clientId")
        return _draw(actor, client, slot=free[0], reason=reason)


def revoke_client_secret(*, actor: Actor, secret_id: UUID, reason: str = "") -> ClientSecret:
    """It and every token that was got for it are refused from the next request on; once more
    changes nothing. Raises `Forbidden`, `NotFound`."""
    with public_context(), transaction.atomic():
        own = _looked_after(actor).values("pk")
        secret = (
            ClientSecret.objects.select_for_update().filter(pk=secret_id, client__in=own).first()
        )
        if secret is None:
            raise NotFound(_("client secret"), field="clientSecretId")
        _revoke(actor, secret, "clients.secret_revoked", reason)
    return secret


def revoke_client(*, actor: Actor, client_id: UUID, reason: str = "") -> Client:
    """The client with its secrets and tokens is refused from the next request on; once more
    changes nothing. Raises `Forbidden`, `NotFound`."""
    with public_context(), transaction.atomic():
        client = _managed(actor, client_id)
        _revoke(actor, client, "clients.revoked", reason)
    return client


def create_personal_token(
    *,
    actor: Actor,
    name: str,
    scopes: Iterable[str],
    tenant: Tenant | None,
    expires_at: datetime | None = None,
) -> tuple[PersonalToken, str]:
    """A token of the actor's own, good at a tenant's host, or wherever they may enter (None).

    It is shown this once. Whoever asks by a token makes none: it would outlive the first, or go
    farther. Raises `Forbidden`, `Refused` TOKEN_BY_TOKEN, SCOPES_MISSING, SCOPE_UNKNOWN,
    EXPIRY_PASSED, or the faults of fields.
    """
    if actor.client is not None:
        message = _("A token makes no tokens. Log in yourself to make one.")
        raise Refused("TOKEN_BY_TOKEN", message)
    if actor.person is None or not actor.grants:
        raise Forbidden
    if expires_at is not None and expires_at <= timezone.now():
        message = _("This moment has passed. Choose a later one, or leave it out.")
        raise Refused("EXPIRY_PASSED", message, field="expiresAt")
    text = new_secret(PERSONAL_TOKEN)
    token = PersonalToken(
        person=actor.person,
        tenant=tenant,
        name=name.strip(),
        scope=named.written(scopes),
        digest=digest(text),
        expires_at=expires_at,
    )
    check_fields(token)
    with public_context(), transaction.atomic():
        token.save(force_insert=True)
        record(
            actor=actor,
            action="clients.personal_token_created",
            obj=token,
            before=None,
            after=snapshot(token, "name", "tenant", "scope", "expires_at"),
        )
    return token, text


def revoke_personal_token(*, actor: Actor, token_id: UUID) -> PersonalToken:
    """One of the actor's own; once more changes nothing. Who asks by one ends that one only. Raises
    `Forbidden`, `NotFound`."""
    if actor.person is None or not actor.grants:
        raise Forbidden
    if actor.client_id not in (None, token_id):
        raise NotFound(_("personal token"), field="personalTokenId")
    with public_context(), transaction.atomic():
        token = (
            PersonalToken.objects.select_for_update()
            .filter(pk=token_id, person=actor.person)
            .first()
        )
        if token is None:
            raise NotFound(_("personal token"), field="personalTokenId")
        _revoke(actor, token, "clients.personal_token_revoked", "")
    return token


def _managed(actor: Actor, client_id: UUID) -> Client:
    """One of those, locked: its secrets change one by one."""
    client = _looked_after(actor).select_for_update(of=("self",)).filter(pk=client_id).first()
    if client is None:
        raise NotFound(_("client"), field="clientId")
    return client


def _looked_after(actor: Actor) -> QuerySet[Client]:
    """The clients of the tenant the actor stands in: with ``clients.manage`` all of them, without
    those that they made."""
    actor.require(Permission.CLIENTS_CREATE)
    of_tenant = Client.objects.filter(tenant=actor.tenant)
    if actor.allows(Permission.CLIENTS_MANAGE):
        return of_tenant
    return of_tenant.filter(created_by=actor.answers_id, created_by__isnull=False)


def _held(scopes: set[str], permissions: frozenset[Permission]) -> set[str]:
    """As many of the scopes as stand for nothing beyond these."""
    return {scope for scope in scopes if named.permissions_of([scope]) <= permissions}


def _not_held(scope: str, *, field: str) -> Refused:
    message = _(
        "The scope {scope} lets it do what you may not do yourself where it is good. Leave it out, "
        "or ask somebody who may."
    )
    return Refused("SCOPE_NOT_HELD", format_lazy(message, scope=scope), field=field)


def _draw(actor: Actor, client: Client, *, slot: int, reason: str) -> tuple[ClientSecret, str]:
    text = new_secret(CLIENT_SECRET)
    secret = ClientSecret(
        client=client, slot=slot, digest=digest(text), created_by_id=actor.answers_id
    )
    secret.save(force_insert=True)
    record(
        actor=actor,
        action="clients.secret_drawn",
        obj=secret,
        before=None,
        after=snapshot(secret, "client", "slot"),
        reason=reason,
    )
    return secret, text


def _revoke(
    actor: Actor, obj: Client | ClientSecret | PersonalToken, action: str, reason: str
) -> None:
    if obj.revoked_at is not None:
        return
    obj.revoked_at = timezone.now()
    obj.save(update_fields=["revoked_at"])
    record(
        actor=actor,
        action=action,
        obj=obj,
        before={"revoked_at": None},
        after=snapshot(obj, "revoked_at"),
        reason=reason,
    )


def _name_taken(client: Client) -> Refused:
    message = _("A client of this unit is called {name} already. Choose another name.")
    return Refused("CLIENT_EXISTS", format_lazy(message, name=client.name), field="name")
