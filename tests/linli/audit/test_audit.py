"""Every write leaves one row: who, when, what, before and after, in the same transaction.

Every mutation of both schemas is found by introspection and done as `tests.support.deeds` tells; one
that is added later fails here until it is done there. What was written is found by comparing every
row of every schema, not by asking the code what it wrote.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import (
    IntegrityError,
    OperationalError,
    ProgrammingError,
    connection,
    models,
    transaction,
)
from django.utils.dateparse import parse_datetime
from psycopg import sql

from linli import database
from linli.accounts.models import Person
from linli.accounts.policy import Role, actor_for, system_actor
from linli.audit.models import Entry
from linli.audit.record import MASK, record, snapshot
from linli.library import paths
from linli.library.merging import ABSENT, at
from linli.tenancy.context import public_context, tenant_context
from linli_api.schema import SCHEMAS
from tenants.communities.actions import add_community
from tenants.communities.models import Community
from tenants.partners.models import Partner
from tests.support.api import do
from tests.support.deeds import DEEDS, Deed, Place
from tests.support.factories import PersonFactory
from tests.support.probes import probes
from tests.support.rows import checksums, tables
from tests.support.secrets import leaves, rows
from tests.support.two_towns import World, two_towns

MUTATIONS = [
    probe.name
    for schema in SCHEMAS.values()
    for probe in probes(schema)
    if probe.operation == "mutation"
]
TRAIL = "audit_entry"
# Nobody's decisions: what keeps somebody logged in, what is counted, what is still to be done, what
# was answered, what is told outside of the same writes, and what tells whether rules have changed.
NO_DECISIONS = re.compile(
    r"accounts_(session|onetimecode|cacheentry)|budget_account|procrastinate_\w+|repeats_keptanswer"
    r"|due_due|events_(event|delivery)|registry_rulesstamp"
)

# Rows that are told of with what they belong to, and by which column they do.
PART_OF = {
    "registry_domain": "tenant_id",
    "operating_model_upgradedecision": "upgrade_id",
    "library_outcome": "version_id",
}
# Columns of which the places that changed are told, by path; of what has ended all of it.
BY_PATH = {"operating_model_draft": ("document",)}

Row = dict[str, Any]
Rows = dict[str, Row]  # by key
Everything = dict[str, dict[str, Rows]]  # by schema and table


@pytest.fixture(scope="module")
def world(session_database, django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), two_towns(session_database) as made:
        yield made


@pytest.fixture
def place(world: World) -> Iterator[Place]:
    with transaction.atomic(), tenant_context(world.ours.tenant):
        yield Place(world.ours)
        transaction.set_rollback(True)


@dataclass(frozen=True)
class Written:
    """A row of a schema that is new (before None), is gone (after None) or differs."""

    schema: str
    table: str
    key: str
    before: Row | None
    after: Row | None

    @property
    def model(self) -> type[models.Model]:
        return next(m for m in apps.get_models() if m._meta.db_table == self.table)


Deeds = Callable[[Place], Deed]
every_deed = pytest.mark.parametrize(
    ("mutation", "deed"),
    [
        pytest.param(mutation, deed, id=f"{mutation}-{deed.__name__}")
        for mutation, deeds in DEEDS.items()
        for deed in deeds
    ],
)


@pytest.mark.parametrize("mutation", sorted(MUTATIONS))
def test_every_mutation_is_tried_here(mutation: str) -> None:
    assert mutation in DEEDS, "tests.support.deeds does not do it"


def test_nothing_is_tried_that_is_no_mutation() -> None:
    assert set(DEEDS) <= set(MUTATIONS)


@every_deed
def test_what_is_written_is_told_by_who_did_it(place: Place, mutation: str, deed: Deeds) -> None:
    done = deed(place)
    before = _everything()

    assert do(done.actor, mutation, **done.given) == {"errors": []}

    after = _everything()
    told, written = _compare(before, after)
    assert told, "it left nothing in the trail"
    assert done.actor.person_id is not None
    for entry in told:
        assert entry.after["person_id"] == str(done.actor.person_id)
        _check_entry(entry, written, after)
    for one in written:
        names = _names(one, after[one.schema])
        own = [entry.after for entry in told if entry.schema == one.schema]
        assert [e for e in own if names & _named(e)], f"nothing tells of {one}"
        _check_masks(one, own)


@every_deed
def test_what_is_refused_leaves_nothing(place: Place, mutation: str, deed: Deeds) -> None:
    done = deed(place)
    outsider = PersonFactory() if done.for_members else place.somebody(Role.AUDITOR).person
    assert outsider is not None
    before = checksums(*_schemas())
    attempts = [(done.actor, done.given | done.wrong, done.code)]
    if not done.own:
        attempts.append((actor_for(outsider, done.actor.tenant), done.given, "FORBIDDEN"))
    for actor, given, code in attempts:
        faults = do(actor, mutation, **given)["errors"]
        assert [fault["code"] for fault in faults] == [code]
        assert checksums(*_schemas()) == before


def _schemas() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT schema_name FROM public.registry_tenant ORDER BY 1")
        return ["public", *(name for (name,) in cursor.fetchall())]


def _everything() -> Everything:
    """All rows that somebody decides about, and the trail's."""
    return {
        schema: {
            table: {_key(table, row): row for row in rows(schema, table)}
            for table in tables(schema)
            if not NO_DECISIONS.fullmatch(table)
        }
        for schema in _schemas()
        if _exists(schema)
    }


