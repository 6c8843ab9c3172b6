"""The national division list that the project carries (statistics of 2023).

Codes and names as the national statistics office published them as of 2023-06-30, from the npm
package ``china-division`` 2.7.0 (WTFPL). Two files: every division down to the street, which is
loaded into the database, and the 620,573 communities and villages below, which are read from the
file, a street at a time.
"""

import csv
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from django.db import connection, transaction

from linli.registry.models import Division

EDITION = 2023
_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class ListedCommunity:
    """A community (社区) or village of the list; ``code`` has 12 digits."""

    code: str
    name: str


def load_divisions() -> int:
    """Load the list into the database; how many rows that added (0 when it is there already)."""
    known = set(Division.objects.values_list("pk", flat=True))
    rows = [row for row in _rows("divisions.csv.xz") if row[0] not in known]
    # COPY: 44,703 rows in well under a second. Parents come first in the file.
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(
            "COPY registry_division (code, name, level, parent_id, edition) FROM STDIN"
        ) as copy:
            for code, name in rows:
                copy.write_row((code, name, len(code), parent_code(code), EDITION))
    return len(rows)


def parent_code(code: str) -> str | None:
    """The code one level up: 370303001 → 370303 → 3703 → 37 → None."""
    return {9: code[:6], 6: code[:4], 4: code[:2]}.get(len(code))


def communities_of(street_code: str) -> list[ListedCommunity]:
    """The communities and villages the list has in one street, in the order of their codes."""
    return [
        ListedCommunity(code, name)
        for code, name in _rows("communities.csv.xz")
        if code.startswith(street_code)
    ]


def _rows(file: str) -> Iterator[tuple[str, str]]:
    with lzma.open(_DATA / file) as binary, TextIOWrapper(binary, "utf-8", newline="") as text:
        reader = csv.reader(text)
        next(reader)  # the header
        for row in reader:
            yield row[0], row[1]
