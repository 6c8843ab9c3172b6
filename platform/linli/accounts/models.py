"""People, what they are in which tenant, and what keeps them logged in."""

from datetime import date

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linli.accounts.roles import Role
from linli.ids import uuid7
from linli.registry.models import Tenant
from linli.rules import Versioned, one_of

# No "@": a log-in name must never read as somebody else's e-mail address.
USERNAME = RegexValidator(
    r"^[\w.+-]+\Z", _("A log-in name consists of letters, digits and the signs . _ + -")
)
PHONE = RegexValidator(r"^\+?[0-9]{5,15}\Z", _("A phone number has 5 to 15 digits."))


class Person(Versioned, AbstractBaseUser):
    """Someone who logs in. What they may do hangs on their memberships, never on this row.

    Log-in name and e-mail are kept in lower case, so that "unique" means what people think it
    does. E-mail and phone are optional, and unique where given.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    username = models.CharField(_("log-in name"), max_length=64, validators=[USERNAME])
    name = models.CharField(_("name"), max_length=100)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=16, blank=True, validators=[PHONE])
    is_active = models.BooleanField(_("may log in"), default=True)
    created_at = models.DateTimeField(_("registered on"), auto_now_add=True)

    objects = BaseUserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    # What the audit trail must not copy.
    personal_fields = ("password", "name", "email", "phone")

    class Meta:
        verbose_name = _("person")
        constraints = [
            models.UniqueConstraint(
                fields=["username"],
                name="person_username_taken",
                violation_error_message=_("This log-in name is taken. Choose another."),
            ),
            models.UniqueConstraint(
                fields=["email"],
                name="person_email_taken",
                condition=~models.Q(email=""),
                violation_error_message=_("Somebody is registered with this e-mail already."),
            ),
            models.UniqueConstraint(
                fields=["phone"],
                name="person_phone_taken",
                condition=~models.Q(phone=""),
                violation_error_message=_("Somebody is registered with this phone already."),
            ),
            models.CheckConstraint(
                name="person_username_lower",
                condition=models.Q(username=Lower("username")),
            ),
            models.CheckConstraint(
                name="person_email_lower", condition=models.Q(email=Lower("email"))
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet):
    def live(self, on: date | None = None) -> "MembershipQuerySet":
        """Those in force on a day, today if none is given: ``[starts_on, ended_on)``."""
        day = on or timezone.localdate()
        return self.filter(models.Q(ended_on=None) | models.Q(ended_on__gt=day), starts_on__lte=day)


class Membership(models.Model):
    """One person in one role at one tenant, or of one community there.

    A role of the platform itself has no tenant. ``community_id`` names a row of the tenant's own
    schema, so it is a plain UUID here.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey(
        Person, models.PROTECT, related_name="memberships", verbose_name=_("person")
    )
    tenant = models.ForeignKey(
        Tenant, models.PROTECT, null=True, related_name="memberships", verbose_name=_("tenant")
    )
    role = models.CharField(_("role"), max_length=32, choices=Role.choices)
    community_id = models.UUIDField(_("community"), null=True)
    starts_on = models.DateField(_("from"))
    ended_on = models.DateField(_("until (not included)"), null=True)
    granted_by = models.ForeignKey(
        Person,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("granted by"),
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        constraints = [
            one_of("role", *Role.values, name="membership_role_known"),
            models.UniqueConstraint(
                fields=["person", "tenant", "role", "community_id"],
                name="membership_held_once",
                condition=models.Q(ended_on=None),
                nulls_distinct=False,
                violation_error_message=_("This person has this role already."),
            ),
            models.CheckConstraint(
                name="membership_platform_role_has_no_tenant",
                condition=models.Q(role=Role.PLATFORM_OPERATOR, tenant=None)
                | (~models.Q(role=Role.PLATFORM_OPERATOR) & models.Q(tenant__isnull=False)),
                violation_error_message=_("Only the platform operator has no tenant."),
            ),
            models.CheckConstraint(
                name="membership_ends_after_it_starts",
                condition=models.Q(ended_on=None) | models.Q(ended_on__gte=models.F("starts_on")),
                violation_error_message=_("A membership cannot end before it starts."),
            ),
        ]
        indexes = [models.Index(fields=["role", "id"], name="membership_by_role")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role} {self.tenant_id or ''}"


class Session(AbstractBaseSession):
    """A browser's session at one host.

    ``family`` is shared by a session at the platform and those handed over from it to tenants'
    hosts, so that signing out at the platform can end them all.
    """

    family = models.UUIDField(null=True, db_index=True)

    class Meta(AbstractBaseSession.Meta):
        abstract = False

    @classmethod
    def get_session_store_class(cls) -> type:
        from linli.accounts.sessions import SessionStore

        return SessionStore


class OneTimeCode(models.Model):
    """The right to one session at one host, for a minute and for one browser.

    Only digests are kept: of the code, which travels through the browser, and of the secret which
    the tenant's host left in that browser's cookie.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    person = models.ForeignKey(Person, models.CASCADE, db_index=False)
    host = models.CharField(max_length=253)
    state = models.CharField(max_length=64)
    # What the new session takes over from the platform's: family, methods, auth_hash.
    facts = models.JSONField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.person_id} at {self.host}"


class CacheEntry(models.Model):
    """The table of Django's database cache, in which the log-in throttle counts.

    In the database so that the count holds for all processes and machines; as a model so that it
    comes with the migrations. Its columns are those `createcachetable` would make.
    """

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.cache_key
