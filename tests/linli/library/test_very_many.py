"""M4: what is seen of the library is found by an index, whether it is much or little of all there is."""

import pytest
from django.db import connection

from linli import database
from linli.accounts.policy import Role, system_actor
from linli.library.selectors import published_versions
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import publish_version
from tests.support.models import write_chengnan

VERSIONS = 10_000
# By 500 districts; five for everybody, each of the others for its author's own units.
DISTRICTS = """INSERT INTO registry_tenant
    (id, slug, schema_name, name, kind, status, locale, version, parent_id)
SELECT md5(i::text)::uuid, 's' || i, 's' || i, 'n', 'district', 'active', 'en', 1, %s
FROM generate_series(0, 499) i"""
PUBLISHED = """INSERT INTO library_publishedversion (id, author_id, key, number, title, document,
    bounds, digest, notes, profiles, case_text, evidence, published_at, visibility,
    audience_id, version, under, grams, origin_name)
SELECT gen_random_uuid(), md5((i %% 500)::text)::uuid, 'k', i, 't', '{}', '{}', '', '', '[]', '',
    '{}', now(), CASE WHEN i %% 2000 = 0 THEN 'all' ELSE 'city' END,
    CASE WHEN i %% 2000 = 0 THEN NULL::uuid ELSE md5((i %% 500)::text)::uuid END, 1, '{}', '{}', ''
FROM generate_series(1, %s) i"""


@pytest.fixture
def street(scratch_database):
    """In a country that has published much; its planner knows so, as of a table that has stood."""
    street = Tenant.objects.get(slug="chezhan")
    other_city = Tenant.objects.get(slug="datong")
    with database.connect("owner", scratch_database.name) as owner:
        owner.execute(DISTRICTS, [other_city.pk])
        owner.execute(PUBLISHED, [VERSIONS])
        owner.execute("VACUUM ANALYZE library_publishedversion, registry_tenant")
    with tenant_context(street):
        publish_version(
            actor=system_actor(street),
            version_id=write_chengnan(street).pk,
            profiles=["ageing"],
            visibility="private",
        )
    return street


@pytest.mark.parametrize("where", ["tenant", "platform"])
def test_little_of_much(street, actor_as, where):
    reader = (
        system_actor(street) if where == "tenant" else actor_as(None, Role.AUDITOR, held_at=street)
    )
    rows = published_versions(actor=reader)
    assert rows.count() == 6
    sql, parameters = rows[:21].query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", parameters)
        plan = cursor.fetchone()[0][0]["Plan"]
    assert _most_read(plan) < 100, plan


def _most_read(node):
    thrown = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    own = (node["Actual Rows"] + thrown) * node["Actual Loops"]
    return max([own, *(_most_read(inner) for inner in node.get("Plans", ()))])
