"""Who is on the platform: tenants, their hosts, and the national divisions they stand in."""

from collections.abc import Iterator

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_tenants.models import DomainMixin, TenantMixin

from linli.ids import uuid7
from linli.rules import Versioned, one_of


class Division(models.Model):
    """A place of the national statistical list (统计用区划代码), down to the street.

    Codes have 2 digits for a province, 4 a city, 6 a district, 9 a street; a parent's code is the
    prefix. They are attributes with an edition, never identity (domain §5).
    """

    class Level(models.IntegerChoices):
        """What a place of the national list is, by the digits of its code."""

        PROVINCE = 2, _("province")
        CITY = 4, _("city")
        DISTRICT = 6, _("district")
        STREET = 9, _("street or town")

    code = models.CharField(_("division code"), max_length=9, primary_key=True)
    name = models.CharField(_("name"), max_length=100)
    level = models.PositiveSmallIntegerField(_("level"), choices=Level.choices)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="children", verbose_name=_("part of")
    )
    edition = models.PositiveSmallIntegerField(_("edition of the list"))

    class Meta:
        verbose_name = _("division")
        constraints = [
            one_of("level", 2, 4, 6, 9, name="division_level_known"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Tenant(Versioned, TenantMixin):
    """A street office, a district or a city with a schema of its own.

    Narrow on purpose: what extends a tenant hangs off it one-to-one.
    """

    class Kind(models.TextChoices):
        """What a tenant is."""

        CITY = "city", _("city")
        DISTRICT = "district", _("district")
        STREET = "street", _("street office")

    class Status(models.TextChoices):
        """Where a tenant stands in its life."""

        REQUESTED = "requested", _("requested")
        PROVISIONING = "provisioning", _("being provisioned")
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended (read-only)")
        ARCHIVED = "archived", _("archived")
        PURGED = "purged", _("purged")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(_("slug"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="children", verbose_name=_("belongs to")
    )
    division = models.ForeignKey(Division, models.PROTECT, null=True, verbose_name=_("division"))
    status = models.CharField(
        _("status"), max_length=12, choices=Status.choices, default=Status.REQUESTED
    )
    locale = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    created_at = models.DateTimeField(_("requested on"), db_default=Now(), editable=False)

    # Provisioning creates the schema (`linli.registry.provisioning`), saving a row never does.
    auto_create_schema = False

    # As of the statement that found the tenant by its host; None where another did.
    rules_stamp: str | None = None

    class Meta:
        verbose_name = _("tenant")
        constraints = [
            one_of("kind", "city", "district", "street", name="tenant_kind_known"),
            one_of(
                "status",
                "requested",
                "provisioning",
                "active",
                "suspended",
                "archived",
                "purged",
                name="tenant_status_known",
            ),
            one_of("locale", "zh-hans", "en", name="tenant_locale_known"),
            models.CheckConstraint(
                name="tenant_city_has_no_parent",
                condition=~models.Q(kind="city") | models.Q(parent=None),
                violation_error_message=_("A city stands at the top: it has no parent."),
            ),
            models.UniqueConstraint(
                fields=["division"],
                name="tenant_division_once",
                condition=~models.Q(status__in=["archived", "purged"]),
            ),
        ]
        indexes = [models.Index(fields=["name", "id"], name="tenant_by_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_served(self) -> bool:
        """Whether its host answers: only a finished tenant does, a suspended one for reading."""
        return self.status in (self.Status.ACTIVE, self.Status.SUSPENDED)

    def ancestors(self) -> list["Tenant"]:
        """The district and the city above, nearest first. At most two, so one query each."""
        found: list[Tenant] = []
        above = self.parent
        while above is not None:
            found.append(above)
            above = above.parent
        return found

    def descendants(self) -> Iterator["Tenant"]:
        """Every tenant below, level by level, in the order they came on board; each knows who is above."""
        level = {self.pk: self}
        while level:
            below = list(Tenant.objects.filter(parent__in=level).order_by("pk"))
            for tenant in below:
                assert tenant.parent_id is not None
                tenant.parent = level[tenant.parent_id]
            yield from below
            level = {tenant.pk: tenant for tenant in below}


class Brand(Versioned):
    """How a tenant's pages present it; without a row, its name and the house colours."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="brand")
    title = models.CharField(_("title of the pages"), max_length=100)
    colour = models.CharField(_("colour"), max_length=7)

    class Meta:
        verbose_name = _("brand")
        constraints = [
            models.CheckConstraint(
                name="brand_colour_is_hex",
                condition=models.Q(colour__regex=r"^#[0-9a-f]{6}$"),
                violation_error_message=_("A colour is written as # and six hex digits."),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Sandbox(models.Model):
    """A tenant to try things out in: what it holds is made up, and thrown away by a call.

    A tenant is one from its request on, or never. A district or a city has one at most.
    """

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="sandbox")
    under = models.OneToOneField(Tenant, models.PROTECT, related_name="+")
    filled_at = models.DateTimeField(_("filled on"), null=True)

    class Meta:
        verbose_name = _("sandbox")

    def __str__(self) -> str:
        return str(self.tenant_id)


class RulesStamp(models.Model):
    """Which rules a tenant has: another value whenever they differ (`linli.registry.rules_stamp`)."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="+")
    stamp = models.CharField(_("stamp"), max_length=32)

    class Meta:
        verbose_name = _("stamp of rules")

    def __str__(self) -> str:
        return self.stamp


class Domain(DomainMixin):
    """A host name that leads to a tenant, without port."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        verbose_name = _("host")


class SchemaTemplate(models.Model):
    """The SQL that makes an empty tenant, kept until the tenants' migrations change.

    ``sql`` holds `linli.registry.template.PLACEHOLDER` wherever the schema's name belongs.
    """

    fingerprint = models.CharField(max_length=64, primary_key=True)
    sql = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.fingerprint[:12]
