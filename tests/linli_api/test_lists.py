"""Every list, by each of its filters, in each of its orders, is served by an index.

Tables are filled to many times what the largest unit has, and each page is really run: what
PostgreSQL had to read for it is counted. A filter or an ordering that is added later is tried
without anyone remembering.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from graphql import GraphQLObjectType

from linli import database
from linli.accounts.models import Person
from linli.accounts.policy import Actor, system_actor
from linli.registry.models import Tenant
from linli.tenancy.context import public_context, tenant_context
from linli_api import ids
from linli_api.connections import Connection
from linli_api.schema import SCHEMAS
from tests.support.api import ask, send
from tests.support.databases import copy_of_template

# A page of 21 rows may touch this many; a whole table of those that grow has 10,000 and more.
MOST = 3_000
# What is asked for, so that it matches few rows of many; the ids are those of `FILL`.
VALUES = {
    "profile": "ageing",
    "search": "社区4321号",
    "division_code": "37030300",
    "key": "key.77",
    "kind": "rare",
    "Query.tenants.kind": "district",
    "mode": "visiting",
    "since": date(2029, 12, 1),
    "until": date(2010, 3, 1),
    "action": "fund.rare",
    "object_id": ids.encode("Fund", "00000000-0000-7000-8000-000000000777"),
    "parent": "370303",
    "level": 6,
    "status": "archived",
    "username": "person777",
    "role": "city_supervisor",
    "types": ["fact.stated"],
    "state": "given_up",
    "Query.published_versions.search": "养老4321",
    "outcome": {"measure": "self_reliance_rate", "at_least": Decimal("0.998")},
    "include_withdrawn": False,
}
EACH_PERSONS = {"PersonalToken", "Export"}
# Nothing of these grows: what a street office or the whole country has of them is stated.
BOUNDED = {
    "ModelVersion": 200,
    "Draft": 200,
    "Adoption": 200,
    "Layer": 500,
    "Upgrade": 200,
    "UpgradeDecision": 5_000,
    "Community": 1_000,
    "Fund": 1_000,
}
# A unit's kind and state have few values, all of them common, and the national list seven levels.
U = "('00000000-0000-7000-8000-' || lpad(({})::text, 12, '0'))::uuid"
K = U.format("i")

TENANT_ROWS = f"""
INSERT INTO communities_community (id, name, division_code, profile, opened_on, sample_cost, version)
SELECT {K}, '社区' || i || '号', '370303' || lpad(i::text, 6, '0'),
    (ARRAY['ageing','young','old_estate',''])[1 + i % 4], DATE '2020-01-01' + i % 900, false, 1
FROM generate_series(1, 1000) i;
INSERT INTO communities_fact (id, community_id, key, value, source, sample, version)
SELECT {K}, {U.format("1 + i % 1000")}, 'key.' || i / 1000, '1', 's', false, 1
FROM generate_series(1, 100000) i;
INSERT INTO operating_model_modelversion
    (id, key, number, title, document, bounds, digest, notes, author_id, author_name, created_at)
SELECT {K}, 'key.' || i % 100, i, 't', '{{}}', '{{}}', i, '', {K}, 'a', now()
FROM generate_series(1, 200) i;
INSERT INTO operating_model_draft (id, key, title, document, bounds, notes, version)
SELECT {K}, 'key.' || i % 100, 't', '{{}}', '{{}}', '', 1 FROM generate_series(1, 200) i;
INSERT INTO operating_model_adoption (id, version_id, effective_from, decided_at)
SELECT {K}, {K}, DATE '2020-01-01' + i, now() FROM generate_series(1, 200) i;
INSERT INTO operating_model_layer
    (id, kind, community_id, set_by, "values", bounds, effective_from, state, reason, decided_at)
SELECT {K}, 'community', {K}, 'a', '{{}}', '{{}}', DATE '2020-01-01' + i, 'in_force', '', now()
FROM generate_series(1, 500) i;
INSERT INTO operating_model_upgrade
    (id, target_id, effective_from, state, reason, opened_at, adoption_id, before, version)
SELECT {K}, {K}, DATE '2020-01-01' + i, 'applied', '', now(), {K}, '{{}}', 1
FROM generate_series(1, 200) i;
INSERT INTO operating_model_upgradedecision
    (id, upgrade_id, aspect, path, choice, reason, decided_at)
SELECT {K}, {U.format("1 + i % 200")}, 'value', 'a.b', 'keep', '', now()
FROM generate_series(1, 20000) i;
INSERT INTO operating_model_rulesnapshot (id, digest, version_id, content, frozen_at)
SELECT {K}, i, {K}, '{{}}', now() FROM generate_series(1, 100) i;
INSERT INTO partners_partner
    (id, community_id, name, kind, is_individual, joined_on, sample, version)
