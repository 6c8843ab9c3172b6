"""What all tests share. Real PostgreSQL, as the application's log-in; nothing of ours is mocked.

`db` (pytest-django's) rolls a test back; `scratch_database` is for tests that commit, start
processes or kill them. `make test` runs them in two processes: each has its own copy of the template,
and what a test starts or makes outside of it bears a name or a port that is that test's alone.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from django.db import connection, connections
from hypothesis import settings

from linli.accounts.policy import Actor, Role, actor_for
from linli.registry.models import Tenant
from tests.support.databases import Database, connect_to, copy_of_template
from tests.support.factories import MembershipFactory, PersonFactory

if os.environ.keys() & {"DATABASE_URL", "OWNER_DATABASE_URL"}:
    pytest.exit(
        "Tests run on the embedded PostgreSQL only: unset DATABASE_URL and OWNER_DATABASE_URL."
    )

# `make prove` looks at so many random examples, `make test` at a hundred.
settings.register_profile("prove", max_examples=2000)

_serial = itertools.count(1)


@pytest.fixture(scope="session")
def session_database() -> Iterator[Database]:
    database = copy_of_template(f"linli_test_run_{os.getpid()}")
    yield database
    connections.close_all()
    database.drop()


@pytest.fixture(scope="session")
def django_db_setup(session_database: Database, django_db_blocker) -> None:
    """Takes the place of pytest-django's: the database is there already."""
    with django_db_blocker.unblock():
        connect_to(session_database.name)


@pytest.fixture
def scratch_database(
    session_database: Database, django_db_setup: None, django_db_blocker
) -> Iterator[Database]:
    """A database for this test alone: what it commits goes with it. Other processes reach it
    through ``scratch_database.run(…)`` and ``.environment()``."""
    database = copy_of_template(f"linli_test_run_{os.getpid()}_{next(_serial)}")
    with django_db_blocker.unblock():
        connect_to(database.name)
        yield database
        connect_to(session_database.name)
    database.drop()


@pytest.fixture(autouse=True)
def _in_public() -> Iterator[None]:
    """No test inherits the tenant of the one before."""
    connection.set_schema_to_public()
    yield
    connection.set_schema_to_public()


def _tenant(slug: str) -> Tenant:
    return Tenant.objects.select_related("parent__parent").get(slug=slug)


@pytest.fixture
def city(db: None) -> Tenant:
    """淄博市 Zibo, above everything but `other_city`."""
    return _tenant("zibo")


@pytest.fixture
def other_city(db: None) -> Tenant:
    """大同市 Datong, which has nothing to do with Zibo."""
    return _tenant("datong")


@pytest.fixture
def district(db: None) -> Tenant:
    """张店区 Zhangdian, above `street`."""
    return _tenant("zhangdian")


@pytest.fixture
def other_district(db: None) -> Tenant:
    """临淄区 Linzi, above `other_street`."""
    return _tenant("linzi")


@pytest.fixture
def street(db: None) -> Tenant:
    """车站街道 Chezhan in `district`."""
    return _tenant("chezhan")


@pytest.fixture
def other_street(db: None) -> Tenant:
    """闻韶街道 Wenshao in `other_district`."""
    return _tenant("wenshao")


ActorAs = Callable[..., Actor]


@pytest.fixture
def actor_as() -> ActorAs:
    """``actor_as(tenant, Role.AUDITOR, community_id=None)``: somebody new with that role there.

    ``held_at`` names another tenant (or None, the platform) the membership is of. Works in the
    test's transaction or in a scratch database alike.
    """

    def make(
        tenant: Tenant | None,
        role: Role,
        *,
        community_id=None,
        held_at: Tenant | str | None = "same",
    ) -> Actor:
        person = PersonFactory()
        MembershipFactory(
            person=person,
            tenant=tenant if held_at == "same" else held_at,
            role=role,
            community_id=community_id,
            starts_on=date(2020, 1, 1),
        )
        return actor_for(person, tenant)

    return make
