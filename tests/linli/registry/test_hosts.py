"""From the host to the tenant: unknown 404, unfinished 503, and the connection always put back."""

import pytest
from django.db import connection
from django.test import Client

from linli.registry.hosts import tenant_of_host
from linli.registry.models import Tenant

MALFORMED = ["a b", "[", "", "a_b/c", "chezhan.linli.localhost:x", "chezhan..localhost:80:80", "文"]


def _get(client, host: str):
    return client.get("/", headers={"host": host})


# What a program sends: the address, with what.
JSON = {"content_type": "application/json", "data": {"query": "{ viewer { name } }"}}
ASKED_BY_PROGRAMS = {
    "a document": ("/graphql", JSON, {}),
    "a document with a token": ("/graphql", JSON, {"authorization": "Bearer linli_at_x"}),
    "a document of another type": ("/graphql", {"content_type": "text/plain", "data": "x"}, {}),
    "a token": ("/oauth/token", {"data": {"grant_type": "client_credentials"}}, {}),
    "a file": (
        "/exports/01a20de1-d95f-760f-89ca-978d870b7601",
        {},
        {"authorization": "Bearer linli_at_x"},
    ),
}


def _asked(asked: str, host: str):
    path, body, headers = ASKED_BY_PROGRAMS[asked]
    client = Client(headers={"host": host, "accept-language": "en", **headers})
    return client.post(path, **body) if body else client.get(path)


def test_each_host_leads_to_its_tenant(client, street: Tenant, other_street: Tenant) -> None:
    for tenant in (street, other_street):
        response = _get(client, f"{tenant.slug}.linli.localhost:8000")
        assert response.status_code == 200
        assert tenant.name in response.text


def test_the_host_is_read_without_regard_to_case(client, street: Tenant) -> None:
    assert _get(client, "CheZhan.Linli.LocalHost").status_code == 200


@pytest.mark.parametrize(
    "host", ["nobody.linli.localhost", "linli.localhost.evil.example", "chezhan", "x" * 300]
)
def test_an_unknown_host_gets_404(client, db: None, host: str) -> None:
    assert _get(client, host).status_code == 404


@pytest.mark.parametrize("host", MALFORMED)
def test_what_is_no_host_name_gets_400_and_a_page(client, db: None, host: str, caplog) -> None:
    response = _get(client, host)
    assert response.status_code == 400
    assert "<h1>" in response.text
    assert not caplog.records  # anybody can send it, as often as they like


@pytest.mark.parametrize(
    "status",
    [Tenant.Status.REQUESTED, Tenant.Status.PROVISIONING, Tenant.Status.ARCHIVED],
)
def test_a_tenant_that_is_not_served_answers_503(client, street: Tenant, status: str) -> None:
    street.status = status
    street.save()

    response = _get(client, "chezhan.linli.localhost")

    assert response.status_code == 503
    assert response["Retry-After"] == "30"


def test_a_purged_tenant_is_gone(client, street: Tenant) -> None:
    street.status = Tenant.Status.PURGED
    street.save()

    assert _get(client, "chezhan.linli.localhost").status_code == 404


def test_a_connection_left_in_a_tenant_is_put_back(client, street: Tenant, other_street: Tenant):
    connection.set_tenant(other_street)

    assert tenant_of_host("chezhan.linli.localhost") == street
    _get(client, "linli.localhost")

    assert connection.schema_name == "public"


class TestAProgram:
    """Who asks the API, or comes with a token, reads no page."""

    def ask(self, client, host, language="en"):
        headers = {"host": host, "accept-language": language}
        body = {"query": "{ viewer { name } }"}
        return client.post("/graphql", body, content_type="application/json", headers=headers)

    def test_an_unknown_host(self, client, db: None) -> None:
        response = self.ask(client, "nobody.linli.localhost")
        assert response.status_code == 404
        assert response.json() == {
            "errors": [
                {
                    "message": "No unit has this address. Check the host you ask at.",
                    "extensions": {"code": "HOST_UNKNOWN"},
                }
            ]
        }
        told = self.ask(client, "nobody.linli.localhost", "zh-hans").json()["errors"][0]["message"]
        assert "单位" in told

    def test_a_tenant_that_is_not_served(self, client, street: Tenant) -> None:
        street.status = Tenant.Status.ARCHIVED
        street.save()
        response = self.ask(client, "chezhan.linli.localhost")
        assert response.status_code == 503
        assert response["Retry-After"] == "30"
        [error] = response.json()["errors"]
        assert error["extensions"] == {"code": "TENANT_NOT_SERVED"}

    @pytest.mark.parametrize("asked", ASKED_BY_PROGRAMS)
    @pytest.mark.parametrize("host", MALFORMED)
    def test_what_is_no_host_name(self, db: None, asked: str, host: str, caplog) -> None:
        response = _asked(asked, host)
        assert response.status_code == 400
        assert response.json() == {
            "errors": [
                {
                    "message": "The header Host holds no host name. Send the one you ask at.",
                    "extensions": {"code": "HOST_INVALID"},
                }
            ]
        }
        assert not caplog.records

    @pytest.mark.parametrize("asked", ASKED_BY_PROGRAMS)
    def test_whatever_it_asks_at_an_unknown_host(self, street: Tenant, asked: str) -> None:
        """One that never was and one that is gone for good are the same."""
        never = _asked(asked, "nobody.linli.localhost")
        assert never.status_code == 404
        [error] = never.json()["errors"]
        assert error["extensions"] == {"code": "HOST_UNKNOWN"}

        street.status = Tenant.Status.PURGED
        street.save()
        gone = _asked(asked, "chezhan.linli.localhost")
        assert (gone.status_code, gone.content) == (never.status_code, never.content)

    def test_a_page_is_a_page(self, db: None) -> None:
        client = Client(headers={"host": "nobody.linli.localhost"})
        for response in (client.get("/graphql"), client.post("/login/", {"login": "x"})):
            assert response.status_code == 404
            assert response["Content-Type"].startswith("text/html")