SELECT {K}, {U.format("1 + i % 1000")}, '伙伴' || i,
    (ARRAY['enterprise','rare','team','volunteer'])[1 + i % 4], false, DATE '2024-01-01', false, 1
FROM generate_series(1, 20000) i;
INSERT INTO partners_agreement
    (id, partner_id, mode, rule_key, services, spaces, utilities_borne_by, rent_free_months,
     starts_on, ends_on, sample)
SELECT {K}, {K}, CASE i % 3 WHEN 0 THEN 'visiting' ELSE 'stationed' END, 'r', '', '', 'partner', 0,
    DATE '2010-01-01' + i % 3000, DATE '2035-01-01', false
FROM generate_series(1, 20000) i;
INSERT INTO partners_declaration
    (id, agreement_id, starts_on, ends_on, income_fen, sessions, declared_at, sample)
SELECT {K}, {U.format("1 + i % 10000")}, DATE '2010-01-01' + (i / 10000) * 730 + i % 730,
    DATE '2010-01-02' + (i / 10000) * 730 + i % 730, 1, 0, now(), false
FROM generate_series(0, 99999) i;
INSERT INTO partners_contribution
    (id, declaration_id, partner_id, amount_fen, lines, rules_id, worked_out_at)
SELECT {K}, {K}, {U.format("1 + i % 10000")}, 1, '[]', {U.format("1 + i % 100")}, now()
FROM generate_series(0, 99999) i;
INSERT INTO fund_fund (id, community_id, host_charity, opened_on, sample)
SELECT {K}, {K}, 'c', DATE '2024-01-01', false FROM generate_series(1, 1000) i;
INSERT INTO fund_account (id, fund_id, code, kind, debits_fen, credits_fen)
SELECT {K}, {U.format("1 + i % 1000")}, 'held:' || i / 1000, 'held', 0, 0
FROM generate_series(1, 10000) i;
INSERT INTO fund_spending
    (id, fund_id, account_code, use, purpose, amount_fen, status, proposed_by_id, proposed_at, sample)
SELECT {K}, {U.format("1 + i % 1000")}, 'held:1', 'u', 'p', 1, 'proposed', {K}, now(), false
FROM generate_series(1, 20000) i;
INSERT INTO fund_posting
    (id, group_id, debit_id, credit_id, amount_fen, kind, happened_on, recorded_at, note, rules_id)
SELECT {K}, {U.format("i / 4")}, {U.format("1 + i % 10000")}, {U.format("1 + (i + 1) % 10000")}, 1,
    'income', DATE '2010-01-01' + i * 7300 / 100000, now(), '', {U.format("1 + i % 100")}
FROM generate_series(1, 100000) i;
INSERT INTO audit_entry (id, at, action, object_type, object_id, after, reason)
SELECT {K}, now(), CASE WHEN i % 5000 = 0 THEN 'fund.rare' ELSE 'fund.receive' END, 'fund.Fund',
    ({U.format("i / 10")})::text, '{{}}', ''
FROM generate_series(1, 100000) i;
INSERT INTO events_event (id, position, type, object_type, object_id, data)
SELECT {K}, i, CASE WHEN i % 5000 = 0 THEN 'fact.stated' ELSE 'income.declared' END, 'Fund', {K}, '{{}}'
FROM generate_series(1, 100000) i;
INSERT INTO events_webhookendpoint
    (id, url, description, types, secrets, state, state_reason, failures)
SELECT {K}, 'https://a.example/' || i, '', ARRAY['fact.stated'], '[]', 'enabled', '', 0
FROM generate_series(1, 100) i;
INSERT INTO events_delivery (endpoint_id, event_id, object_id, position, state, next_at)
SELECT {U.format("1 + i % 100")}, {K}, {K}, i,
    CASE WHEN i % 5000 = 0 THEN 'given_up' ELSE 'delivered' END, now()
FROM generate_series(1, 100000) i;
INSERT INTO exports_export
    (id, document, variables, format, language, person_id, scope, status, rows, cursor, parts, size,
     requested_at, expires_at)
SELECT {K}, '', '{{}}', 'csv', 'en', {U.format("1 + i % 100")}, '[]', 'done', 0, '', '[]', 0, now(),
    now()
