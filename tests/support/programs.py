"""Programs as they come over the wire: the token endpoint and ``/graphql`` with a bearer token."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from django.test import Client as Browser

from linli.accounts.policy import Actor
from linli.clients.actions import create_client
from linli.clients.models import Client
from linli.registry.models import Tenant

PLATFORM = "linli.localhost"


def host_of(tenant: Tenant | None) -> str:
    return f"{tenant.slug}.{PLATFORM}" if tenant else PLATFORM


@dataclass(frozen=True)
class Program:
    """An integrator's program, with the client and the secret it was given."""

    client: Client
    secret: str

    def asks_for_token(self, at: Tenant | None, secret: str | None = None, **form: Any) -> Any:
        """The answer of /oauth/token, with HTTP Basic as RFC 6749 prefers."""
        basic = b64encode(f"{self.client.client_id}:{secret or self.secret}".encode()).decode()
        return token_endpoint(
            at, {"grant_type": "client_credentials", **form}, authorization=f"Basic {basic}"
        )

    def token(self, at: Tenant | None = None, **form: Any) -> str:
        answer = self.asks_for_token(at or self.client.tenant, **form)
        assert answer.status_code == 200, answer.content
        return answer.json()["access_token"]


def program(actor: Actor, *scopes: str, name: str = "小程序", **given: Any) -> Program:
    return Program(*create_client(actor=actor, name=name, scopes=scopes, **given))


def token_endpoint(at: Tenant | None, form: dict[str, Any], **headers: str) -> Any:
    browser = Browser(headers={"host": host_of(at), **headers}, enforce_csrf_checks=True)
    return browser.post("/oauth/token", form)


def graphql(
    token: str, document: str, at: Tenant | None, browser: Browser | None = None, **variables: Any
) -> Any:
    """The response to a document sent with a bearer token, and with no CSRF token."""
    headers = {
        "host": host_of(at), "accept-language": "en", "authorization": f"Bearer {token}",
    }  # fmt: skip
    asking = browser or Browser(enforce_csrf_checks=True)
    body = {"query": document, "variables": variables}
    return asking.post("/graphql", body, content_type="application/json", headers=headers)
