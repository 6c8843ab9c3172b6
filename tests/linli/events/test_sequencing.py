"""A position is given after the commit: no reader's cursor passes an event it has not seen."""

import threading
from datetime import date

from django.db import connection, transaction

from linli.accounts.policy import system_actor
from linli.events.emit import emit
from linli.events.models import Delivery, Event
from linli.events.selectors import events
from linli.events.sequencing import sequence
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community
from tenants.communities.models import Community

DATA = {"changed": ["name"]}


def in_another_process(tenant, work):
    """In a thread with a connection of its own, to its end."""
    faults = []

    def run():
        try:
            with tenant_context(tenant):
                work()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert not faults, faults


def test_who_began_first_and_commits_last_comes_last(committed, community):
    sequence(committed.pk)
    mark = Event.objects.filter(position__gt=0).latest("position").position
    seen = []

    def another():
        with transaction.atomic():
            later = emit(actor=None, type="community.updated", obj=Community(), data=DATA)
        sequence(committed.pk)
        seen.append(later.pk)

    with transaction.atomic():
        first = emit(actor=None, type="community.updated", obj=Community(), data=DATA)
        in_another_process(committed, another)
    sequence(committed.pk)

    order = list(
        Event.objects.filter(position__gt=mark).order_by("position").values_list("pk", flat=True)
    )
    assert order == [*seen, first.pk]
    assert first.pk < seen[0]  # by their ids it would have been missed


def test_many_at_once_get_each_position_once_and_keep_the_order_of_each_object(committed):
    actor = system_actor(committed)
    one = add_community(actor=actor, name="城南社区", opened_on=date(2024, 1, 1))

    def work():
        for _ in range(25):
            with transaction.atomic():
                Community.objects.select_for_update().get(pk=one.pk)
                emit(actor=None, type="community.updated", obj=one, data=DATA)
            sequence(committed.pk)

    def run():
        try:
            with tenant_context(committed):
                work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = list(Event.objects.order_by("position").values_list("position", "pk"))
    assert [position for position, _pk in found] == list(range(1, 102))
    assert [pk for _position, pk in found] == sorted(pk for _position, pk in found)


def test_nobody_sees_what_has_no_position(committed, system, community):
    assert list(events(actor=system)) == []
    sequence(committed.pk)
    assert [event.type for event in events(actor=system)] == ["community.added"]


def test_more_than_a_batch(committed, system, endpoint, monkeypatch):
    monkeypatch.setattr("linli.events.sequencing.BATCH", 10)
    endpoint("http://127.0.0.1:9/")
    with transaction.atomic():
        for _ in range(35):
            emit(actor=None, type="community.updated", obj=Community(), data=DATA)

    assert sequence(committed.pk) == 35
    assert sequence(committed.pk) == 0
    assert Delivery.objects.filter(state="ready").count() == 35


def test_of_one_object_only_the_first_is_ready(committed, system, community, endpoint, happen):
    endpoint("http://127.0.0.1:9/")
    for _ in range(2):
        happen(community)
        happen(community)
        sequence(committed.pk)
    states = Delivery.objects.order_by("position").values_list("state", flat=True)
    assert list(states) == ["ready", "waiting", "waiting", "waiting"]
