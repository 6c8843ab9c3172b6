"""Whatever fits the schema is answered: schemathesis asks every root field, by several roles.

What it makes up is valid GraphQL with values that mean nothing, or that hold ids of the furnished
town. `make prove` asks for longer.
"""

from collections.abc import Iterator

import pytest
import schemathesis
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes, scalar

from linli.accounts.policy import Role
from linli.budget.lease import forget
from linli_api import ids
from linli_api.sdl import committed
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.two_towns import World, two_towns

HOSTS = {"tenant": "chezhan.linli.localhost", "platform": "linli.localhost"}
ROLES = [Role.STREET_ADMINISTRATOR, Role.AUDITOR, Role.PARTNER]
FEW, MANY = 3, 60

# Signs that some column, JSON or UTF-8 does not take, alone and inside.
_SIGNS = st.sampled_from(["\0", "a\0b", "\u0001", "\u202e", "\ufffe", "\U0001f9e7", "\U0010ffff"])
_TEXTS = st.one_of(st.text(max_size=20), _SIGNS)
_DIGITS = st.integers(-(2**63), 2**63)
_VALUES = {
    "String": _TEXTS.map(nodes.String),
    "Fen": st.one_of(st.integers(0, 10**6), _DIGITS).map(nodes.Int),
    "Rate": st.one_of(st.decimals(0, 1, places=4), st.decimals()).map(str).map(nodes.String),
    "Decimal": st.decimals().map(str).map(nodes.String),
    "Date": st.one_of(st.dates().map(str), st.text(max_size=12)).map(nodes.String),
    "DateTime": st.datetimes().map(lambda one: one.isoformat()).map(nodes.String),
    "UUID": st.uuids().map(str).map(nodes.String),
    "Document": st.one_of(
        _TEXTS.map(nodes.String),
        st.integers().map(nodes.Int),
        st.lists(st.text(max_size=5).map(nodes.String), max_size=3).map(nodes.List),
        st.just(nodes.Null),
    ),
}
for _name, _strategy in _VALUES.items():
    scalar(_name, _strategy)

OPERATIONS = [
    pytest.param(side, found.ok(), id=f"{side}-{found.ok().label}")
    for side in HOSTS
    for found in schemathesis.graphql.from_path(committed(side)).get_all_operations()
]


@pytest.fixture(scope="module")
def world(session_database, django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), two_towns(session_database) as made:
        yield made


@pytest.fixture(scope="module")
def people(world) -> list:
    """One person a role, in the street office of the host; and who has every role there is."""
    found = [world.ours.all_powerful.person]
    for role in ROLES:
        person = PersonFactory()
        MembershipFactory(person=person, tenant=world.ours.tenant, role=role)
        found.append(person)
    # Ids that exist, among the ones that are made up.
    known = [ids.encode(kind, key) for kind, key in world.ours.keys.items()]
    kinds = st.sampled_from([*world.ours.keys, "Division"])
    strange = st.builds(ids.encode, kinds, _TEXTS)
    scalar("ID", st.one_of(st.sampled_from(known), strange, _TEXTS).map(nodes.String))
    return found


def _ask(side, operation, people, examples):
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=examples == FEW,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), who=st.sampled_from(people))
    def answered(case, who):
        forget()
        client = Client(headers={"host": HOSTS[side], "accept-language": "en"})
        with transaction.atomic():
            client.force_login(who)
            response = client.post(
                "/graphql", {"query": case.body}, content_type="application/json"
            )
            transaction.set_rollback(True)
        assert response.status_code < 500, case.body
        assert "INTERNAL" not in response.content.decode(), case.body

    answered()


@pytest.mark.parametrize(("side", "operation"), OPERATIONS)
def test_nothing_that_fits_the_schema_is_a_fault_of_ours(world, people, side, operation):
    _ask(side, operation, people, FEW)


@pytest.mark.prove
@pytest.mark.parametrize(("side", "operation"), OPERATIONS)
def test_nor_in_a_long_run(world, people, side, operation):
    _ask(side, operation, people, MANY)
