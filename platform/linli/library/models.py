"""What tenants publish for others: model versions, and policies that bind the tenants below."""

from datetime import date
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.ids import uuid7
from linli.registry.models import Tenant
from linli.rules import Versioned, one_of

# Bytes of a package's file: room for the pictures of a case, in base64; and of what it holds beside these.
PACKAGE_BYTES = 32_000_000
BESIDE_PICTURES = 900_000


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


class PublishedVersion(Versioned):
    """A version of an operating model that others may adopt (M4).

    Of a row only who sees it and whether it is withdrawn may change: the application's log-in has no
    right to more. Whoever runs it keeps a frozen copy, which neither touches.

    Its author is a tenant here, or a unit of another installation: then it came as a signed file
    from a source (M5), and ``origin_author_id`` and ``origin_name`` are that unit's over there.
    """

    class Visibility(models.TextChoices):
        """Who sees a published version."""

        PRIVATE = "private", _("its author only")
        DISTRICT = "district", _("its author's district")
        CITY = "city", _("its author's city")
        ALL = "all", _("every unit")

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
    evidence_starts_on = models.DateField(_("measured from"), null=True)
    evidence_ends_on = models.DateField(_("measured until before"), null=True)
    # Where it ran in that time: how many communities of which profile, never which.
    ran_in = models.JSONField(_("communities it ran in"), null=True)
    published_at = models.DateTimeField(_("published on"), default=timezone.now)
    visibility = models.CharField(
        _("visible to"), max_length=8, choices=Visibility.choices, default=Visibility.ALL
    )
    # The district or the city that sees it, with all units below; `linli.library.visibility`.
    audience_id = models.UUIDField(_("visible within"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn on"), null=True)
    withdrawal_reason = models.TextField(_("reason"), blank=True, default="", db_default="")
    # What it is found by, worked out of the above: where its author stands (its code in the national
    # list; its own key and those of the units above it), and what its texts hold.
    place = models.CharField(max_length=9, blank=True, default="", db_default="")
    under = ArrayField(models.UUIDField(), default=list)
    searched = models.TextField(blank=True, default="", db_default="")
    grams = ArrayField(models.CharField(max_length=2), default=list)

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
            sizes.longest("withdrawal_reason", name="published_reason_length", most=sizes.REASON),
            one_of(
                "visibility",
                "private",
                "district",
                "city",
                "all",
                name="published_visibility_known",
            ),
            models.CheckConstraint(
                name="published_audience_fits",
                condition=Q(visibility__regex="^(district|city)$", audience_id__isnull=False)
                | Q(visibility__regex="^(private|all)$", audience_id=None),
            ),
            models.CheckConstraint(
                name="published_withdrawn_with_reason",
                condition=(Q(withdrawn_at=None) & Q(withdrawal_reason=""))
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawal_reason="")),
            ),
            models.CheckConstraint(
                name="published_evidence_has_period",
                condition=Q(evidence_starts_on=None, evidence_ends_on=None)
                | Q(evidence_starts_on__lt=F("evidence_ends_on")),
            ),
        ]
        indexes = [
            models.Index(fields=["title", "id"], name="published_by_title"),
            models.Index(fields=["key", "number", "id"], name="published_by_key"),
            models.Index(fields=["visibility", "id"], name="published_by_visibility"),
            models.Index(fields=["audience_id", "id"], name="published_by_audience"),
            models.Index(
                fields=["place"], opclasses=["varchar_pattern_ops"], name="published_by_place"
            ),
            GinIndex(
                fields=["profiles"], opclasses=["jsonb_path_ops"], name="published_by_profile"
            ),
            GinIndex(fields=["under"], name="published_by_unit"),
            GinIndex(fields=["grams"], name="published_by_words"),
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.number}"

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None

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
    the signature of who made it. Without the bytes of its pictures, which are `Picture.original`. Rows
    are never changed."""

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
        constraints = [
            sizes.longest("content", name="package_content_length", most=BESIDE_PICTURES)
        ]

    def __str__(self) -> str:
        return str(self.version_id)


class Outcome(models.Model):
    """One measured outcome of a published version as a row, to search by; what is shown is
    `PublishedVersion.evidence`. Rows are never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(
        PublishedVersion,
        models.PROTECT,
        related_name="outcomes",
        db_index=False,  # outcome_once leads with it
        verbose_name=_("version"),
    )
    measure = models.CharField(_("measure"), max_length=40)
    value = models.DecimalField(_("value"), max_digits=24, decimal_places=6)

    class Meta:
        verbose_name = _("outcome")
        constraints = [
            models.UniqueConstraint(fields=["version", "measure"], name="outcome_once"),
        ]
        indexes = [
            models.Index(fields=["measure", "value", "version"], name="outcome_by_value"),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.value}"


class Image(models.Model):
    """What is kept of a picture: written anew by us, so that it holds what is seen and no more."""

    class ContentType(models.TextChoices):
        """What a picture is, found out from its content."""

        JPEG = "image/jpeg", "JPEG"
        PNG = "image/png", "PNG"
        WEBP = "image/webp", "WebP"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    content = models.BinaryField(_("content"))
    content_type = models.CharField(_("type"), max_length=10, choices=ContentType.choices)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    size = models.PositiveIntegerField(_("bytes"))
    digest = models.CharField(_("SHA-256"), max_length=64)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.content_type} {self.width} × {self.height}"


