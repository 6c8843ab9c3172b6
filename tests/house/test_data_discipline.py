"""What keeps one machine able to become many (docs/architecture.md), read from PostgreSQL's catalogue.

Each check is a query for what breaks it. `test_a_check_sees_what_it_forbids` breaks every one.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from psycopg import Cursor

from linli import database
from linli.rules import one_of
from tests.house.sources import PACKAGES
from tests.support.databases import Database

# Keys that a table of ours has from outside, in place of a UUID.
NATURAL_KEYS = {
    "registry_division.code": "the national division code",
    "registry_schematemplate.fingerprint": "a hash of the migrations",
    "accounts_session.session_key": "made by Django, a secret",
    "accounts_onetimecode.digest": "a hash of the code",
    "accounts_cacheentry.cache_key": "the cache's own",
    "repeats_keptanswer.key": "the client's own, beside the client's UUID",
}

OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
THIRD_PARTY = "(n.nspname = 'public' AND c.relname = ANY(%(third_party)s))"
MIGRATIONS = "c.relname = 'django_migrations'"
TENANTS = "(SELECT schema_name FROM public.registry_tenant)"

CHECKS = {
    "no trigger of ours": f"""
        SELECT t.tgname || ' on ' || n.nspname || '.' || c.relname
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT t.tgisinternal AND NOT {THIRD_PARTY}
    """,
    "no foreign key that leaves its schema": """
        SELECT k.conname || ' from ' || n.nspname || ' to ' || far.relnamespace::regnamespace
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class far ON far.oid = k.confrelid
        WHERE k.contype = 'f' AND c.relnamespace <> far.relnamespace
    """,
    "a primary key on every table": f"""
        SELECT n.nspname || '.' || c.relname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND {OURS}
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
    """,
    "keys are UUIDs": f"""
        SELECT n.nspname || '.' || c.relname || '.' || a.attname
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey::int2[])
        WHERE i.indisprimary AND {OURS} AND NOT {THIRD_PARTY} AND NOT {MIGRATIONS}
        AND a.atttypid <> 'uuid'::regtype
        AND NOT (c.relname || '.' || a.attname) = ANY(%(natural_keys)s)
    """,
    "nothing counts up by itself": f"""
        SELECT n.nspname || '.' || c.relname || '.' || a.attname
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind IN ('r', 'p') AND {OURS} AND NOT {THIRD_PARTY} AND NOT {MIGRATIONS}
        AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) ~ 'nextval')
    """,
    "a tenant's schema holds tables and fund_post": f"""
        SELECT n.nspname || '.' || c.relname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind NOT IN ('r', 'i', 't', 'S') AND n.nspname IN {TENANTS}
        UNION ALL
        SELECT n.nspname || '.' || p.proname
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN {TENANTS} AND p.proname <> 'fund_post'
    """,
    "who runs as the owner looks in its own schema only": f"""
        SELECT n.nspname || '.' || p.proname
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE p.prosecdef AND {OURS} AND p.proconfig IS DISTINCT FROM
            ARRAY['search_path=' || quote_ident(n.nspname) || ', pg_temp']
    """,
    "who runs as the owner is called by the application only": f"""
        SELECT n.nspname || '.' || p.proname
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE p.prosecdef AND {OURS} AND has_function_privilege('public', p.oid, 'EXECUTE')
    """,
    "the application makes nothing": """
        SELECT 'owns ' || pg_describe_object(d.classid, d.objid, d.objsubid)
        FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
        WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o' AND r.rolname = %(app)s
        AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        UNION ALL
        SELECT 'makes in schema ' || nspname FROM pg_namespace
        WHERE has_schema_privilege(%(app)s, oid, 'CREATE')
        UNION ALL
        SELECT 'has ' || wanted || ' on the database' FROM unnest(ARRAY['CREATE', 'TEMP']) AS wanted
        WHERE has_database_privilege(%(app)s, current_database(), wanted)
    """,
    "the application is nobody else": """
        SELECT rolname FROM pg_roles
        WHERE rolname <> %(app)s AND pg_has_role(%(app)s, oid, 'MEMBER')
        UNION ALL
        SELECT 'role attribute' FROM pg_roles WHERE rolname = %(app)s
        AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
    """,
    # Of a table that is not there every right is wrong: NULL is not true.
    "the ledger and the trail give the rights they must": f"""
        SELECT wanted.schema_name || '.' || wanted.name || ' ' || one
        FROM (
            SELECT schema_name, name, rights FROM {TENANTS}
            CROSS JOIN (VALUES
                ('fund_account', ARRAY['SELECT']),
                ('fund_posting', ARRAY['SELECT']),
                ('audit_entry', ARRAY['SELECT', 'INSERT'])
            ) AS tables (name, rights)
            UNION ALL SELECT 'public', 'audit_entry', ARRAY['SELECT', 'INSERT']
        ) AS wanted
        CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES',
                                'TRIGGER', 'MAINTAIN']) AS one
        LEFT JOIN pg_namespace n ON n.nspname = wanted.schema_name
        LEFT JOIN pg_class c ON c.relname = wanted.name AND c.relnamespace = n.oid
        WHERE CASE
            WHEN one = ANY(wanted.rights) THEN has_table_privilege(%(app)s, c.oid, one)
            WHEN one = ANY(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES'])
            THEN NOT has_any_column_privilege(%(app)s, c.oid, one)
            ELSE NOT has_table_privilege(%(app)s, c.oid, one)
        END IS NOT TRUE
    """,
}

# Statements of the owner that break a check, with what the check then has to say.
BREACHES: dict[str, tuple[Sequence[str], list[str]]] = {
    "no trigger of ours": (
        [
            "CREATE FUNCTION public.meddle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
            "CREATE TRIGGER meddling BEFORE INSERT ON t_datong.communities_community"
            " EXECUTE FUNCTION public.meddle()",
            "CREATE TRIGGER meddling BEFORE INSERT ON public.registry_tenant"
            " EXECUTE FUNCTION public.meddle()",
        ],
        ["meddling on public.registry_tenant", "meddling on t_datong.communities_community"],
    ),
    "no foreign key that leaves its schema": (
        [
            "ALTER TABLE t_datong.communities_community ADD CONSTRAINT crossing"
            " FOREIGN KEY (id) REFERENCES public.registry_tenant (id)",
        ],
        ["crossing from t_datong to public"],
    ),
    "a primary key on every table": (
        ["CREATE TABLE t_datong.keyless (name text)"],
        ["t_datong.keyless"],
    ),
    "keys are UUIDs": (
        ["CREATE TABLE t_datong.named (name text PRIMARY KEY)"],
        ["t_datong.named.name"],
    ),
    "nothing counts up by itself": (
        [
            "CREATE TABLE t_datong.numbered (id uuid PRIMARY KEY, number serial)",
            "CREATE TABLE public.numbered (id uuid PRIMARY KEY,"
            " number bigint GENERATED ALWAYS AS IDENTITY)",
        ],
        ["public.numbered.number", "t_datong.numbered.number"],
    ),
    "a tenant's schema holds tables and fund_post": (
        [
            "CREATE VIEW t_datong.seen AS SELECT 1 AS one",
            "CREATE FUNCTION t_datong.one() RETURNS int LANGUAGE sql RETURN 1",
        ],
        ["t_datong.one", "t_datong.seen"],
    ),
    "who runs as the owner looks in its own schema only": (
        ["ALTER FUNCTION t_datong.fund_post SET search_path = t_datong, public, pg_temp"],
        ["t_datong.fund_post"],
    ),
    "who runs as the owner is called by the application only": (
        ["GRANT EXECUTE ON FUNCTION t_datong.fund_post TO PUBLIC"],
        ["t_datong.fund_post"],
    ),
    "the application makes nothing": (
        ["GRANT CREATE ON SCHEMA t_datong TO {app}", "GRANT TEMP ON DATABASE {database} TO {app}"],
        ["has TEMP on the database", "makes in schema t_datong"],
    ),
    "the ledger and the trail give the rights they must": (
        [
            "GRANT DELETE ON t_datong.fund_posting TO {app}",
            "GRANT UPDATE (reason) ON t_datong.audit_entry TO {app}",
            "REVOKE INSERT ON public.audit_entry FROM {app}",
            "DROP TABLE t_zibo.fund_posting",
        ],
        [
            "public.audit_entry INSERT",
            "t_datong.audit_entry UPDATE",
            "t_datong.fund_posting DELETE",
            "t_zibo.fund_posting DELETE",
            "t_zibo.fund_posting INSERT",
            "t_zibo.fund_posting MAINTAIN",
            "t_zibo.fund_posting REFERENCES",
            "t_zibo.fund_posting SELECT",
            "t_zibo.fund_posting TRIGGER",
            "t_zibo.fund_posting TRUNCATE",
            "t_zibo.fund_posting UPDATE",
        ],
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("check", CHECKS)
def test_the_database_keeps_the_discipline(check: str) -> None:
    with connection.cursor() as cursor:
        assert _breaches(cursor, check) == []


@pytest.mark.django_db
def test_the_checks_see_tenants() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM pg_namespace WHERE nspname IN {TENANTS}")
        (tenants,) = cursor.fetchone()
    assert tenants >= 2


def test_a_check_sees_what_it_forbids(scratch_database: Database) -> None:
    with database.connect("owner", scratch_database.name) as owner, owner.cursor() as cursor:
        for check, (statements, expected) in BREACHES.items():
            with owner.transaction(force_rollback=True):
                for statement in statements:
                    cursor.execute(
                        statement.format(
                            app=settings.LINLI_APP_LOGIN, database=scratch_database.name
                        )
                    )
                assert _breaches(cursor, check) == expected
    # Only a superuser could make the application a member of another role.
    assert CHECKS.keys() - BREACHES.keys() == {"the application is nobody else"}


def test_a_table_of_the_applications_own_is_seen(scratch_database: Database) -> None:
    with (
        database.connect("owner", scratch_database.name) as owner,
        database.connect("app", scratch_database.name) as app,
    ):
        owner.execute(f"GRANT CREATE ON SCHEMA t_datong TO {settings.LINLI_APP_LOGIN}")
        app.execute("CREATE TABLE t_datong.mine (id uuid PRIMARY KEY)")
        assert "owns table t_datong.mine" in _breaches(
            owner.cursor(), "the application makes nothing"
        )


# ── The models, which would bring what the catalogue does not show yet ───────────────────────────


def test_keys_to_the_public_schema_have_no_constraint() -> None:
    assert [
        str(field)
        for model, field in _foreign_keys()
        if _is_tenants(model) and not _is_tenants(field.related_model) and field.db_constraint
    ] == []


def test_nothing_public_points_into_a_tenant() -> None:
    assert [
        str(field)
        for model, field in _foreign_keys()
        if not _is_tenants(model) and _is_tenants(field.related_model)
    ] == []


def test_what_a_column_may_hold_is_a_constraint_too() -> None:
    """Of a field with choices: the API's enum has no name for anything else."""
    without = []
    for model in apps.get_models():
        if model.__module__.split(".")[0] not in PACKAGES:
            continue
        held = [getattr(one, "condition", None) for one in model._meta.constraints]
        for field in model._meta.concrete_fields:
            values = [""] * field.blank + [value for value, _label in field.choices or ()]
            if field.choices and one_of(field.name, *values, name="any").condition not in held:
                without.append(f"{model._meta.label}.{field.name}")
    assert without == []


def _foreign_keys() -> list[tuple[type[models.Model], Any]]:
    return [
        (model, field)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey)
    ]


def _is_tenants(model: type[models.Model]) -> bool:
    return apps.get_app_config(model._meta.app_label).name in settings.TENANT_APPS


def _breaches(cursor: Cursor | Any, check: str) -> list[str]:
    third_party = {
        model._meta.db_table
        for config in apps.get_app_configs()
        if config.name.split(".")[0] not in PACKAGES
        for model in config.get_models(include_auto_created=True)
    }
    cursor.execute(
        CHECKS[check],
        {
            "app": settings.LINLI_APP_LOGIN,
            "third_party": sorted(third_party),
            "natural_keys": list(NATURAL_KEYS),
        },
    )
    return sorted(row[0] for row in cursor.fetchall())
