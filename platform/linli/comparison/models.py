"""Figures rolled up from the tenants, for supervisors to compare (C3)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from linli.ids import uuid7
from linli.registry.models import Tenant


class Figure(models.Model):
    """One measure of one tenant as of a day. ``value`` is None where the tenant has not what it
    takes to work it out: missing is shown as missing, never as zero."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        Tenant, models.CASCADE, related_name="figures", verbose_name=_("tenant")
    )
    measure = models.CharField(_("measure"), max_length=40)
    as_of = models.DateField(_("as of"))
    value = models.DecimalField(_("value"), max_digits=24, decimal_places=6, null=True)
    rolled_up_at = models.DateTimeField(_("rolled up at"))

    class Meta:
        verbose_name = _("figure")
        constraints = [
            models.UniqueConstraint(fields=["measure", "tenant", "as_of"], name="figure_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.tenant_id} {self.as_of}"