FROM generate_series(1, 20000) i
"""
PLATFORM_ROWS = f"""
INSERT INTO registry_tenant (id, slug, schema_name, name, kind, status, locale, version, parent_id)
SELECT {K}, 's' || i, 's' || i, '社区' || i || '号',
    CASE i % 10 WHEN 0 THEN 'district' ELSE 'street' END,
    CASE i % 50 WHEN 0 THEN 'archived' ELSE 'active' END, 'zh-hans', 1,
    CASE WHEN i > 500 THEN {U.format("1 + i % 500")} END
FROM generate_series(1, 10000) i;
INSERT INTO accounts_person (id, password, username, name, email, phone, is_active, created_at)
SELECT {K}, '', 'person' || i, 'n', '', '', true, now() FROM generate_series(1, 50000) i;
INSERT INTO accounts_membership (id, person_id, tenant_id, role, starts_on)
SELECT {K}, {K}, {U.format("1 + i % 10000")},
    CASE WHEN i % 1000 = 0 THEN 'city_supervisor' ELSE 'auditor' END, DATE '2024-01-01'
FROM generate_series(1, 50000) i;
INSERT INTO clients_client
    (id, client_id, name, covers_below, scope, scope_here, scope_below, created_at, tenant_id)
SELECT {K}, 'c' || i, 'n' || i, false, 'partners:read', '', '', now(), {U.format("1 + i % 10000")}
FROM generate_series(1, 20000) i;
INSERT INTO clients_clientsecret (id, slot, digest, created_at, client_id)
SELECT {K}, 1, i, now(), {K} FROM generate_series(1, 20000) i;
INSERT INTO clients_personaltoken (id, name, scope, digest, created_at, person_id, tenant_id)
SELECT {K}, 'n' || i, 'partners:read', i, now(), {U.format("1 + i % 5000")}, {U.format("1 + i % 10000")}
FROM generate_series(1, 50000) i;
INSERT INTO library_publishedversion
    (id, author_id, key, number, title, document, bounds, digest, notes, profiles, case_text,
     evidence, published_at, visibility, version, place, under, searched, grams, withdrawn_at,
     withdrawal_reason, origin_name)
SELECT {K}, {K}, 'key.' || i / 20, i, 't' || i, '{{}}', '{{}}', i, '',
    CASE WHEN i % 500 = 0 THEN '["ageing"]' ELSE '["young"]' END::jsonb, '', '{{}}', now(), 'all', 1,
    CASE WHEN i % 500 = 0 THEN '370303001' ELSE '110101' || lpad((i % 100)::text, 3, '0') END,
    ARRAY[{K}, {U.format("i % 1000")}], CASE WHEN i % 5 = 0 THEN '社区' ELSE '养老' END || i,
    CASE WHEN i % 5 = 0 THEN ARRAY['社', '区', '社区'] ELSE ARRAY['养', '老', '养老'] END
        || (SELECT array_agg(DISTINCT substr(i::text, at, length)) FROM
            generate_series(1, length(i::text)) at, generate_series(1, 2) length),
    CASE WHEN i % 10 = 0 THEN now() END, CASE WHEN i % 10 = 0 THEN 'r' ELSE '' END, ''
FROM generate_series(1, 10000) i;
INSERT INTO library_outcome (id, version_id, measure, value)
SELECT {K}, {K}, 'self_reliance_rate', i * 7919 % 10000 / 10000.0 FROM generate_series(1, 10000) i;
INSERT INTO audit_entry (id, at, action, object_type, object_id, after, reason)
SELECT {K}, now(), CASE WHEN i % 5000 = 0 THEN 'fund.rare' ELSE 'fund.receive' END, 'fund.Fund',
    ({U.format("i / 10")})::text, '{{}}', ''