class Upload(Image):
    """A picture that waits for its version to be published; gone after a day."""

    tenant = models.ForeignKey(
        Tenant, models.CASCADE, related_name="uploads", verbose_name=_("tenant")
    )
    uploaded_at = models.DateTimeField(_("uploaded on"), auto_now_add=True)

    class Meta:
        verbose_name = _("uploaded picture")
        constraints = [
            one_of(
                "content_type", "image/jpeg", "image/png", "image/webp", name="upload_type_known"
            ),
        ]
        indexes = [models.Index(fields=["uploaded_at"], name="upload_by_age")]


class Picture(Image):
    """A picture of a published case. Rows are never changed; the id is that of the upload."""

    version = models.ForeignKey(
        PublishedVersion,
        models.PROTECT,
        related_name="pictures",
        db_index=False,  # picture_order leads with it
        verbose_name=_("version"),
    )
    position = models.PositiveSmallIntegerField(_("position"))
    alt = models.CharField(_("what it shows"), max_length=200)
    caption = models.CharField(_("caption"), max_length=500, blank=True)
    # The bytes that came in a package, of which ``content`` was drawn anew: passed on, never shown.
    original = models.BinaryField(_("as it came"), null=True)

    class Meta:
        verbose_name = _("picture")
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="picture_order"),
            one_of(
                "content_type", "image/jpeg", "image/png", "image/webp", name="picture_type_known"
            ),
        ]


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
    too large to be told here, or with a text that somebody worded, has no values, and ``count`` is how many there are with those left out.
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


class AdoptionRule(models.Model):
    """What a city or a district lays down about how the units below it adopt and upgrade (M5, M6).

    Rows are never changed. A later one of the same issuer replaces the earlier one whole, from its
    day on; of several for one day the one laid down last counts.
    """

    class Approver(models.TextChoices):
        """Who says yes before a model is adopted or upgraded; the later one is the stricter."""

        NOBODY = "nobody", _("nobody else")
        SECOND_PERSON = "second_person", _("a second person of the unit")
        DISTRICT = "district", _("the district")
        CITY = "city", _("the city")

    class Upgrades(models.TextChoices):
        """To which versions a unit may upgrade; the later one is the stricter."""

        FREE = "free", _("to each that is published")
        WHEN_OFFERED = "when_offered", _("to those that were offered")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    issuer = models.ForeignKey(
        Tenant, models.PROTECT, related_name="adoption_rules", verbose_name=_("laid down by")
    )
    approver = models.CharField(_("who approves"), max_length=13, choices=Approver.choices)
    upgrades = models.CharField(_("upgrades"), max_length=12, choices=Upgrades.choices)
    effective_from = models.DateField(_("in force from"))
    reason = models.TextField(_("reason"), blank=True)
    laid_down_at = models.DateTimeField(_("laid down on"), auto_now_add=True)

    class Meta:
        verbose_name = _("adoption rule")
        constraints = [
            one_of(
                "approver",
                "nobody",
                "second_person",
                "district",
                "city",
                name="adoptionrule_approver_known",
            ),
            one_of("upgrades", "free", "when_offered", name="adoptionrule_upgrades_known"),
            sizes.longest("reason", name="adoptionrule_reason_length", most=sizes.REASON),
        ]

    def __str__(self) -> str:
        return f"{self.issuer} from {self.effective_from}"


class Offer(models.Model):
    """A published version that a city or a district offers to units below it, from a day on (M6).

    Staged: one offer to three street offices first, another to the rest later. Of a row only its
    withdrawal is ever written.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    issuer = models.ForeignKey(
        Tenant, models.PROTECT, related_name="offers", verbose_name=_("offered by")
    )
    version = models.ForeignKey(
        PublishedVersion, models.PROTECT, related_name="offers", verbose_name=_("version")
    )
    # The tenants it is made to; None: all below the issuer, those that come later too.
    units = ArrayField(models.UUIDField(), null=True, verbose_name=_("offered to"))
    effective_from = models.DateField(_("from"))
    # None: whoever it is made to may decline it.
    binding_by = models.DateField(_("to be applied by"), null=True)
    note = models.TextField(_("note"), blank=True)
    offered_at = models.DateTimeField(_("offered on"), auto_now_add=True)
    # It counts no more from this day on.
    withdrawn_on = models.DateField(_("withdrawn on"), null=True)
    withdrawn_reason = models.TextField(_("why it was withdrawn"), blank=True)

    class Meta:
        verbose_name = _("offer")
        constraints = [
            models.CheckConstraint(
                name="offer_to_somebody",
                condition=models.Q(units=None) | models.Q(units__len__gt=0),
            ),
            models.CheckConstraint(
                name="offer_due_not_before_it_starts",
                condition=models.Q(binding_by=None)
                | models.Q(binding_by__gte=models.F("effective_from")),
            ),
            models.CheckConstraint(
                name="offer_withdrawn_says_why",
                condition=models.Q(withdrawn_on=None, withdrawn_reason="")
                | (models.Q(withdrawn_on__isnull=False) & ~models.Q(withdrawn_reason="")),
            ),
            sizes.longest("note", name="offer_note_length", most=sizes.TEXT),
            sizes.longest("withdrawn_reason", name="offer_reason_length", most=sizes.REASON),
        ]

    def __str__(self) -> str:
        return f"{self.version} by {self.issuer}"

    def is_due(self, day: date) -> bool:
        """Whether on a day it counts, binds, and can still be taken up."""
        stands = self.withdrawn_on is None or self.withdrawn_on > day
        binds = self.binding_by is not None and self.binding_by <= day
        return stands and binds and self.version.withdrawn_at is None
