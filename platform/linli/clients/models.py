"""Programs that ask: tenants' clients with their secrets and tokens, and people's own tokens.

No secret stands in any row, only digests (`linli.clients.secrets`). `linli.clients.admission`
reads these tables by their names.
"""

from functools import cached_property

from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractAccessToken, AbstractApplication

from linli.accounts.models import Person
from linli.clients.secrets import new_client_id
from linli.ids import uuid7
from linli.registry.models import Tenant

LIVE_SECRETS = 2


class Client(AbstractApplication):
    """A program of a tenant's that asks by itself (OAuth 2 client credentials).

    The library's model, less what other flows need: a column becomes the constant it always is.
    """

    client_type = AbstractApplication.CLIENT_CONFIDENTIAL
    authorization_grant_type = AbstractApplication.GRANT_CLIENT_CREDENTIALS
    registration_source = AbstractApplication.RegistrationSource.MANUAL
    redirect_uris = post_logout_redirect_uris = allowed_origins = algorithm = ""
    user = cimd_expires_at = created = updated = None
    skip_authorization = hash_client_secret = None

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client_id = models.CharField(max_length=40, unique=True, default=new_client_id, editable=False)
    name = models.CharField(_("name"), max_length=100)
    tenant = models.ForeignKey(
        Tenant, models.PROTECT, related_name="clients", verbose_name=_("tenant")
    )
    covers_below = models.BooleanField(_("covers the units below"), default=False)
    scope = models.TextField(_("scopes"))
    # Which of them count at its own unit, and which at those below: where who made it held them.
    scope_here = models.TextField(_("scopes at its own unit"), default="", blank=True)
    scope_below = models.TextField(_("scopes at the units below"), default="", blank=True)
    created_at = models.DateTimeField(_("created on"), auto_now_add=True)
    created_by = models.ForeignKey(
        Person, models.PROTECT, null=True, related_name="+", db_index=False
    )
    revoked_at = models.DateTimeField(_("revoked on"), null=True)

    class Meta:
        verbose_name = _("client")
        indexes = [models.Index(fields=["name", "id"], name="client_by_name")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                condition=models.Q(revoked_at=None),
                name="client_name_taken",
                violation_error_message=_("A client of this unit has this name. Choose another."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scopes(self) -> list[str]:
        return self.scope.split()

    @property
    def scopes_here(self) -> list[str]:
        return self.scope_here.split()

    @property
    def scopes_below(self) -> list[str]:
        return self.scope_below.split()

    @cached_property
    def client_secret(self) -> "LiveSecrets":
        """What the library hands to `linli.clients.oauth.Validator`, in place of a column."""
        return LiveSecrets(list(self.secrets.filter(revoked_at=None)))


class ClientSecret(models.Model):
    """What a client proves itself with. Two may live at once, so that one can take over.

    ``created_by`` drew it, and answers for what is done with it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey(
        Client, models.PROTECT, related_name="secrets", verbose_name=_("client")
    )
    slot = models.PositiveSmallIntegerField(_("first or second"))
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("created on"), auto_now_add=True)
    created_by = models.ForeignKey(
        Person, models.PROTECT, null=True, related_name="+", db_index=False
    )
    last_used_at = models.DateTimeField(_("last used on"), null=True)
    revoked_at = models.DateTimeField(_("revoked on"), null=True)

    class Meta:
        verbose_name = _("client secret")
        constraints = [
            models.UniqueConstraint(
                fields=["client", "slot"],
                condition=models.Q(revoked_at=None),
                name="client_secret_slot_once",
            ),
            models.CheckConstraint(
                condition=models.Q(slot__range=(1, LIVE_SECRETS)), name="client_secret_slots"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.slot}"


class LiveSecrets:
    """The secrets of a client that may be used, and, once asked, the one that was."""

    def __init__(self, secrets: list[ClientSecret]) -> None:
        self.secrets = secrets
        self.used: ClientSecret | None = None


class AccessToken(AbstractAccessToken):
    """What a client got for a secret, good for an hour, and no longer than the secret.

    The library's model without people and refreshing. ``token_checksum`` is the digest; the token
    itself is nowhere (COMPLIANT_BCP_RFC9700_TOKEN_STORAGE).
    """

    user = source_refresh_token = id_token = application = created = updated = None
    token = ""
    resource = ()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    secret = models.ForeignKey(ClientSecret, models.PROTECT, related_name="tokens")
    expires = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("access token")


class PersonalToken(models.Model):
    """A person's own key for a program of theirs: at one tenant's host, or wherever they may enter.

    Its scopes narrow what the person's memberships give at the moment of the request.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey(
        Person, models.PROTECT, related_name="tokens", verbose_name=_("person")
    )
    tenant = models.ForeignKey(
        Tenant, models.PROTECT, null=True, related_name="+", verbose_name=_("tenant")
    )
    name = models.CharField(_("name"), max_length=100)
    scope = models.TextField(_("scopes"))
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created on"), auto_now_add=True)
    expires_at = models.DateTimeField(_("good until"), null=True)
    last_used_at = models.DateTimeField(_("last used on"), null=True)
    revoked_at = models.DateTimeField(_("revoked on"), null=True)

    class Meta:
        verbose_name = _("personal token")

    def __str__(self) -> str:
        return f"{self.person_id} {self.name}"

    @property
    def scopes(self) -> list[str]:
        return self.scope.split()