FROM generate_series(1, 100000) i
"""


@pytest.fixture(scope="module")
def country(session_database, django_db_setup, django_db_blocker) -> Iterator[SimpleNamespace]:
    """A tenant and a platform with very much of everything."""
    from django.conf import settings
    from django.db import connections

    def connect_to(name: str) -> None:
        connections.close_all()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
        connection.set_schema_to_public()

    filled = copy_of_template(f"{session_database.name}_lists")
    with database.connect("owner", filled.name) as owner:
        for schema, statements in (("public", PLATFORM_ROWS), ("t_chezhan", TENANT_ROWS)):
            owner.execute(f"SET search_path = {schema}, public")
            for statement in statements.split(";\n"):
                owner.execute(statement)
        owner.execute("VACUUM ANALYZE")  # as a table is that has stood for a while
    with django_db_blocker.unblock():
        connect_to(filled.name)
        street = Tenant.objects.select_related("parent__parent").get(slug="chezhan")
        yield SimpleNamespace(tenant=street, platform=None)
        connect_to(session_database.name)
    filled.drop()


@dataclass(frozen=True)
class List:
    """A connection with one filter, or none, in one order."""

    side: str
    name: str
    connection: Connection = field(repr=False)
    parent: Any = field(repr=False)
    filter: str | None
    order: str

    def __str__(self) -> str:
        return f"{self.side}-{self.name}-{self.filter}-{self.order}"


def lists() -> Iterator[List]:
    for side, schema in SCHEMAS.items():
        for name, type_ in schema.graphql_schema.type_map.items():
            if not isinstance(type_, GraphQLObjectType) or name.startswith("__"):
                continue
            for field_name, one in type_.graphene_type._meta.fields.items():  # type: ignore[attr-defined]
                if isinstance(one, Connection):
                    parent = type_.graphene_type if one.by else None  # type: ignore[attr-defined]
                    for narrowed in (None, *one.filters):
                        for order in one.of()._meta.orderings:
                            path = f"{name}.{field_name}"
                            yield List(side, path, one, parent, narrowed, order)


@pytest.mark.parametrize("one", list(lists()), ids=str)
def test_a_page_reads_little_more_than_it_shows(country, one: List) -> None:
    tenant = country.tenant if one.side == "tenant" else None
    with tenant_context(tenant) if tenant else public_context():
        plan = _explained(_page(one, tenant))
    read = _most_read(plan)
    limit = max(MOST, BOUNDED.get(one.connection.of()._meta.name, 0))
    assert read <= limit, f"{read} rows read: {_told(plan)}"


def test_months_of_more_than_a_thousand_rows_are_refused_and_say_how_to_ask(country) -> None:
    """A thousand communities, each with something owed in most months."""
    who = system_actor(country.tenant)
    query = """query($since: Date!, $until: Date!, $communityId: ID) {
        contributionMonths(since: $since, until: $until, communityId: $communityId) { owedFen }
    }"""
    years = {"since": "2012-01-01", "until": "2014-12-31"}
    [error] = send(who, query, **years)["errors"]
    assert error["extensions"]["code"] == "LIST_TOO_LONG"
    assert "fewer months, or for one community" in error["message"]
    one = ids.encode("Community", "00000000-0000-7000-8000-000000000077")
    shown = ask(who, query, communityId=one, **years)["contributionMonths"]
    assert 0 < len(shown) <= 36


def test_the_count_sees_a_table_read_whole(country) -> None:
    with tenant_context(country.tenant), connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON)"
            " SELECT * FROM partners_declaration WHERE income_fen > 5 ORDER BY income_fen LIMIT 1"
        )
        assert _most_read(cursor.fetchone()[0][0]["Plan"]) >= 100_000


def _page(one: List, tenant: Tenant | None) -> Any:
    """The rows of the first page, as the connection cuts it at a root."""
    arguments: dict[str, Any] = {"order_by": one.order}
    if one.filter is not None:
        given = VALUES.get(f"{one.name}.{one.filter}", VALUES.get(one.filter))
        arguments[one.filter] = _id(one) if given is None else given
    asked = one.connection.asked(arguments, tenant.pk if tenant else None)
    rows, cut = one.connection.rows_of(_asking(one, tenant), asked.narrowing), asked.cut
    if one.parent is not None:
        key = one.parent._meta.model._default_manager.order_by("pk")[50:51].get().pk
        return cut.apply(rows.filter(**{one.connection.by: key}))
    return cut.apply(rows)


def _asking(one: List, tenant: Tenant | None) -> Actor:
    """Who may read everything; for lists that are each person's own, somebody."""
    actor = system_actor(tenant)
    if one.connection.of()._meta.name in EACH_PERSONS:
        return replace(actor, person=Person.objects.order_by("pk")[76])
    return actor


def _id(one: List) -> str:
    type_name = one.connection.filters[one.filter].type.type_name  # type: ignore[union-attr,index]
    return ids.encode(type_name, "00000000-0000-7000-8000-000000000077")


def _explained(rows: Any) -> dict[str, Any]:
    sql, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", parameters)
        return cursor.fetchone()[0][0]["Plan"]


def _most_read(node: dict[str, Any]) -> float:
    """Of any one step: the rows it went through, those it threw away included."""
    thrown = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    own = (node["Actual Rows"] + thrown) * node["Actual Loops"]
    return max([own, *(_most_read(inner) for inner in node.get("Plans", ()))])


def _told(node: dict[str, Any]) -> str:
    words = [node["Node Type"], node.get("Relation Name", ""), node.get("Index Name", "")]
    return " ".join(filter(None, words)) + "".join(f" ({_told(n)})" for n in node.get("Plans", ()))
