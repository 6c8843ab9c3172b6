"""Statements that are asked with every request: prepared once a connection, by libpq's own calls.

psycopg's cursors adapt types both ways and wait in Python; here values go out and come back as
PostgreSQL's text, which is what a JSON answer needs. Within Django it is a cursor like others:
execute wrappers, the query log and its errors hold for it.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus

KEPT = 500
Row = tuple[str | None, ...]

# A text is of unknown type to PostgreSQL, which takes it for what the statement needs there.
_OIDS = {bool: 16, bytes: 17, int: 20, date: 1082, datetime: 1184, Decimal: 1700, UUID: 2950}
_ARRAYS = {UUID: 2951, str: 1009, int: 1016, date: 1182}
# The plan is stale, or somebody discarded it: it is prepared anew.
GONE = {b"0A000", b"26000"}


class PreparedCursor:
    """As much of a cursor as `django.db.backends.utils.CursorWrapper` uses."""

    def __init__(self, raw: Any) -> None:
        self._raw, self._pgconn = raw, raw.pgconn
        self._result: Any = None
        self._query: Any = None  # for Django's query log

    def execute(self, statement: str, params: Sequence[Any] = ()) -> None:
        if not self._raw.autocommit and self._pgconn.transaction_status == TransactionStatus.IDLE:
            self._raw.execute("SELECT")  # psycopg begins the transaction with its first statement
        self._query = SimpleNamespace(query=statement.encode())
        values = [text(value) for value in params]
        result = self._pgconn.exec_prepared(self._name(statement, params), values)
        if state(result) in GONE and self._raw.autocommit:
            self._forget(statement, params)
            result = self._pgconn.exec_prepared(self._name(statement, params), values)
        if result.status != ExecStatus.TUPLES_OK:
            raise error_from_result(result, self._raw.info.encoding)
        self._result = result

    def fetchone(self) -> Row | None:
        result = self._result
        if result.ntuples == 0:
            return None
        return tuple(
            None if (value := result.get_value(0, column)) is None else value.decode()
            for column in range(result.nfields)
        )

    def close(self) -> None:
        self._result = None

    def _name(self, statement: str, params: Sequence[Any]) -> bytes:
        """Prepares it unless this connection has."""
        kept = _kept(self._raw)
        key = (statement, tuple(map(oid, params)))
        if key in kept:
            kept.move_to_end(key)
            return kept[key]
        self._raw.linli_prepared = number = getattr(self._raw, "linli_prepared", 0) + 1
        name = b"linli_%d" % number
        result = self._pgconn.prepare(name, statement.encode(), key[1])
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result, self._raw.info.encoding)
        kept[key] = name
        if len(kept) > KEPT:
            self._pgconn.exec_(b"DEALLOCATE " + kept.popitem(last=False)[1])
        return name

    def _forget(self, statement: str, params: Sequence[Any]) -> None:
        name = _kept(self._raw).pop((statement, tuple(map(oid, params))), None)
        if name is not None:
            self._pgconn.exec_(b"DEALLOCATE " + name)


def _kept(raw: Any) -> OrderedDict[Any, bytes]:
    if not hasattr(raw, "linli_statements"):
        raw.linli_statements = OrderedDict()
    return raw.linli_statements


def state(result: Any) -> bytes | None:
    return result.error_field(DiagnosticField.SQLSTATE)


def oid(value: Any) -> int:
    if isinstance(value, list):
        return _ARRAYS.get(type(value[0]), 0) if value else 0
    return _OIDS.get(type(value), 0)


def text(value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    if isinstance(value, list):
        return ("{" + ",".join(map(_element, value)) + "}").encode()
    if isinstance(value, date):
        return value.isoformat().encode()
    return str(value).encode()


def _element(value: Any) -> str:
    """Of an array; a text in quotes, so that no character of it means anything."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
