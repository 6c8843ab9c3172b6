"""One row for every write: who, when, what, before and after."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.ids import uuid7


class Entry(models.Model):
    """A write that happened. Rows are inserted and read, never changed: the log-in cannot.

    It stands in the schema whose rows were written, the public one included. People are named by
    id only, so that erasing a person leaves the trail whole (domain §5).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField(_("when"), auto_now_add=True)
    # Empty when the platform acted by itself, as a job does, or a client without a person.
    person_id = models.UUIDField(_("who"), null=True)
    # The program it was done through: an API client, or a person's token.
    client_id = models.UUIDField(_("through"), null=True)
    action = models.CharField(_("action"), max_length=80)
    object_type = models.CharField(_("kind of object"), max_length=80)
    object_id = models.CharField(_("object"), max_length=64)
    before = models.JSONField(_("before"), null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(_("after"), null=True, encoder=DjangoJSONEncoder)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        verbose_name = _("audit entry")
        constraints = [
            sizes.longest("reason", name="audit_reason_length", most=sizes.REASON),
        ]
        indexes = [
            models.Index(fields=["object_id", "id"], name="audit_of_object"),
            models.Index(fields=["action", "id"], name="audit_of_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"
