"""Chezhan's street office behind a real gunicorn, and who may ask there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.test import Client

from linli.accounts.policy import Role
from linli.registry.models import Tenant
from tests.support.databases import Database
from tests.support.servers import serving
from tests.support.town import furnish

MARK = "Ω甲"


@dataclass(frozen=True)
class Served:
    """address: of this machine; the headers say which host is meant, and who asks."""

    address: str
    headers: dict[str, str]

    @property
    def named(self) -> str:
        return f"http://{self.headers['Host']}"

    @property
    def environment(self) -> dict[str, str]:
        return {"LINLI_HEADERS": json.dumps(self.headers)}


@pytest.fixture
def served(scratch_database: Database, actor_as) -> Iterator[Served]:
    street = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
    furnish(street, MARK, 141)
    host = "chezhan.linli.localhost"
    browser = Client(headers={"host": host})
    browser.force_login(actor_as(street, Role.STREET_ADMINISTRATOR).person)
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    token = "t" * 32
    with serving(scratch_database) as port:
        yield Served(
            f"http://127.0.0.1:{port}",
            {
                "Host": f"{host}:{port}",
                "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; csrftoken={token}",
                "X-CSRFToken": token,
                "Accept-Language": "en",
            },
        )
