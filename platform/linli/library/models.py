"""What tenants publish for others: model versions, and policies that bind the tenants below."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.ids import uuid7
from linli.registry.models import Tenant


class PublishedVersion(models.Model):
    """A version of an operating model that others may adopt (M4). Rows are never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    author = models.ForeignKey(
        Tenant, models.PROTECT, related_name="published", verbose_name=_("author")
    )
    key = models.SlugField(_("key"), max_length=60)
    number = models.PositiveIntegerField(_("number"))
    title = models.CharField(_("title"), max_length=200)
    document = models.JSONField(_("document"))
    bounds = models.JSONField(_("bounds"))
    digest = models.CharField(_("digest"), max_length=64)
    notes = models.TextField(_("notes"), blank=True)
    # What it did where it comes from, and whom it suits.
    profiles = models.JSONField(_("suits communities that are"), default=list)
    case_text = models.TextField(_("the case"), blank=True)
    evidence = models.JSONField(_("measured outcomes"), default=dict)
    published_at = models.DateTimeField(_("published on"), auto_now_add=True)

    class Meta:
        verbose_name = _("published version")
        constraints = [
            models.UniqueConstraint(fields=["author", "key", "number"], name="published_once"),
            sizes.largest("document", name="published_document_size", most=sizes.DOCUMENT),
            sizes.largest("bounds", name="published_bounds_size", most=sizes.DOCUMENT),
            sizes.largest("evidence", name="published_evidence_size", most=sizes.DOCUMENT),
            sizes.longest("notes", name="published_notes_length", most=sizes.TEXT),
            sizes.longest("case_text", name="published_case_length", most=sizes.TEXT),
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.number}"


class AdoptionRecord(models.Model):
    """Which tenant runs which published version, since when (M7); each tenant tells it itself.

    Its id is that of the adoption in the tenant's schema. No version: one that the tenant wrote
    and has not published. Of several for one day the last counts.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    version = models.ForeignKey(
        PublishedVersion,
        models.PROTECT,
        null=True,
        related_name="adoptions",
        verbose_name=_("version"),
    )
    tenant = models.ForeignKey(
        Tenant, models.PROTECT, related_name="adoptions", verbose_name=_("tenant")
    )
    effective_from = models.DateField(_("in force from"))

    class Meta:
        verbose_name = _("adoption")

    def __str__(self) -> str:
        return f"{self.tenant} runs {self.version}"


class Policy(models.Model):
    """What a city or a district sets for every tenant below it (M3). Rows are never changed.

    The tenants keep frozen copies; this row is what a tenant provisioned later starts from. A
    later policy of the same issuer replaces an earlier one whole, from its day on; of several for
    one day the one issued last counts.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    issuer = models.ForeignKey(
        Tenant, models.PROTECT, related_name="policies", verbose_name=_("issued by")
    )
    values = models.JSONField(_("values"))
    bounds = models.JSONField(_("bounds"))
    effective_from = models.DateField(_("in force from"))
    reason = models.TextField(_("reason"), blank=True)
    issued_at = models.DateTimeField(_("issued on"), auto_now_add=True)

    class Meta:
        verbose_name = _("policy")
        constraints = [
            sizes.largest("values", name="policy_values_size", most=sizes.DOCUMENT),
            sizes.largest("bounds", name="policy_bounds_size", most=sizes.DOCUMENT),
            sizes.longest("reason", name="policy_reason_length", most=sizes.REASON),
        ]

    def __str__(self) -> str:
        return f"{self.issuer} from {self.effective_from}"
