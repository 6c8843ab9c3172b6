"""Migration operations for what Django's own cannot say about a tenant's schema."""

from typing import Any

from django.conf import settings
from django.db.migrations.operations import RunSQL


class TenantSQL(RunSQL):
    """One statement in which ``{schema}`` and ``{app}`` stand for quoted names.

    ``{schema}`` is the schema being migrated: a SECURITY DEFINER function needs it spelled out in
    its ``search_path``, as an open search path lets the caller choose the tables. ``{app}`` is the
    application's log-in, whose rights the statement grants or takes away. Any other brace in the
    statement is left alone.
    """

    def __init__(self, sql: str, reverse_sql: str = RunSQL.noop, **kwargs: Any) -> None:
        super().__init__(sql, reverse_sql, **kwargs)

    def _run_sql(self, schema_editor: Any, sqls: Any) -> None:
        quote = schema_editor.connection.ops.quote_name
        statement = sqls.replace("{schema}", quote(schema_editor.connection.schema_name))
        statement = statement.replace("{app}", quote(settings.LINLI_APP_LOGIN))
        # No parameters: the statement may hold a per cent sign.
        schema_editor.execute(statement, params=None)
