"""One narrow row for each caller of the API: which minute it is in, and what of it is granted."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Account(models.Model):
    """A caller's points. The one statement that grants them is in `linli.budget.lease`."""

    # A person's or a client's id, or the hash of an address (`linli.budget.callers`).
    id = models.UUIDField(primary_key=True, editable=False)
    # Points a minute agreed with this caller; empty for the installation's default.
    agreed_points = models.PositiveIntegerField(_("points a minute"), null=True)
    minute = models.BigIntegerField(_("minute, counted from 1970"), default=0)
    granted_points = models.BigIntegerField(_("points granted of that minute"), default=0)

    class Meta:
        verbose_name = _("budget")

    def __str__(self) -> str:
        return str(self.pk)
