"""What tenants publish for others: model versions, and policies that bind the tenants below."""

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.ids import uuid7
from linli.registry.models import Tenant

# Bytes of a package's file: what one request to the API can carry.
PACKAGE_BYTES = 900_000


class TrustedSource(models.Model):
    """Another installation whose packages are believed, by the key it signs them with (M5).

    A key is registered once; one that was revoked stays so, and what came under it before stays
    in the library.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=100)
    # base64 of the 32 bytes of an Ed25519 key, and its fingerprint (`linli.library.signing`).
    public_key = models.CharField(_("public key"), max_length=44)
    fingerprint = models.CharField(_("fingerprint"), max_length=32)
    added_at = models.DateTimeField(_("added on"), auto_now_add=True)
    reason = models.TextField(_("reason"), blank=True)
    revoked_at = models.DateTimeField(_("revoked on"), null=True)
    revoked_reason = models.TextField(_("why it was revoked"), blank=True)

    class Meta:
        verbose_name = _("trusted source")
        constraints = [
            models.UniqueConstraint(fields=["fingerprint"], name="trusted_source_key_once"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(revoked_at=None), name="trusted_source_name_once"
            ),
            sizes.longest("reason", name="trusted_source_reason_length", most=sizes.REASON),
            sizes.longest("revoked_reason", name="trusted_source_why_length", most=sizes.REASON),
        ]

    def __str__(self) -> str:
        return self.name


class PublishedVersion(models.Model):
    """A version of an operating model that others may adopt (M4). Rows are never changed.

    Its author is a tenant here, or a unit of another installation: then it came as a signed file
    from a source (M5), and ``origin_author_id`` and ``origin_name`` are that unit's over there.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    author = models.ForeignKey(
        Tenant, models.PROTECT, null=True, related_name="published", verbose_name=_("author")
    )
    source = models.ForeignKey(
        TrustedSource,
        models.PROTECT,
        null=True,
        related_name="versions",
        verbose_name=_("source"),
    )
    origin_author_id = models.UUIDField(_("author over there"), null=True)
    origin_name = models.CharField(_("author over there"), max_length=100, blank=True)
    imported_by = models.ForeignKey(
        Tenant, models.PROTECT, null=True, related_name="+", verbose_name=_("imported by")
    )
    imported_at = models.DateTimeField(_("imported on"), null=True)
    # The version it was made from (M7), where that is in this library.
    derived_from = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="derivatives",
        verbose_name=_("derived from"),
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
    published_at = models.DateTimeField(_("published on"), default=timezone.now)

    class Meta:
        verbose_name = _("published version")
        constraints = [
            models.UniqueConstraint(fields=["author", "key", "number"], name="published_once"),
            models.UniqueConstraint(
                fields=["origin_author_id", "key", "number"],
                condition=Q(author=None),
                name="imported_once",
            ),
            models.CheckConstraint(
                name="published_author_or_source",
                condition=Q(
                    author__isnull=False,
                    source=None,
                    origin_author_id=None,
                    origin_name="",
                    imported_by=None,
                    imported_at=None,
                )
                | Q(
                    author=None,
                    source__isnull=False,
                    origin_author_id__isnull=False,
                    imported_by__isnull=False,
                    imported_at__isnull=False,
                )
                & ~Q(origin_name=""),
            ),
            sizes.largest("document", name="published_document_size", most=sizes.DOCUMENT),
            sizes.largest("bounds", name="published_bounds_size", most=sizes.DOCUMENT),
            sizes.largest("evidence", name="published_evidence_size", most=sizes.DOCUMENT),
            sizes.longest("notes", name="published_notes_length", most=sizes.TEXT),
            sizes.longest("case_text", name="published_case_length", most=sizes.TEXT),
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.number}"

    @property
    def written_by(self) -> UUID:
        """Whose it is, here or over there: the same for all versions of one model."""
        owner = self.author_id or self.origin_author_id
        assert owner is not None  # the constraint says so
        return owner

    @property
    def written_by_name(self) -> str:
        return self.author.name if self.author else self.origin_name


class PackageFile(models.Model):
    """The signed file that an imported version came as: exported again, it is the same bytes, under
    the signature of who made it. Rows are never changed."""

    version = models.OneToOneField(
        PublishedVersion,
        models.PROTECT,
        primary_key=True,
        related_name="package",
        verbose_name=_("published version"),
    )
    content = models.TextField(_("content"))

    class Meta:
        verbose_name = _("package")
        constraints = [sizes.longest("content", name="package_content_length", most=PACKAGE_BYTES)]

    def __str__(self) -> str:
        return str(self.version_id)


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


class ChangeRecord(models.Model):
    """How a tenant's own rules differ from the version it runs, from a day on (M7).

    Each row is the whole of it; a later one replaces it from its day on, of several for one day the
    last counts. ``places``: what the street's layer sets, ``{"path", "model", "here"}`` each; a place
    too large to be told here has no values, and ``count`` is how many there are with those left out.
    ``communities``: how many have a layer of their own. Rows are never changed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        Tenant, models.PROTECT, related_name="changes", verbose_name=_("tenant")
    )
    effective_from = models.DateField(_("in force from"))
    places = models.JSONField(_("places"))
    count = models.PositiveIntegerField(_("number of places"))
    communities = models.PositiveIntegerField(_("communities with a layer of their own"))
    told_at = models.DateTimeField(_("told on"), auto_now_add=True)

    class Meta:
        verbose_name = _("change against the model")
        constraints = [
            sizes.largest("places", name="change_places_size", most=2 * sizes.DOCUMENT),
        ]
        indexes = [
            models.Index(fields=["tenant", "-effective_from", "-id"], name="change_record_standing")
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} from {self.effective_from}"


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
