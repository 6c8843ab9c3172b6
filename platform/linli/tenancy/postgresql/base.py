"""django-tenants' backend with fewer round trips a request: Django's ENGINE.

PostgreSQL 18 reports ``search_path`` to its clients, so whether it stands where it must is known
without asking, also after a rollback has taken a switch back: nothing is remembered that could be
wrong. And a server that went away has closed its end of the socket. A savepoint before anything was
done is none, and what follows a commit at once is sent with it.

Whoever asks for a lock may wait for it, so with that what was told before lapses (`linli.tenancy.unit`).
"""

import logging
import select
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.backends.utils import debug_transaction
from django_tenants.postgresql_backend.base import DatabaseWrapper as TenantsWrapper
from psycopg import Error
from psycopg.pq import TransactionStatus

from linli.tenancy import unit
from linli.tenancy.postgresql.piping import check, command, piped
from linli.tenancy.postgresql.prepared import PreparedCursor, Row

logger = logging.getLogger(__name__)

# Stands in a savepoint's name where it is the transaction's beginning.
BEGINNING = "beginning_"

# How PostgreSQL writes a search path back, by what it was set to.
_reported: dict[tuple[str, ...], str] = {}


class AfterCommit:
    """A statement as a hook for `transaction.on_commit`: sent with the COMMIT and run after it. All
    of one commit are a transaction of their own; if that fails, it is only logged."""

    def __init__(self, statement: str) -> None:
        self.statement = statement

    def __call__(self) -> None:
        """Where nothing is committed: outside of transactions."""
        with connection.cursor() as cursor:
            cursor.execute(self.statement)


class Operations(DatabaseOperations):
    def for_update_sql(self, *args: Any, **options: Any) -> str:
        """Asked for each statement that locks rows, just before it is run."""
        unit.lapse()
        return super().for_update_sql(*args, **options)


class DatabaseWrapper(TenantsWrapper):
    ops_class = Operations
    search_path_set_schemas: list[str] | None
    run_on_commit: list[Any]

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
        return self._fetch(statement, params, qualified=qualified)[0]

    def fetch_together(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[Row | None]:
        """The same of several, in one round trip; where one fails, those after it are not run."""
        texts, params = zip(*statements, strict=True)
        return self._fetch(texts, params)

    def _fetch(self, statement: Any, params: Any, *, qualified: bool = False) -> list[Row | None]:
        self.close_if_health_check_failed()
        self.ensure_connection()
        if not qualified:
            self._handle_search_path()
        with self._prepare_cursor(PreparedCursor(self.connection)) as cursor:
            cursor.execute(statement, params)
            return cursor.fetchall()

    def savepoint(self) -> str | None:
        """Before the transaction's first statement it is the transaction's beginning."""
        if not self._savepoint_allowed() or self._has_begun():
            return super().savepoint()
        self.savepoint_state += 1
        return f"{BEGINNING}{self.savepoint_state}"

    def _savepoint_commit(self, sid: str) -> None:
        if not sid.startswith(BEGINNING):
            super()._savepoint_commit(sid)

    def _savepoint_rollback(self, sid: str) -> None:
        if not sid.startswith(BEGINNING):
            super()._savepoint_rollback(sid)
        elif self._has_begun():
            self._rollback()  # the next statement begins it anew

    def _commit(self) -> None:
        """With the statements that are to follow it (`AfterCommit`), in one round trip."""
        if self.connection is None or not self._has_begun():
            return
        raw, hooks = self.connection, self.run_on_commit
        after = [hook for _sids, hook, _robust in hooks if isinstance(hook, AfterCommit)]
        statements = ["COMMIT", *(one.statement for one in after)]
        with debug_transaction(self, "; ".join(statements)):
            results = self.wrap_database_errors(_committed)(raw, statements)
        self.run_on_commit = [one for one in hooks if one[1] not in after]
        for result in results:
            _look_at(raw, result)

    def _has_begun(self) -> bool:
        return self.connection.pgconn.transaction_status != TransactionStatus.IDLE

    def _told(self) -> str:
        return self.connection.info.parameter_status("search_path") or ""

    def is_usable(self) -> bool:
        """Asks the server only if it has sent something unasked, as one does that goes away."""
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return super().is_usable() if waiting.poll(0) else True


def _committed(raw: Any, statements: Sequence[str]) -> list[Any]:
    """What came of those after the first, which is the COMMIT."""
    committed, *results = piped(raw, [command(raw, one) for one in statements])
    check(raw, committed)
    return results


def _look_at(raw: Any, result: Any) -> None:
    try:
        check(raw, result)
    except Error:
        logger.warning("what was to follow a commit failed", exc_info=True)