def _exists(schema: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s) IS NOT NULL", [f'"{schema}"'])
        return cursor.fetchone()[0]


def _key(table: str, row: Row) -> str:
    keys = {m._meta.db_table: m._meta.pk.column for m in apps.get_models()}
    return str(row[keys.get(table, "id")])


def _compare(before: Everything, after: Everything) -> tuple[list[Written], list[Written]]:
    """The trail's new rows, and every other row that was written."""
    differing = [
        Written(schema, table, key, was.get(key), now.get(key))
        for schema, all_tables in after.items()
        for table, now in all_tables.items()
        for was in [before.get(schema, {}).get(table, {})]
        for key in sorted(was.keys() | now.keys())
        if was.get(key) != now.get(key)
    ]
    trail = [one for one in differing if one.table == TRAIL]
    assert all(one.before is None for one in trail), "the trail itself was changed"
    return trail, [one for one in differing if one.table != TRAIL]


def _check_entry(entry: Written, written: list[Written], after: Everything) -> None:
    """It names an action and an object that is there, and what it tells of it is so."""
    row = entry.after
    assert row is not None
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", row["action"])
    table = apps.get_model(row["object_type"])._meta.db_table
    # A tenant's trail may be about what is kept for all: an offer, a rule for those below.
    schema = entry.schema if table in after[entry.schema] else "public"
    about = (schema, table, row["object_id"])
    own = [one for one in written if (one.schema, one.table, one.key) == about]
    if [
        one for one in own if one.after is None
    ]:  # it has ended, with something else or with nothing
        [one] = own
        return _check_truth(one, row["before"], one.before)
    assert row["object_id"] in after[schema][table]
    assert row["after"]
    for one in own:
        _check_truth(one, row["after"], one.after)
        if one.before is not None:
            assert row["before"], f"what {one.table} was is not told"
            assert row["before"] != row["after"] or MASK in row["after"].values()
            _check_truth(one, row["before"], one.before)


def _check_truth(one: Written, told: Row, row: Row | None) -> None:
    assert row is not None
    masked = set(getattr(one.model, "personal_fields", ()))
    shared = told.keys() & row.keys()
    assert shared, f"{one.table} is told of without any of its columns"
    for name in shared:
        expected = MASK if name in masked else row[name]
        if name in BY_PATH.get(one.table, ()) and told[name] != expected:
            found = {path: at(expected, paths.steps(path)) for path in told[name]}
            expected = {path: None if one is ABSENT else one for path, one in found.items()}
        assert _plain(told[name]) == _plain(expected), f"{one.table}.{name}"


def _plain(value: Any) -> Any:
    """One spelling of moments and exact numbers, which PostgreSQL and the trail write apart."""
    if isinstance(value, str) and "T" in value and (moment := _moment(value)):
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    if isinstance(value, str) and re.fullmatch(r"-?\d+\.\d+", value):
        return Decimal(value)
    return value


