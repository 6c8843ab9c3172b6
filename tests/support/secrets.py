"""What belongs to one tenant and to no other, and whether an answer holds any of it."""

import binascii
import json
from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from psycopg import sql

from tests.support.rows import tables


@dataclass(frozen=True)
class Secrets:
    """texts: ids, marks, exact decimals. numbers: whole numbers too large to be a coincidence."""

    texts: frozenset[str]
    numbers: frozenset[int]

    def found_in(self, answer: Any) -> list[str | int]:
        told = list(leaves(answer))
        text = "\n".join(one for leaf in told if isinstance(leaf, str) for one in _readings(leaf))
        numbers = {leaf for leaf in told if isinstance(leaf, int)}
        return [*(one for one in self.texts if one in text), *(self.numbers & numbers)]


def secrets(of: Iterable[Any], known: Iterable[Any]) -> Secrets:
    """What stands in the rows ``of`` one and not in those that are ``known`` to the other."""
    told, common = set(leaves(of)), set(leaves(known))
    common_text = "\n".join(one for one in common if isinstance(one, str))
    return Secrets(
        frozenset(
            one
            for one in told - common
            if isinstance(one, str) and len(one) > 3 and one not in common_text
        ),
        frozenset(one for one in told - common if type(one) is int and abs(one) >= 1000),
    )


def rows_of_schema(schema: str) -> list[dict[str, Any]]:
    """Every row of every table, as JSON."""
    return [row for table in tables(schema) for row in rows(schema, table)]


def rows(schema: str, table: str) -> list[dict[str, Any]]:
    query = sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(sql.Identifier(schema, table))
    with connection.cursor() as cursor:
        cursor.execute(query.as_string(cursor.connection))
        return [json.loads(row, parse_float=Decimal) for (row,) in cursor.fetchall()]


def leaves(value: Any) -> Iterator[str | int]:
    """Every text and number in a JSON value, the names of an object's members among them."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from (name, *leaves(one))
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from leaves(one)
    elif isinstance(value, Decimal):
        yield str(value)
    elif value is not None and not isinstance(value, bool):
        yield value


def _readings(text: str) -> Iterator[str]:
    """The text itself, and what is inside it if it is an id or a cursor."""
    yield text
    try:
        yield b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return
