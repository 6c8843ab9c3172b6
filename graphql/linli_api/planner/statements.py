"""Running a plan's statement, prepared by the server, on Django's connection."""

from collections.abc import Sequence
from typing import Any

import psycopg

from linli.tenancy.context import connection


class _Prepared(psycopg.RawCursor):
    """Django's own cursors put values into the text; this one sends them beside it, and has the
    server keep the statement."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(query, params, prepare=True, **options)


def fetch(statement: str, params: Sequence[Any]) -> tuple[Any, ...]:
    """The one row of a statement with ``$1`` parameters, in the schema of the moment."""
    # What a cursor of Django's own would see to.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    connection._handle_search_path()
    with connection._prepare_cursor(_Prepared(connection.connection)) as cursor:
        cursor.execute(statement, params)
        return cursor.fetchone()
