"""What people and programs do with webhook endpoints."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.events import deliveries, replays, secrets
from linli.events.addresses import check_url
from linli.events.emit import emit
from linli.events.models import Delivery, Event, WebhookEndpoint
from linli.events.sequencing import one_at_a_time
from linli.events.types import TEST, event_type
from linli.registry.models import Tenant
from linli.rules import check_fields, check_version, save_changes

MOST = 20
TOLD = ("url", "description", "types", "state", "state_reason", "deleted_at")

State = WebhookEndpoint.State


def create_endpoint(
    *, actor: Actor, url: str, types: Sequence[str], description: str = ""
) -> tuple[WebhookEndpoint, str]:
    """An endpoint and its first secret, which is told this once.

    Only events the actor may read can be asked for. Raises `Forbidden`, `Refused` URL_INVALID,
    TYPES_INVALID, TOO_MANY_ENDPOINTS, faults of fields.
    """
    actor.require(Permission.WEBHOOKS_CREATE)
    told, kept = secrets.new_secret()
    endpoint = WebhookEndpoint(secrets=[kept], person_id=actor.person_id, client_id=actor.client_id)
    _set(actor, endpoint, url, types, description)
    with one_at_a_time():
        if WebhookEndpoint.objects.filter(deleted_at=None).count() >= MOST:
            message = _("A unit has at most {most} endpoints. Delete one that is not used.")
            raise Refused("TOO_MANY_ENDPOINTS", format_lazy(message, most=MOST))
        endpoint.save(force_insert=True)
        _record(actor, "webhooks.created", endpoint, None)
    return endpoint, told


def update_endpoint(
    *,
    actor: Actor,
    endpoint_id: UUID,
    url: str | None = None,
    types: Sequence[str] | None = None,
    description: str | None = None,
    expected_version: int | None = None,
) -> WebhookEndpoint:
    """Change what is given. Raises as `create_endpoint` does, and `NotFound`, VERSION_CONFLICT."""
    with one_at_a_time():
        endpoint = _endpoint(actor, endpoint_id, expected_version)
        before = snapshot(endpoint, *TOLD)
        _set(
            actor,
            endpoint,
            endpoint.url if url is None else url,
            endpoint.types if types is None else types,
            endpoint.description if description is None else description,
        )
        if snapshot(endpoint, *TOLD) != before:
            save_changes(endpoint, ["url", "types", "description"])
            _record(actor, "webhooks.updated", endpoint, before)
    return endpoint


def add_secret(
    *, actor: Actor, endpoint_id: UUID, expected_version: int | None = None
) -> tuple[WebhookEndpoint, str]:
    """A second secret, told this once: both sign until one is revoked.

    Raises `Forbidden`, `NotFound`, `Refused` SECRETS_FULL.
    """
    with one_at_a_time():
        endpoint = _endpoint(actor, endpoint_id, expected_version)
        if len(endpoint.secrets) >= secrets.LIVE:
            message = _("Two secrets are live already. Revoke one first.")
            raise Refused("SECRETS_FULL", message, field="endpointId")
        told, kept = secrets.new_secret()
        before = _secret_ids(endpoint)
        endpoint.secrets = [*endpoint.secrets, kept]
        save_changes(endpoint, ["secrets"])
        _record_secrets(actor, "webhooks.secret_added", endpoint, before)
    return endpoint, told


def revoke_secret(
    *, actor: Actor, endpoint_id: UUID, secret_id: str, expected_version: int | None = None
) -> WebhookEndpoint:
    """From now on it signs nothing. Raises `Forbidden`, `NotFound`, `Refused` LAST_SECRET."""
    with one_at_a_time():
        endpoint = _endpoint(actor, endpoint_id, expected_version)
        before = _secret_ids(endpoint)
        if secret_id not in before:
            raise NotFound(_("webhook secret"), field="webhookSecretId")
        if len(before) == 1:
            message = _("An endpoint needs a secret. Add the new one first.")
            raise Refused("LAST_SECRET", message, field="webhookSecretId")
        endpoint.secrets = [one for one in endpoint.secrets if one["id"] != secret_id]
        save_changes(endpoint, ["secrets"])
        _record_secrets(actor, "webhooks.secret_revoked", endpoint, before)
    return endpoint


def pause_endpoint(
    *, actor: Actor, endpoint_id: UUID, reason: str = "", expected_version: int | None = None
) -> WebhookEndpoint:
    """Send nothing until it is resumed; what happens meanwhile waits, for 30 days at most.

    Raises `Forbidden`, `NotFound`, `Refused` ENDPOINT_PAUSED.
    """
    with one_at_a_time():
        endpoint = _endpoint(actor, endpoint_id, expected_version)
        if endpoint.state != State.ENABLED:
            raise _paused()
        _move(actor, endpoint, State.PAUSED, reason, "webhooks.paused")
    return endpoint


def resume_endpoint(
    *, actor: Actor, endpoint_id: UUID, expected_version: int | None = None
) -> WebhookEndpoint:
    """Send again, beginning with what has waited. Raises `Forbidden`, `NotFound`, `Refused`
    ENDPOINT_NOT_PAUSED."""
    with one_at_a_time():
        endpoint = _endpoint(actor, endpoint_id, expected_version)
        if endpoint.state == State.ENABLED:
            message = _("This endpoint is not paused.")
            raise Refused("ENDPOINT_NOT_PAUSED", message, field="endpointId")
        endpoint.failures, endpoint.failing_since, endpoint.hold_until = 0, None, None
        deliveries.begin_anew(endpoint)
        _move(actor, endpoint, State.ENABLED, "", "webhooks.resumed")
    return endpoint


def delete_endpoint(
    *, actor: Actor, endpoint_id: UUID, expected_version: int | None = None
) -> UUID:
    """With its log; what was still to be sent is not. Raises `Forbidden`, `NotFound`."""
    with one_at_a_time():
        endpoint = _endpoint(actor, endpoint_id, expected_version)
        before = snapshot(endpoint, *TOLD)
        endpoint.deleted_at, endpoint.secrets = timezone.now(), []
        Delivery.objects.filter(endpoint=endpoint).delete()
        replays.forget(endpoint)
        _move(actor, endpoint, State.PAUSED, "", "webhooks.deleted", before)
    return endpoint_id


def send_test(*, actor: Actor, endpoint_id: UUID) -> Event:
    """An event for this endpoint alone; a paused one is sent it too, once. Raises `Forbidden`,
    `NotFound`."""
    with transaction.atomic():  # giving it its position is the deliverer's
        endpoint = _endpoint(actor, endpoint_id)
        event = emit(actor=actor, type=TEST, obj=endpoint, data={})
        record(
            actor=actor,
            action="webhooks.tested",
            obj=endpoint,
            before=None,
            after={"event": str(event.pk)},
        )
    return event


def replay_events(
    *, actor: Actor, endpoint_id: UUID, since: datetime, until: datetime | None = None
) -> int:
    """Deliver again what happened in [since, until), whether it was delivered or not; how many.

    Events from before the endpoint was made too. It is begun here and done by the deliverer. Raises
    `Forbidden`, `NotFound`, `Refused` TOO_LONG_AGO, PERIOD_INVALID, REPLAY_UNDER_WAY.
    """
    with one_at_a_time():
        endpoint = _endpoint(actor, endpoint_id)
        _check_period(since, until)
        if endpoint.replay_since is not None:
            message = _(
                "A replay to this endpoint is under way. Wait until replayPosition is null again."
            )
            raise Refused("REPLAY_UNDER_WAY", message, field="endpointId")
        replayed = replays.begin(endpoint, since, until)
        _record_replay(actor, endpoint, {"since": since.isoformat(), "deliveries": replayed})
    return replayed


def replay_delivery(*, actor: Actor, delivery_id: UUID) -> Delivery:
    """Deliver one event again. Raises `Forbidden`, `NotFound`."""
    actor.require(Permission.WEBHOOKS_CREATE)
    with one_at_a_time():
        delivery = Delivery.objects.filter(pk=delivery_id).first()
        if delivery is None:
            raise NotFound(_("webhook delivery"), field="deliveryId")
        endpoint = _endpoint(actor, delivery.endpoint_id)
        replays.again(endpoint, Event.objects.filter(pk=delivery.event_id))
        _record_replay(actor, endpoint, {"delivery": str(delivery.pk)})
        delivery.refresh_from_db()
    return delivery


def _endpoint(
    actor: Actor, endpoint_id: UUID, expected_version: int | None = None
) -> WebhookEndpoint:
    """Of one's own making, or for who manages all; and for who may read all that it is told: its
    secret vouches for that, its replay repeats it."""
    actor.require(Permission.WEBHOOKS_CREATE)
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id, deleted_at=None).first()
    if endpoint is None:
        raise NotFound(_("webhook endpoint"), field="endpointId")
    if not _is_own(actor, endpoint):
        actor.require(Permission.WEBHOOKS_MANAGE)
    _require_types(actor, endpoint.types)
    check_version(endpoint, expected_version)
    return endpoint


def _is_own(actor: Actor, endpoint: WebhookEndpoint) -> bool:
    """A person's are theirs by whichever token; a client's are its own, whoever drew its secret."""
    if actor.person_id is not None:
        return endpoint.person_id == actor.person_id
    return endpoint.person_id is None and endpoint.client_id == actor.client_id


def _require_types(actor: Actor, types: Sequence[str]) -> None:
    for name in types:
        actor.require(event_type(name).permission)


def _set(
    actor: Actor, endpoint: WebhookEndpoint, url: str, types: Sequence[str], description: str
) -> None:
    """Nobody has a program told what they may not read themselves."""
    check_url(url, settings.LINLI_WEBHOOK_NETWORKS)
    if not types:
        message = _("Choose at least one type of event.")
        raise Refused("TYPES_INVALID", message, field="types")
    _require_types(actor, types)
    endpoint.url, endpoint.description = url, description.strip()
    endpoint.types = sorted(set(types))
    check_fields(endpoint)


def _move(
    actor: Actor,
    endpoint: WebhookEndpoint,
    state: State,
    reason: str,
    action: str,
    before: dict | None = None,
) -> None:
    before = before or snapshot(endpoint, *TOLD)
    endpoint.state, endpoint.state_reason = state, reason.strip()
    endpoint.state_since = timezone.now()
    check_fields(endpoint)
    endpoint.version += 1
    endpoint.save()
    _record(actor, action, endpoint, before)
    deliveries.refresh_due(_tenant(actor).pk)


def _record(actor: Actor, action: str, endpoint: WebhookEndpoint, before: dict | None) -> None:
    after = snapshot(endpoint, *TOLD)
    record(actor=actor, action=action, obj=endpoint, before=before, after=after)


def _record_secrets(
    actor: Actor, action: str, endpoint: WebhookEndpoint, before: list[str]
) -> None:
    record(
        actor=actor,
        action=action,
        obj=endpoint,
        before=snapshot(endpoint, "url") | {"secret_ids": before},
        after=snapshot(endpoint, "url") | {"secret_ids": _secret_ids(endpoint)},
    )


def _check_period(since: datetime, until: datetime | None) -> None:
    now = timezone.now()
    if since < now - deliveries.KEPT:
        message = _("At most 30 days are replayed. Read what is older with events(after:).")
        raise Refused("TOO_LONG_AGO", message, field="since")
    if since > now:
        message = _("This is in the future. Only what has happened is replayed.")
        raise Refused("PERIOD_INVALID", message, field="since")
    if until is not None and until <= since:
        message = _("It must end after it starts; the end is not included.")
        raise Refused("PERIOD_INVALID", message, field="until")


def _record_replay(actor: Actor, endpoint: WebhookEndpoint, after: dict) -> None:
    record(actor=actor, action="webhooks.replayed", obj=endpoint, before=None, after=after)
    deliveries.refresh_due(_tenant(actor).pk)


def _secret_ids(endpoint: WebhookEndpoint) -> list[str]:
    return [secret["id"] for secret in endpoint.secrets]


def _tenant(actor: Actor) -> Tenant:
    assert actor.tenant is not None  # the permission is a tenant's
    return actor.tenant


def _paused() -> Refused:
    return Refused(
        "ENDPOINT_PAUSED", _("This endpoint is paused. Resume it first."), field="endpointId"
    )
