"""What happened, who is to be told, and how telling them went."""

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from linli.rules import Versioned, one_of
from linli.tenancy.models import TenantModel


class DatabaseUUIDv7(Func):
    """PostgreSQL's own ``uuidv7()``: one clock orders what several processes write."""

    function = "uuidv7"
    output_field = models.UUIDField()


class Event(TenantModel):
    """Something that happened, for programs outside: written with the write it tells of.

    ``position`` is 0 until the event is sequenced (`linli.events.sequencing`), which is when it can
    first be seen. Only `position` can ever be changed: the log-in has no more rights.
    """

    id = models.UUIDField(primary_key=True, db_default=DatabaseUUIDv7(), editable=False)
    position = models.BigIntegerField(_("position"), db_default=0)
    at = models.DateTimeField(_("when"), db_default=Now())
    type = models.CharField(_("type"), max_length=60)
    # What it is about: a type of the API, and a row's key. The community, for who reads one only.
    object_type = models.CharField(_("kind of object"), max_length=40)
    object_id = models.UUIDField(_("object"))
    community_id = models.UUIDField(_("community"), null=True)
    # Who did it, by id only.
    person_id = models.UUIDField(_("who"), null=True)
    client_id = models.UUIDField(_("through"), null=True)
    data = models.JSONField(_("data"), encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = _("event")
        constraints = [
            models.UniqueConstraint(
                fields=["position"], condition=Q(position__gt=0), name="event_position_once"
            )
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(position=0), name="event_to_be_sequenced"),
            models.Index(fields=["type", "position"], name="event_by_type"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id}"


class WebhookEndpoint(Versioned, TenantModel):
    """An address of an integrator that is told of events of some types.

    ``secrets`` are one or two, each ``{"id", "sealed", "created_at"}`` (`linli.events.secrets`).
    ``failures`` in a row and ``hold_until`` keep a receiver that is down from being asked all the
    time; ``failing_since`` is None after any success. While a replay is under way, what happened in
    [``replay_since``, ``replay_until``) is opened again up to ``replay_position``, and will be up to
    ``replay_last_position``. What people change counts its version up,
    and so does being paused after failing. ``person_id`` and ``client_id`` are who made it, as in
    the trail.
    """

    class State(models.TextChoices):
        """Whether an endpoint is told of what happens."""

        ENABLED = "enabled", _("enabled")
        PAUSED = "paused", _("paused by somebody")
        FAILING = "failing", _("paused after failing for days")

    url = models.CharField(_("address"), max_length=500)
    description = models.CharField(_("description"), max_length=200, blank=True)
    types = ArrayField(models.CharField(max_length=60), verbose_name=_("types of events"))
    secrets = models.JSONField(_("signing secrets"), blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.ENABLED)
    state_reason = models.CharField(_("reason"), max_length=200, blank=True)
    state_since = models.DateTimeField(_("since"), db_default=Now())
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    hold_until = models.DateTimeField(_("not before"), null=True)
    replay_since = models.DateTimeField(_("replayed since"), null=True)
    replay_until = models.DateTimeField(_("replayed until"), null=True)
    replay_position = models.BigIntegerField(_("replayed up to position"), null=True)
    replay_last_position = models.BigIntegerField(_("last position to replay"), null=True)
    created_at = models.DateTimeField(_("created on"), db_default=Now())
    person_id = models.UUIDField(_("who"), null=True)
    client_id = models.UUIDField(_("through"), null=True)
    # The row stays, for the trail to name; it has no secrets and no deliveries any more.
    deleted_at = models.DateTimeField(_("deleted on"), null=True)

    class Meta:
        verbose_name = _("webhook endpoint")
        constraints = [
            one_of("state", "enabled", "paused", "failing", name="endpoint_state_known"),
            models.CheckConstraint(
                condition=Q(
                    replay_since=None,
                    replay_until=None,
                    replay_position=None,
                    replay_last_position=None,
                )
                | Q(
                    replay_since__isnull=False,
                    replay_position__isnull=False,
                    replay_last_position__isnull=False,
                    replay_last_position__gte=F("replay_position"),
                    deleted_at=None,
                ),
                name="endpoint_replay_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.url


class Delivery(TenantModel):
    """One event on its way to one endpoint; kept for 30 days.

    Of the open deliveries of one object to one endpoint the first is READY and the rest WAITING, so
    the order of an object's events holds. ``next_at`` is when a READY one is due; while it is being
    sent it is the end of the sender's lease. ``log`` has an entry for each attempt.
    """

    class State(models.TextChoices):
        """Where the telling of one event to one endpoint stands."""

        WAITING = "waiting", _("waiting for an earlier event of its object")
        READY = "ready", _("to be sent")
        DELIVERED = "delivered", _("delivered")
        GIVEN_UP = "given_up", _("given up")

    id = models.UUIDField(primary_key=True, db_default=DatabaseUUIDv7(), editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, related_name="deliveries", db_index=False
    )
    event = models.ForeignKey(Event, models.PROTECT, related_name="deliveries", db_index=False)
    object_id = models.UUIDField()
    position = models.BigIntegerField()
    state = models.CharField(_("state"), max_length=9, choices=State.choices)
    next_at = models.DateTimeField(_("next attempt"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), db_default=0)
    log = models.JSONField(_("log"), db_default=[])

    class Meta:
        verbose_name = _("webhook delivery")
        constraints = [
            one_of(
                "state", "waiting", "ready", "delivered", "given_up", name="delivery_state_known"
            ),
            models.UniqueConstraint(fields=["endpoint", "position"], name="delivery_once"),
        ]
        indexes = [
            models.Index(fields=["position"], name="delivery_by_position"),
            models.Index(
                fields=["position"], condition=Q(state="given_up"), name="delivery_given_up"
            ),
            models.Index(
                F("endpoint"), F("next_at"), condition=Q(state="ready"), name="delivery_due"
            ),
            models.Index(
                F("endpoint"),
                F("object_id"),
                F("position"),
                # Not "in": PostgreSQL would dump that otherwise than it was told.
                condition=Q(state="ready") | Q(state="waiting"),
                name="delivery_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}"
