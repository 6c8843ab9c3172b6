"""F2: balanced by construction, append-only by privilege, never overdrawn."""

import json
from datetime import date
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from linli.accounts.policy import system_actor
from linli.errors import Refused
from linli.tenancy.context import tenant_context
from tenants.fund.actions import record_income
from tenants.fund.ledger import Event, Leg, post
from tenants.fund.models import Account, Posting, Source
from tenants.operating_model.actions import freeze_rules
from tenants.operating_model.selectors import effective_rules

DAY = date(2025, 3, 1)


@pytest.fixture
def event(house) -> Event:
    rules = freeze_rules(effective_rules(DAY, house.community.pk))
    return Event(house.fund.pk, DAY, house.cashier.person_id, rules.pk)


def _income(amount: int) -> Leg:
    return Leg("source:donation", "held:general", amount, Posting.Kind.INCOME)


def _spend(amount: int) -> Leg:
    return Leg("held:general", "use:activities", amount, Posting.Kind.SPENDING)


def balances(fund) -> dict[str, int]:
    return {a.code: a.balance_fen for a in Account.objects.filter(fund=fund)}


def test_an_event_moves_money_between_accounts_opened_when_first_named(house, event) -> None:
    group = post(event, [_income(1_000), _spend(300)])

    assert balances(house.fund) == {
        "source:donation": -1_000,
        "held:general": 700,
        "use:activities": 300,
    }
    legs = Posting.objects.filter(group_id=group).order_by("pk")
    assert [(p.debit.code, p.credit.code, p.amount_fen) for p in legs] == [
        ("source:donation", "held:general", 1_000),
        ("held:general", "use:activities", 300),
    ]
    assert {p.rules_id for p in legs} == {event.rules_id}


def test_the_database_refuses_an_overdraft_and_nothing_of_the_event_stays(house, event) -> None:
    post(event, [_income(1_000)])
    before = (balances(house.fund), Posting.objects.count())

    with pytest.raises(Refused) as refused:
        post(event, [_income(1), _spend(1_002)])

    assert refused.value.code == "BALANCE_TOO_LOW"
    assert (balances(house.fund), Posting.objects.count()) == before


@pytest.mark.parametrize("amount", [0, -1, 2**53])
def test_an_amount_that_is_none_is_refused_by_the_database(house, event, amount: int) -> None:
    with pytest.raises((Refused, IntegrityError)):
        post(event, [_income(amount)])

    assert balances(house.fund) == {}


def test_a_total_that_could_not_be_counted_exactly_is_refused(house, event) -> None:
    post(event, [_income(2**53 - 1)])

    with pytest.raises(Refused) as refused:
        post(event, [_income(1)])

    assert refused.value.code == "AMOUNT_OUT_OF_RANGE"
    assert balances(house.fund)["held:general"] == 2**53 - 1


def test_a_posting_between_one_account_and_itself_is_refused(house, event) -> None:
    with pytest.raises(IntegrityError, match="posting_between_two_accounts"):
        post(event, [Leg("held:general", "held:general", 1, Posting.Kind.ALLOCATION)])


def test_an_account_of_no_kind_is_refused(house, event) -> None:
    with pytest.raises(IntegrityError, match="account_kind"):
        post(event, [Leg("other:x", "held:general", 1, Posting.Kind.INCOME)])


@pytest.mark.parametrize("table", ["fund_account", "fund_posting"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET id = id",
        "DELETE FROM {table}",
        "INSERT INTO {table} SELECT * FROM {table}",
        "TRUNCATE {table}",
        "SELECT * FROM {table} FOR UPDATE",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "DROP TABLE {table}",
        "GRANT DELETE ON {table} TO linli_app",
    ],
)
def test_the_applications_log_in_may_only_read_the_ledger(house, event, table, statement) -> None:
    """`GRANT` is no error in PostgreSQL where there is nothing to grant, so what counts is after."""
    post(event, [_income(1_000)])
    before = _rows()

    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(table=table))
            refused = False
    except ProgrammingError as error:
        refused = "permission denied" in str(error) or "must be owner" in str(error)

    assert refused or statement.startswith("GRANT")
    assert _rows() == before
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")


def _rows() -> list:
    return [list(Account.objects.order_by("pk").values()), list(Posting.objects.values())]


def test_no_cascade_reaches_the_ledger(house, event) -> None:
    post(event, [_income(1_000)])
    before = _rows()

    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM fund_fund")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    assert _rows() == before


def test_the_function_cannot_be_turned_on_tables_of_the_callers_choice(house, event) -> None:
    """Its search path is fixed to its own schema, and the caller may create nothing anyway."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT proconfig FROM pg_proc WHERE oid = 'fund_post(jsonb)'::regprocedure")
        assert cursor.fetchone()[0] == ["search_path=t_chezhan, pg_temp"]
    for statement in (
        "CREATE TEMP TABLE fund_account (id int)",
        "CREATE TABLE fund_account2 (id int)",
        "CREATE SCHEMA mine",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(statement)


def test_another_tenants_fund_cannot_be_posted_to(house, event, other_street) -> None:
    """The function of a tenant's schema knows that schema's rows only."""
    with tenant_context(other_street), pytest.raises(IntegrityError), transaction.atomic():
        post(event, [_income(1_000)])
        with connection.cursor() as cursor:  # what the commit would do
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert balances(house.fund) == {}


def test_a_leg_of_hostile_text_stays_text(house, event) -> None:
    note = "'; DROP TABLE fund_posting; -- 你好 \u0000"[:-1]
    post(Event(**{**vars(event), "note": note}), [_income(1)])

    assert Posting.objects.get().note == note


def test_the_same_posting_twice_is_refused(house, event) -> None:
    row = {
        "id": str(uuid4()), "group_id": str(uuid4()), "fund_id": str(house.fund.pk),
        "debit": "source:donation", "credit": "held:general", "amount_fen": 5, "kind": "income",
        "happened_on": "2025-03-01", "rules_id": str(event.rules_id),
    }  # fmt: skip
    for expected in (5, IntegrityError):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT fund_post(%s::jsonb)", [json.dumps([row])])
        except IntegrityError:
            assert expected is IntegrityError
    assert balances(house.fund)["held:general"] == 5


def test_income_comes_in_by_the_waterfall_and_every_posting_names_its_rules(house) -> None:
    record_income(
        actor=system_actor(house.street), fund_id=house.fund.pk, source=Source.MARKET,
        amount_fen=1_001, received_on=DAY,
    )  # fmt: skip

    assert balances(house.fund) == {
        "source:market": -1_001,
        "held:inflow": 0,
        "held:services": 501,
        "held:property": 400,
        "held:volunteers": 100,
    }
    rules = {posting.rules.digest for posting in Posting.objects.select_related("rules")}
    assert rules == {effective_rules(DAY, house.community.pk).digest}
