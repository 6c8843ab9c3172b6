"""Where the OAuth library asks us: which scopes there are, whose secret this is, where a token goes.

Everything else of RFC 6749 is the library's (`OAUTH2_PROVIDER` in the settings).
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes

from linli.accounts.policy import reaches
from linli.budget.lease import spend
from linli.clients.models import AccessToken, Client, LiveSecrets
from linli.clients.scopes import SCOPES
from linli.clients.secrets import digest

TENANT = "linli.tenant"
# What a request for a token costs: as much as a document that is refused.
TOKEN_POINTS = 10


class Core(OAuthLibCore):
    def extract_headers(self, request: HttpRequest) -> dict[str, Any]:
        """With the tenant of the host: nothing a client sends can have this name."""
        return {**super().extract_headers(request), TENANT: request.tenant}  # type: ignore[attr-defined]


class ClientScopes(BaseScopes):
    """A token may have the scopes of its client, and has them all unless it asks for fewer."""

    def get_all_scopes(self) -> dict[str, str]:
        return {scope: scope for scope in SCOPES}

    def get_available_scopes(self, application: Client, *args: Any, **kwargs: Any) -> list[str]:
        return application.scopes

    get_default_scopes = get_available_scopes


class Validator(OAuth2Validator):
    def _load_application(self, client_id: str, request: Any) -> Client | None:
        """A revoked client, one of a tenant whose host this is not, and one that never was are all
        the same."""
        if not client_id or "\0" in client_id:  # PostgreSQL would not take the question
            return None
        client = super()._load_application(client_id, request)
        tenant = request.headers[TENANT]
        if client is None or (
            client.revoked_at is None and reaches(client.tenant_id, client.covers_below, tenant)
        ):
            return client
        request.client = None
        return None

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Raises RateLimited for who is the client, and has used up its minute."""
        known = super().authenticate_client(request, *args, **kwargs)
        if known:
            spend(request.client.pk, TOKEN_POINTS, limit=settings.LINLI_POINTS_A_MINUTE)
        return known

    def _check_secret(self, provided_secret: str, stored_secret: LiveSecrets) -> bool:
        """Compared with each of the live ones, in the same time whichever it is."""
        provided = digest(provided_secret)
        for secret in stored_secret.secrets:
            if constant_time_compare(provided, secret.digest):
                stored_secret.used = secret
        return stored_secret.used is not None

    def _create_access_token(
        self,
        expires: datetime,
        request: Any,
        token: dict[str, Any],
        source_refresh_token: Any = None,
    ) -> AccessToken:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM public.clients_accesstoken WHERE expires < %s", [timezone.now()]
            )
        access_token = AccessToken(
            secret=request.client.client_secret.used, scope=token["scope"], expires=expires
        )
        self._set_token_value(access_token, token["access_token"])
        access_token.save(force_insert=True)
        return access_token
