"""People for these tests, and a browser that keeps each host's cookies to itself."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from functools import cache
from itertools import count
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.contrib.auth.hashers import make_password
from django.http import HttpResponse
from django.test import Client

from linli.accounts.actions import grant_membership, register_person
from linli.accounts.models import Membership, Person
from linli.accounts.policy import Role, system_actor
from linli.registry.models import Tenant

PASSWORD = "chuangye-lu-17"
_serial = count(1)


class Browser:
    """Several hosts, one person in front of them: a cookie goes back only to the host it came from."""

    def __init__(self) -> None:
        self.at: defaultdict[str, Client] = defaultdict(Client)

    def get(self, url: str, **data: str) -> HttpResponse:
        """Ask for a full address, without following where it leads."""
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return self.at[str(parts.hostname)].get(path, data, headers={"host": parts.netloc})

    def post(self, url: str, **data: str) -> HttpResponse:
        parts = urlsplit(url)
        return self.at[str(parts.hostname)].post(parts.path, data, headers={"host": parts.netloc})

    def follow(self, url: str) -> tuple[str, HttpResponse]:
        """Ask and go wherever the answers lead; the last address and its answer."""
        for _hop in range(8):
            answer = self.get(url)
            if answer.status_code != 302:
                return url, answer
            parts = urlsplit(url)
            target = answer["Location"]
            url = target if "://" in target else f"{parts.scheme}://{parts.netloc}{target}"
        raise AssertionError(f"went round in circles at {url}")

    def log_in(self, person: Person, password: str = PASSWORD) -> HttpResponse:
        return self.post(
            "http://linli.localhost:8000/accounts/login/",
            login=person.username,
            password=password,
        )

    def person_at(self, host: str) -> str | None:
        """The id of whoever is logged in there, seen through the host's own pages."""
        user = self.get(f"http://{host}:8000/").context["request"].user
        return str(user.pk) if user.is_authenticated else None


@pytest.fixture
def browser(db: None) -> Browser:
    return Browser()


@pytest.fixture
def person(db: None) -> Person:
    return somebody()


def somebody(**given: str) -> Person:
    """Registered, and able to log in with `PASSWORD`."""
    number = next(_serial)
    person = register_person(
        actor=system_actor(None),
        **{"username": f"wang{number}", "name": f"王工{number}"} | given,
    )
    person.password = _hash_of_password()
    person.save(update_fields=["password"])
    return person


@cache
def _hash_of_password() -> str:
    """Once for all: Argon2 is slow by design."""
    return make_password(PASSWORD)


@pytest.fixture
def new_person(db: None) -> Callable[..., Person]:
    return somebody


@pytest.fixture
def give(db: None) -> Callable[..., Membership]:
    """``give(person, tenant, role)``: a membership, granted by the system."""

    def grant(
        person: Person, tenant: Tenant | None, role: Role, *, community_id: UUID | None = None
    ) -> Membership:
        return grant_membership(
            actor=system_actor(tenant),
            person_id=person.pk,
            role=role,
            community_id=community_id,
            starts_on=date(2026, 1, 1),
        )

    return grant
