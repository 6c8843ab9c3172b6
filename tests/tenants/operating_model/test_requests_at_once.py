"""Several decide at the same moment, or one dies over it: a change is done once, or not at all."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections

from linli.accounts.policy import Role
from linli.audit.models import Entry
from linli.errors import Refused
from linli.events.models import Event
from linli.library.models import AdoptionRecord, ChangeRecord
from linli.registry.models import Tenant
from linli.tenancy.context import public_context, tenant_context
from tenants.operating_model.models import Adoption, ChangeRequest, Layer
from tenants.operating_model.requests import (
    approve_change,
    request_adoption,
    return_change,
    withdraw_request,
)
from tests.support.databases import ROOT

from .conftest import MONTHS, START, TODAY, adopt, document, layer, write

EIGHT = 8
# Dies when the change is written, before anything is committed.
DYING = """
import os, signal, sys
import django
django.setup()
from linli.accounts.models import Person
from linli.accounts.policy import actor_for
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.operating_model import closing_requests, requests
street = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
actor = actor_for(Person.objects.get(pk=sys.argv[1]), street)
tell = closing_requests.tell_request
def dying(*told):
    tell(*told)
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[3] == "dies":
    closing_requests.tell_request = dying
with tenant_context(street):
    requests.approve_change(actor=actor, request_id=sys.argv[2])
"""


def at_once(street, work):
    """``work(i)`` in eight threads with connections of their own, released together."""
    gate = Barrier(EIGHT)

    def run(i):
        try:
            with tenant_context(street):
                gate.wait(timeout=30)
                return work(i)
        except Refused as refused:
            return refused.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(EIGHT) as pool:
        return list(pool.map(run, range(EIGHT)))


def running(actor_as):
    """Chezhan runs a version of its own; a second one waits, with 12 rent-free months of the street."""
    street = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
    proposer = actor_as(street, Role.STREET_ADMINISTRATOR)
    with tenant_context(street):
        adopt(street, write(street))
        second = write(street, document(rent_free_months=6))
        asked = request_adoption(
            actor=proposer, version_id=second.pk, effective_from=TODAY, values={MONTHS: 12}
        )
    return street, proposer, second, asked


def test_of_eight_that_approve_at_once_one_does(scratch_database, actor_as):
    street, _proposer, second, asked = running(actor_as)
    actors = [actor_as(street, Role.STREET_ADMINISTRATOR) for _ in range(EIGHT)]

    answers = at_once(
        street, lambda i: approve_change(actor=actors[i], request_id=asked.pk).state.value
    )

    assert sorted(answers) == ["REQUEST_DECIDED"] * 7 + ["approved"]
    with tenant_context(street):
        assert list(Adoption.objects.order_by("pk").values_list("version_id", flat=True)) == [
            Adoption.objects.order_by("pk").first().version_id,
            second.pk,
        ]
        assert Layer.objects.get().values == {MONTHS: 12}
        assert Entry.objects.filter(action="models.approve_change").count() == 1


def test_of_approving_returning_and_withdrawing_at_once_one_wins(scratch_database, actor_as):
    street, proposer, _second, asked = running(actor_as)
    approver = actor_as(street, Role.STREET_ADMINISTRATOR)

    def work(i):
        if i % 3 == 0:
            return approve_change(actor=approver, request_id=asked.pk).state.value
        if i % 3 == 1:
            return return_change(actor=approver, request_id=asked.pk, reason="再想想").state.value
        return withdraw_request(actor=proposer, request_id=asked.pk).state.value

    answers = at_once(street, work)

    [won] = [answer for answer in answers if answer != "REQUEST_DECIDED"]
    with tenant_context(street):
        assert ChangeRequest.objects.get().state == won
        assert Adoption.objects.count() == (2 if won == "approved" else 1)
        assert Layer.objects.count() == (1 if won == "approved" else 0)


def test_of_eight_that_ask_at_once_one_may(scratch_database, actor_as):
    street = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
    actors = [actor_as(street, Role.STREET_ADMINISTRATOR) for _ in range(EIGHT)]
    with tenant_context(street):
        version = write(street)

    def work(i):
        given = {"version_id": version.pk, "effective_from": START}
        return request_adoption(actor=actors[i], **given).state.value

    assert sorted(at_once(street, work)) == ["REQUEST_OPEN"] * 7 + ["proposed"]
    with tenant_context(street):
        assert ChangeRequest.objects.count() == 1


def test_a_layer_set_while_it_is_approved_is_never_lost_without_a_word(scratch_database, actor_as):
    """Either the layer came first, and the approval is refused; or it came after, and counts."""
    street, _proposer, _second, asked = running(actor_as)
    approver = actor_as(street, Role.STREET_ADMINISTRATOR)

    def work(i):
        if i == 0:
            return approve_change(actor=approver, request_id=asked.pk).state.value
        return layer(street, {MONTHS: 20 + i}).values[MONTHS]

    answers = at_once(street, work)

    with tenant_context(street):
        told = [row.values[MONTHS] for row in Layer.objects.order_by("pk")]
        if answers[0] == "approved":
            assert told[0] == 12
            assert sorted(told[1:]) == list(range(21, 28))
        else:
            assert answers[0] == "CHANGED_SINCE_REQUESTED"
            assert sorted(told) == list(range(21, 28))
            assert ChangeRequest.objects.get().state == "proposed"


def test_killed_while_it_is_approved_nothing_is_done_and_it_can_be_approved_again(
    scratch_database, actor_as
):
    street, _proposer, second, asked = running(actor_as)
    approver = actor_as(street, Role.STREET_ADMINISTRATOR)

    def rows():
        with tenant_context(street):
            here = [m.objects.count() for m in (Adoption, Layer, Entry, Event)]
        with public_context():
            shelf = [m.objects.count() for m in (AdoptionRecord, ChangeRecord, Entry)]
            return [*here, *shelf]

    def approve(how):
        return subprocess.run(
            [sys.executable, "-c", DYING, str(approver.person_id), str(asked.pk), how],
            cwd=ROOT, env=scratch_database.environment(), timeout=120,
        ).returncode  # fmt: skip

    before = rows()
    assert approve("dies") == -signal.SIGKILL
    assert rows() == before
    with tenant_context(street):
        assert ChangeRequest.objects.get().state == "proposed"

    assert approve("lives") == 0
    with tenant_context(street):
        request = ChangeRequest.objects.get()
        assert (request.state, request.adoption.version_id) == ("approved", second.pk)
    assert [now - then for now, then in zip(rows(), before, strict=True)] == [1, 1, 2, 3, 1, 1, 2]
