"""django-tenants' backend with two round trips fewer a request: Django's ENGINE.

PostgreSQL 18 reports ``search_path`` to its clients, so whether it stands where it must is known
without asking, also after a rollback has taken a switch back: nothing is remembered that could be
wrong. And a server that went away has closed its end of the socket.
"""

import select
from collections.abc import Sequence
from typing import Any

from django_tenants.postgresql_backend.base import DatabaseWrapper as TenantsWrapper

from linli.tenancy.postgresql.prepared import PreparedCursor, Row

# How PostgreSQL writes a search path back, by what it was set to.
_reported: dict[tuple[str, ...], str] = {}


class DatabaseWrapper(TenantsWrapper):
    search_path_set_schemas: list[str] | None

    def _handle_search_path(self, cursor: Any = None) -> None:
        if self.search_path_set_schemas or self._setting_search_path:
            return
        wanted = self._get_cursor_search_paths()
        stands = _reported.get(tuple(wanted))
        if stands is not None and stands == self._told():
            self.search_path_set_schemas = wanted
            return
        super()._handle_search_path(cursor)
        if self.search_path_set_schemas:
            _reported[tuple(wanted)] = self._told()

    def fetch_prepared(
        self, statement: str, params: Sequence[Any], *, qualified: bool = False
    ) -> Row | None:
        """The first row, as texts, of a statement with ``$1`` parameters. qualified: it names the
        schema of each of its tables, so that it does not matter where the connection stands."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        if not qualified:
            self._handle_search_path()
        with self._prepare_cursor(PreparedCursor(self.connection)) as cursor:
            cursor.execute(statement, params)
            return cursor.fetchone()

    def _told(self) -> str:
        return self.connection.info.parameter_status("search_path") or ""

    def is_usable(self) -> bool:
        """Asks the server only if it has sent something unasked, as one does that goes away."""
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return super().is_usable() if waiting.poll(0) else True
