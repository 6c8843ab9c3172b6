"""`insert` leaves the row that `save` leaves, and refuses what it refuses."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from linli.accounts.policy import system_actor
from linli.audit.models import Entry
from linli.events.models import Event
from linli.ids import uuid7
from linli.inserting import insert
from linli.tenancy.context import tenant_context
from linli.tenancy.models import CrossedTenants
from tenants.communities.actions import add_community
from tenants.communities.models import Community
from tenants.partners.models import Partner

KEY = uuid7()


@pytest.fixture
def community(street) -> Community:
    with tenant_context(street):
        system = system_actor(street)
        yield add_community(actor=system, name="城南社区", opened_on=date(2024, 1, 1))


def partner(community: Community, name: str = "区人民医院") -> Partner:
    return Partner(community=community, name=name, kind="enterprise", joined_on=date(2024, 5, 1))


def an_event() -> Event:
    return Event(type="income.declared", object_type="Declaration", object_id=KEY, data={"天": 1})


def an_entry() -> Entry:
    return Entry(action="partners.admitted", object_type="x", object_id="1", after={"on": "天 %s"})


def stands(row: models.Model) -> dict:
    """Its columns as they are in the table, but for key and times."""
    kept = type(row).objects.get(pk=row.pk)
    columns = {f.attname: getattr(kept, f.attname) for f in kept._meta.concrete_fields}
    assert columns == {name: getattr(row, name) for name in columns}
    return {name: v for name, v in columns.items() if name not in ("id", "at")}


def test_the_row_is_the_one_that_save_leaves(community) -> None:
    for make in (an_event, an_entry):
        saved, inserted = make(), make()
        saved.save(force_insert=True)
        insert(inserted)
        assert stands(inserted) == stands(saved)
    one = partner(community)
    insert(one)
    assert stands(one)["version"] == 1


def test_it_is_one_statement_and_the_row_can_be_changed_afterwards(community) -> None:
    one = partner(community)
    with CaptureQueriesContext(connection) as captured:
        insert(one)
    assert [query["sql"].split()[0] for query in captured] == ["INSERT"]
    one.name = "市人民医院"
    one.save()
    assert Partner.objects.get().name == "市人民医院"


def test_several_are_one_statement_and_each_is_told_what_it_got(community) -> None:
    rows = [an_event(), partner(community), an_event(), an_entry()]
    with CaptureQueriesContext(connection) as captured:
        insert(*rows)
    assert len(captured) == 1
    for row in rows:
        stands(row)


def test_what_the_database_fills_in_is_read_back_and_what_is_given_is_kept(community) -> None:
    filled, given = an_event(), an_event()
    given.id = uuid7()
    key = given.id
    insert(filled)
    insert(given)
    assert (filled.position, filled.at) == (0, Event.objects.get(pk=filled.pk).at)
    assert given.pk == key


def test_a_constraint_holds(community) -> None:
    insert(partner(community))
    with pytest.raises(IntegrityError, match="partner_once_a_community"), transaction.atomic():
        insert(partner(community))


def test_a_row_of_another_tenant_is_not_inserted_here(community, other_street) -> None:
    one = partner(community)
    insert(one)
    with tenant_context(other_street), pytest.raises(CrossedTenants):
        insert(one)
