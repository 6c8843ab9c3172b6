"""Documents a tenant trusts. They stand in the public schema, each with its tenant's id."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.ids import uuid7
from linli.rules import Versioned


class TrustedDocument(models.Model):
    """A GraphQL document that may be run by its hash. Its text never changes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant_id = models.UUIDField(_("tenant"))
    name = models.CharField(_("name"), max_length=100, blank=True)
    digest = models.CharField(_("SHA-256"), max_length=64)
    text = models.TextField(_("document"))
    # With no variables: what the lists of a request ask for comes on top.
    cost = models.PositiveIntegerField(_("cost"))
    trusted_at = models.DateTimeField(_("trusted on"), auto_now_add=True)
    withdrawn_at = models.DateTimeField(_("withdrawn on"), null=True)

    class Meta:
        verbose_name = _("trusted document")
        constraints = [
            sizes.longest("text", name="trusted_text_length", most=sizes.DOCUMENT),
            models.UniqueConstraint(
                fields=["tenant_id", "digest"],
                name="trusteddocument_once",
                condition=models.Q(withdrawn_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.document_id

    @property
    def document_id(self) -> str:
        """As a request names it (GraphQL over HTTP, Appendix A)."""
        return f"sha256:{self.digest}"


class DocumentRule(Versioned):
    """Whether a tenant runs nothing but trusted documents; without a row it runs all."""

    tenant_id = models.UUIDField(_("tenant"), primary_key=True)
    only_trusted = models.BooleanField(_("trusted documents only"))

    class Meta:
        verbose_name = _("rule on documents")

    def __str__(self) -> str:
        return str(self.tenant_id)
