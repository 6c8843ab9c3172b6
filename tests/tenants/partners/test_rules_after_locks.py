"""Whoever had to wait for a lock works by the rules as they are once it is theirs."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from linli.accounts.policy import system_actor
from linli.errors import Refused
from linli.registry.hosts import tenant_of_host
from linli.tenancy.context import public_context, tenant_context
from linli.tenancy.unit import unit_of_work
from tenants.operating_model.actions import set_layer
from tenants.operating_model.models import Layer
from tenants.operating_model.rulebook import one_at_a_time
from tenants.operating_model.selectors import effective_rules
from tenants.partners.actions import declare_income, update_partner
from tenants.partners.models import Agreement, Partner

from .conftest import signed

RATE = "partners.contributions[stationed].rate"


@pytest.fixture
def waiting_for(committed_house):
    """``waiting_for(rows, work, change)``: what a request's ``work()`` gives, begun before somebody
    who holds the rows' locks has ``change()`` committed, and lets go of them."""
    house = committed_house

    def request(work):
        try:
            with public_context():
                found = tenant_of_host("chezhan.linli.localhost")
            told = {found.schema_name: found.rules_stamp}
            with tenant_context(found), unit_of_work(told):
                effective_rules(timezone.localdate())  # it has them in memory
                return work()
        except Refused as refused:
            return refused
        finally:
            connections.close_all()

    def apart(change):
        try:
            with tenant_context(house.street):
                change(house)
        finally:
            connections.close_all()

    def run(rows, work, change):
        with ThreadPoolExecutor(2) as pool:
            with transaction.atomic():
                assert len(rows.select_for_update()) == 1
                asked = pool.submit(request, work)
                _until_somebody_waits()
                pool.submit(apart, change).result(30)
            return asked.result(30)

    return run


def _until_somebody_waits():
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def _layer(house, values):
    today = timezone.localdate()
    set_layer(actor=system_actor(house.street), values=values, bounds={}, effective_from=today)


def test_a_declaration_that_waited(committed_house, waiting_for):
    """Its last day is yesterday, so the new rules are the first adoption's, of an earlier day."""
    agreement = signed(committed_house)
    days = {"starts_on": date(2024, 1, 1), "ends_on": date(2024, 4, 1)}
    given = {"actor": committed_house.administrator, "agreement_id": agreement.pk, **days}

    contribution = waiting_for(
        Agreement.objects.filter(pk=agreement.pk),
        lambda: declare_income(income_fen=100_000, **given),
        lambda house: _written_by_hand(),
    )

    assert contribution.amount_fen == 2_000


def _written_by_hand():
    """2 % since 2024 already, as no action would do: a change that the declaration's days see."""
    with one_at_a_time():
        Layer.objects.create(
            kind="street",
            set_by="车站街道",
            values={RATE: "0.02"},
            bounds={},
            effective_from=date(2024, 1, 1),
        )


def test_a_partner_whose_kind_went_meanwhile(committed_house, waiting_for):
    rules = effective_rules(timezone.localdate())
    kinds = rules.raw["partners"]["kinds"]
    assert "skilled_resident" in [one["key"] for one in kinds]
    clinic = committed_house.clinic

    refused = waiting_for(
        Partner.objects.filter(pk=clinic.pk),
        lambda: update_partner(
            actor=committed_house.administrator, partner_id=clinic.pk, kind="skilled_resident"
        ),
        lambda house: _layer(house, {"partners.kinds[skilled_resident]": None}),
    )

    assert refused.code == "KIND_UNKNOWN"
    clinic.refresh_from_db()
    assert clinic.kind == "enterprise"
