"""What was asked to be exported, and how far it is."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.rules import one_of
from linli.tenancy.models import TenantModel


class Export(TenantModel):
    """A connection on its way into a file.

    The file is kept in parts: each is written once, then named here in the same statement that moves
    ``cursor`` and ``rows`` on. Killed in between, the part is written anew; nothing stands twice.
    """

    class Format(models.TextChoices):
        """How rows are written into the file."""

        JSONL = "jsonl", _("JSON Lines")
        CSV = "csv", _("CSV")

    class Status(models.TextChoices):
        """How far an export is."""

        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")

    UNFINISHED = (Status.QUEUED, Status.RUNNING)

    document = models.TextField(_("document"))
    variables = models.JSONField(_("variables"))
    format = models.CharField(_("format"), max_length=5, choices=Format.choices)
    # Of sentences in the rows, and of what is said if it fails.
    language = models.CharField(_("language"), max_length=10)
    # As in the trail: a person, a client that acts by itself, or a person through their token.
    person_id = models.UUIDField(_("who"), null=True)
    client_id = models.UUIDField(_("through"), null=True)
    # Permission → the communities it held in, null for all: what the rows were read with.
    scope = models.JSONField(_("scope"))
    status = models.CharField(
        _("state"), max_length=10, choices=Status.choices, default=Status.QUEUED
    )
    rows = models.BigIntegerField(_("rows"), default=0)
    total = models.BigIntegerField(_("rows in all"), null=True)
    cursor = models.TextField(blank=True)
    parts = models.JSONField(default=list)
    size = models.BigIntegerField(_("bytes"), default=0)
    error = models.JSONField(_("error"), null=True)
    requested_at = models.DateTimeField(_("asked for on"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished on"), null=True)
    expires_at = models.DateTimeField(_("kept until"))

    class Meta:
        verbose_name = _("export")
        constraints = [
            one_of("format", "jsonl", "csv", name="export_format_known"),
            one_of(
                "status",
                "queued",
                "running",
                "done",
                "failed",
                "cancelled",
                "expired",
                name="export_status_known",
            ),
            sizes.longest("document", name="export_document_length", most=sizes.DOCUMENT),
            sizes.largest("variables", name="export_variables_size", most=sizes.DOCUMENT),
            models.CheckConstraint(
                condition=~models.Q(person_id=None, client_id=None),
                name="export_requested_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.format} {self.status}"
