"""From the host to the tenant: unknown 404, unfinished 503, and the connection always put back."""

import pytest
from django.db import connection

from linli.registry.hosts import tenant_of_host
from linli.registry.models import Tenant


def _get(client, host: str):
    return client.get("/", headers={"host": host})


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
    """Who posts JSON reads no page."""

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
