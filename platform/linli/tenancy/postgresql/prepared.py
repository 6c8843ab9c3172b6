"""Statements that are asked with every request: prepared once a connection, by libpq's own calls.

psycopg's cursors adapt types both ways and wait in Python; here values go out and come back as
PostgreSQL's text, which is what a JSON answer needs. Within Django it is a cursor like others:
execute wrappers, the query log and its errors hold for it.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from psycopg import DataError
from psycopg.pq import DiagnosticField, TransactionStatus
from psycopg.types.json import Json, Jsonb

from linli.tenancy.postgresql.piping import check, command, failed, piped

# Of one connection: so many statements, of so many characters in all. PostgreSQL takes about 160 bytes
# for each of them, as its process grew with statements like the planner's.
KEPT = 500
KEPT_CHARACTERS = 400_000
# Those that came last stay, whatever they take: they may be asked together.
STAY = 8
Row = tuple[str | None, ...]

# A text is of unknown type to PostgreSQL, which takes it for what the statement needs there.
_OIDS = {bool: 16, bytes: 17, int: 20, date: 1082, datetime: 1184, Decimal: 1700, UUID: 2950}
_ARRAYS = {UUID: 2951, str: 1009, int: 1016, date: 1182}
# The plan is stale, or somebody discarded it: it is prepared anew.
_GONE = {b"0A000", b"26000"}


class PreparedCursor:
    """As much of a cursor as `django.db.backends.utils.CursorWrapper` uses. It takes one statement,
    or a tuple of them with as many lists of parameters for one round trip."""

    def __init__(self, raw: Any) -> None:
        self._raw, self._pgconn = raw, raw.pgconn
        self._results: list[Any] = []
        self._query: Any = None  # for Django's query log

    def execute(self, statement: str | tuple[str, ...], params: Sequence[Any] = ()) -> None:
        if isinstance(statement, str):
            self._execute((statement,), (params,))
        else:
            self._execute(statement, params)

    def _execute(self, statements: tuple[str, ...], params: Sequence[Sequence[Any]]) -> None:
        self._query = SimpleNamespace(query="; ".join(statements).encode())
        # psycopg begins a transaction with its first statement; so do we, in the same round trip.
        begins = not self._raw.autocommit and self._is_idle
        results = self._run(statements, params, begins)
        if any(failed(one) and _state(one) in _GONE for one in results):
            for statement, given in zip(statements, params, strict=True):
                self._forget(statement, given)
            if begins:
                self._raw.rollback()
            if self._is_idle:  # so nothing is lost by doing it again
                results = self._run(statements, params, begins)
        for result in results:
            check(self._raw, result)
        self._results = results

    def fetchall(self) -> list[Row | None]:
        """The first row of each."""
        return [_first(result) for result in self._results]

    def close(self) -> None:
        self._results = []

    @property
    def _is_idle(self) -> bool:
        return self._pgconn.transaction_status == TransactionStatus.IDLE

    def _run(
        self, statements: tuple[str, ...], params: Sequence[Sequence[Any]], begins: bool
    ) -> list[Any]:
        ready = [
            (self._name(statement, given), [sent(value) for value in given])
            for statement, given in zip(statements, params, strict=True)
        ]
        if len(ready) == 1 and not begins:
            return [self._pgconn.exec_prepared(*ready[0])]
        commands = [partial(self._pgconn.send_query_prepared, *one) for one in ready]
        if not begins:
            return piped(self._raw, commands)
        begun, *results = piped(self._raw, [command(self._raw, "BEGIN"), *commands])
        check(self._raw, begun)
        return results

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
        check(self._raw, result)
        kept[key] = name
        while len(kept) > STAY and is_too_much(kept):
            self._pgconn.exec_(b"DEALLOCATE " + kept.popitem(last=False)[1])
        return name

    def _forget(self, statement: str, params: Sequence[Any]) -> None:
        name = _kept(self._raw).pop((statement, tuple(map(oid, params))), None)
        if name is not None:
            self._pgconn.exec_(b"DEALLOCATE " + name)


def _first(result: Any) -> Row | None:
    if result.ntuples == 0:
        return None
    return tuple(
        None if (value := result.get_value(0, column)) is None else value.decode()
        for column in range(result.nfields)
    )


def _kept(raw: Any) -> OrderedDict[Any, bytes]:
    if not hasattr(raw, "linli_statements"):
        raw.linli_statements = OrderedDict()
    return raw.linli_statements


def is_too_much(kept: Collection[Any]) -> bool:
    """Whether a connection keeps more than it may; each begins with its statement."""
    return len(kept) > KEPT or sum(len(key[0]) for key in kept) > KEPT_CHARACTERS


def _state(result: Any) -> bytes | None:
    return result.error_field(DiagnosticField.SQLSTATE)


def oid(value: Any) -> int:
    if type(value) is list:
        return _ARRAYS.get(type(value[0]), 0) if value else 0
    return _OIDS.get(type(value), 0)


def as_text(value: Any) -> str | None:
    """A value as PostgreSQL reads it, whatever its type there."""
    known = _TEXTS.get(type(value))
    if known is not None:
        return known(value)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def value_of(field: Any, text: str | None) -> Any:
    """What a model's field holds where PostgreSQL tells this text."""
    read = getattr(field, "from_db_value", None)  # a JSONField's; where it is, it is needed
    return field.to_python(read(text, None, None) if read else text)


def sent(value: Any) -> bytes | None:
    text = value if type(value) is str else as_text(value)
    if text is None:
        return None
    if "\0" in text:  # where libpq would take it to end
        raise DataError("a text holds a NUL, which PostgreSQL cannot keep")
    return text.encode()


def _element(value: Any) -> str:
    """Of an array; a text in quotes, so that no character of it means anything."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def _array(value: list[Any]) -> str:
    return "{" + ",".join(map(_element, value)) + "}"


def _json(value: Json | Jsonb) -> str:
    told = (value.dumps or json.dumps)(value.obj)
    return told if isinstance(told, str) else told.decode()


_TEXTS: dict[type, Callable[[Any], str]] = {
    UUID: str,
    int: str,
    datetime: datetime.isoformat,
    bytes: lambda value: "\\x" + value.hex(),
    list: _array,
    Json: _json,
    Jsonb: _json,
}
