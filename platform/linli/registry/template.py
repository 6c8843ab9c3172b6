"""The SQL that makes an empty tenant: migrated once, dumped, kept, replayed.

Replaying the dump of a schema takes about a tenth of the time of migrating one
(docs/adr/0003). A test holds the two equal.
"""

import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django_tenants.migration_executors.base import run_migrations

from linli.embedded import binary
from linli.registry.models import SchemaTemplate

# The schema that is migrated and dumped. A fixed name that nothing else contains: in the dump it
# marks every place where a tenant's own name belongs.
PLACEHOLDER = "linli_template_schema"

# What psql understands and the server does not, and settings that must not outlive the replay.
_NOT_REPLAYED = re.compile(r"^(\\|SET \w+ = |SELECT pg_catalog\.set_config|CREATE SCHEMA |--)")
_LOCK = 0x6C6E6C74  # "lnlt": one process builds the template at a time


def create_schema(schema: str) -> None:
    """Create ``schema`` as an empty tenant, whole or not at all. Logged in as the owner."""
    sql = template_sql().replace(PLACEHOLDER, schema)
    with transaction.atomic(), connection.cursor() as cursor:
        # Bare: the dump ends with the rights, which rights by default would only add to.
        cursor.execute(f"CREATE SCHEMA {connection.ops.quote_name(schema)}")
        cursor.execute(sql)


def schema_exists(schema: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
        return cursor.fetchone() is not None


def migrate_schema(schema: str) -> None:
    """Bring ``schema`` (created empty if it is not there) up to date by running migrations."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not schema_exists(schema):
            _open_schema(cursor, schema)
    options = {
        "verbosity": 0, "interactive": False, "run_syncdb": False, "fake": False,
        "fake_initial": False, "plan": False, "check_unapplied": False, "prune": False,
        "skip_checks": True, "database": "default", "app_label": None, "migration_name": None,
        "traceback": False, "no_color": False, "force_color": False,
    }  # fmt: skip
    run_migrations([], options, "standard", schema)


def template_sql() -> str:
    """The dump of an empty tenant for the migrations as they stand; made now if it is not kept."""
    fingerprint = migrations_fingerprint()
    with connection.cursor() as cursor:
        # A session lock: the build spans transactions, and dies with its process.
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    try:
        kept = SchemaTemplate.objects.filter(pk=fingerprint).first()
        if kept is None:
            kept = SchemaTemplate.objects.create(fingerprint=fingerprint, sql=_build())
        return kept.sql
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def migrations_fingerprint() -> str:
    """A hash over the code of every migration of the tenants' apps, and of this file."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(_migration_files()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _migration_files() -> Iterator[Path]:
    for config in apps.get_app_configs():
        if config.name in settings.TENANT_APPS:
            yield from (Path(config.path) / "migrations").glob("*.py")


def _build() -> str:
    with connection.cursor() as cursor:
        # What a killed build left behind.
        cursor.execute(f"DROP SCHEMA IF EXISTS {PLACEHOLDER} CASCADE")
    migrate_schema(PLACEHOLDER)
    try:
        return "\n".join([*_statements(_dump("--schema-only")), *_migration_rows()])
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA {PLACEHOLDER} CASCADE")


def _dump(*options: str) -> str:
    params = connection.get_connection_params()
    command = [
        binary("pg_dump"), f"--schema={PLACEHOLDER}", "--no-owner", "--no-comments", *options,
        f"--host={params['host']}", f"--username={params['user']}", f"--dbname={params['dbname']}",
    ]  # fmt: skip
    if params.get("port"):
        command.append(f"--port={params['port']}")
    environment = {"PGPASSWORD": params["password"]} if params.get("password") else {}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pg_dump of the template schema failed: {done.stderr.strip()}")
    return done.stdout


def _statements(dump: str) -> list[str]:
    return [line for line in dump.splitlines() if not _NOT_REPLAYED.match(line)]


def _migration_rows() -> list[str]:
    """INSERTs that tell Django which migrations the replayed schema holds."""
    loader = MigrationLoader(None)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT app, name FROM {PLACEHOLDER}.django_migrations ORDER BY id")
        applied = cursor.fetchall()
    missing = [key for key in applied if tuple(key) not in loader.disk_migrations]
    if missing:
        raise RuntimeError(f"applied to the template but not on disk: {missing}")
    return [
        f"INSERT INTO {PLACEHOLDER}.django_migrations (app, name, applied)"
        f" VALUES ('{app}', '{name}', now());"
        for app, name in applied
    ]


def _open_schema(cursor: Any, schema: str) -> None:
    """An empty schema whose tables, now and later, the application may read and write.

    What it may not write (the ledger, the audit trail) its migrations take away again.
    """
    quoted = connection.ops.quote_name(schema)
    app = connection.ops.quote_name(settings.LINLI_APP_LOGIN)
    default = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {quoted} GRANT"
    for statement in (
        f"CREATE SCHEMA {quoted}",
        f"GRANT USAGE ON SCHEMA {quoted} TO {app}",
        f"{default} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
        f"{default} USAGE, SELECT ON SEQUENCES TO {app}",
    ):
        cursor.execute(statement)
