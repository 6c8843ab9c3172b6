"""An event is written with the write it tells of, in one statement, and says nothing of a person."""

import re

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from linli.accounts.policy import Client, Permission, system_actor
from linli.events.emit import emit
from linli.events.models import Event
from linli.events.types import Id, event_types
from linli.ids import encode
from linli.tenancy.context import tenant_context
from linli_api.schema import platform_schema, tenant_schema
from tenants.communities.models import Community


@pytest.fixture
def inside(street):
    with tenant_context(street):
        yield street


def _tell(tenant, **more):
    given = {
        "actor": system_actor(tenant),
        "type": "community.updated",
        "obj": Community(),
        "data": {"changed": ["name"]},
    }
    return emit(**given | more)


def test_outside_a_transaction_it_raises(committed):
    with pytest.raises(RuntimeError, match="inside the transaction"):
        _tell(committed)
    assert not Event.objects.exists()


def test_it_is_one_statement(inside):
    assert not Event.objects.exists()  # the schema is entered with the first statement
    with CaptureQueriesContext(connection) as captured:
        _tell(inside)
    assert [query["sql"].split()[0] for query in captured] == ["INSERT"]


def test_what_is_rolled_back_was_never_told(inside):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        _tell(inside)
        1 / 0  # noqa: B018
    assert not Event.objects.exists()


def test_it_names_object_place_and_who(inside, actor_as):
    actor = actor_as(inside, "street_administrator")
    through = Client(id=Community().pk, name="小程序")
    community = Community()
    event = _tell(
        inside,
        actor=type(actor)(actor.person, actor.tenant, actor.grants, through),
        obj=community,
        community_id=community.pk,
    )
    event.refresh_from_db()
    assert (event.object_type, event.object_id) == ("Community", community.pk)
    assert event.community_id == community.pk
    assert (event.person_id, event.client_id) == (actor.person_id, through.id)
    assert event.position == 0


@pytest.mark.parametrize("data", [{}, {"changed": [], "more": 1}])
def test_data_that_was_not_declared_is_a_fault_of_ours(inside, data):
    with pytest.raises(TypeError, match="carries"):
        _tell(inside, data=data)


def test_keys_become_global_ids(inside):
    community = Community()
    event = _tell(
        inside,
        type="fact.stated",
        data={"community": community.pk, "key": "markets", "corrected": False},
    )
    assert event.data["community"] == encode("Community", community.pk)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events_event SET type = 'other'",
        "UPDATE events_event SET data = '{}'",
        "DELETE FROM events_event",
    ],
)
def test_the_log_in_cannot_change_what_was_told(inside, statement):
    _tell(inside)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement)


def test_every_type_is_about_a_type_of_the_api_that_its_reader_may_read():
    # The library is read at the platform's host.
    shown = platform_schema.graphql_schema.type_map | tenant_schema.graphql_schema.type_map
    for one in event_types():
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", one.name)
        about = shown[one.about].graphene_type._meta
        assert about.permission == one.permission or one.permission == Permission.FUND_READ
        for kind in one.data.values():
            assert kind.description.endswith(".") or kind.description.endswith("…")
            if isinstance(kind, Id):
                assert kind.of in shown