def _moment(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def _names(one: Written, there: Mapping[str, Rows]) -> set[str]:
    """By what the trail may name a written row: its key, or the one event it is part of.

    Postings share an event, or are a spending's payment. An account's totals are the sum of its
    postings, and a snapshot of the rules is made for what is worked out by it: they go with those.
    A domain is a tenant's, a decision its upgrade's, an outcome its published version's.
    """
    row = one.after or one.before or {}
    found = {one.key}
    if one.table in PART_OF:
        found.add(row[PART_OF[one.table]])
    elif one.table == "fund_posting":
        found |= {row["group_id"], row["spending_id"]} - {None}
    elif one.table in ("fund_account", "operating_model_rulesnapshot"):
        for posting in there["fund_posting"].values():
            if one.key in (posting["debit_id"], posting["credit_id"], posting["rules_id"]):
                found |= {posting["group_id"], posting["spending_id"]} - {None}
    return found


def _named(entry: Row | None) -> set[str]:
    assert entry is not None
    told = (entry["object_id"], entry["before"], entry["after"])
    return {leaf for one in told for leaf in leaves(one) if isinstance(leaf, str)}


def _check_masks(one: Written, entries: list[Row | None]) -> None:
    """No entry holds what is personal in the row, whatever the entry is about."""
    personal = getattr(one.model, "personal_fields", ())
    for row in (one.before or {}, one.after or {}):
        secrets = {row[name] for name in personal if row.get(name)}
        for entry in entries:
            assert entry is not None
            assert not secrets & _named(entry)
            assert not [s for s in secrets if s in entry["reason"]]


# ── In the same transaction ──────────────────────────────────────────────────────────────────────


def _counts() -> tuple[int, int]:
    return Community.objects.count(), Entry.objects.count()


def _added(street: Any) -> Community:
    return add_community(actor=system_actor(street), name="城南社区", opened_on=date(2024, 1, 1))


def test_outside_of_a_transaction_nothing_is_recorded(scratch_database) -> None:
    street = _street()
    with tenant_context(street):
        community = _added(street)
        before = _counts()
        with pytest.raises(RuntimeError, match="inside the transaction"):
            record(actor=None, action="x.y", obj=community, before=None, after={"a": 1})
        assert _counts() == before


@pytest.mark.parametrize("failure", ["raised", "deferred constraint", "connection lost"])
def test_a_transaction_that_fails_after_the_entry_leaves_neither(
    scratch_database, failure: str
) -> None:
    street = _street()
    with tenant_context(street):
        before = _counts()
        with pytest.raises((ZeroDivisionError, OperationalError, IntegrityError)):
            with transaction.atomic():
                _added(street)
                assert _counts() == tuple(n + 1 for n in before)
                _fail(failure)
        connection.close()
        assert _counts() == before
        _added(street)
        assert _counts() == tuple(n + 1 for n in before)


def _fail(how: str) -> None:
    if how == "raised":
        raise ZeroDivisionError
    if how == "deferred constraint":  # PostgreSQL refuses at COMMIT
        Partner.objects.bulk_create(
            [Partner(community_id=Entry().pk, name="没有", kind="x", joined_on=date(2024, 1, 1))]
        )
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    with database.connect("app", connection.settings_dict["NAME"]) as other:
        assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


def _street() -> Any:
    return apps.get_model("registry.Tenant").objects.get(slug="chezhan")


# ── Kept as it was written ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("schema", ["public", "t_chezhan"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET reason = 'other'", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}",
     "ALTER TABLE {} ADD note text", "GRANT UPDATE ON {} TO linli_app"],
)  # fmt: skip
def test_the_application_changes_nothing_in_the_trail(db, street, schema, statement) -> None:
    with public_context(), transaction.atomic():
        record(actor=None, action="x.y", obj=street, before=None, after={"a": 1})
    with tenant_context(street):
        _added(street)
    table = sql.Identifier(schema, TRAIL)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("linli_app",)
        before = checksums(schema)
        text = sql.SQL(statement).format(table).as_string(cursor.connection)
        if statement.startswith("GRANT"):  # PostgreSQL only warns, and grants nothing
            cursor.execute(text)
            text = sql.SQL("UPDATE {} SET reason = ''").format(table).as_string(cursor.connection)
        with pytest.raises(ProgrammingError) as refused, transaction.atomic():
            cursor.execute(text)
        assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
    assert checksums(schema) == before


# ── Personal fields ──────────────────────────────────────────────────────────────────────────────


def test_what_is_personal_is_masked_and_the_rest_is_not() -> None:
    person = Person(username="wangfang", name="王芳", email="w@example.org", phone="13800001111")
    person.set_unusable_password()
    shown = snapshot(person)
    assert {name for name, value in shown.items() if value == MASK} == {
        "name", "email", "phone", "password",
    }  # fmt: skip
    assert shown["username"] == "wangfang"
    assert snapshot(person, "name", "username") == {"name": MASK, "username": "wangfang"}


def test_a_column_that_names_a_way_to_a_person_is_declared_personal() -> None:
    telling = re.compile(r"password|phone|.*_phone|email|.*_email|id_card|address|birth.*")
    ours = [
        m
        for m in apps.get_models()
        if m.__module__.startswith(("linli.", "linli_api.", "tenants."))
    ]
    open_columns = [
        f"{model._meta.label}.{column.name}"
        for model in ours
        for column in model._meta.concrete_fields
        if telling.fullmatch(column.name) or isinstance(column, models.EmailField)
        if column.name not in getattr(model, "personal_fields", ())
    ]
    assert open_columns == []
