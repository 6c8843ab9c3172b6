"""What the queries are asked about, in an order of chance that is the same in every run."""

import itertools
import random
from collections.abc import Iterator
from datetime import date
from typing import Any

from benchmarks.data import SCHEMA
from linli import database
from tests.support.databases import Database


class Values:
    def __init__(self, scratch: Database) -> None:
        with database.connect("owner", scratch.name) as connection:

            def keys(table: str) -> list[str]:
                rows = connection.execute(f"SELECT id::text FROM {SCHEMA}.{table} ORDER BY id")
                found = [key for (key,) in rows]
                random.Random(3).shuffle(found)
                return found

            self.communities = keys("communities_community")
            self.partners = keys("partners_partner")
            self._writes = self._undeclared(keys("partners_agreement"))

    def of(self, query: str) -> Iterator[dict[str, Any]]:
        if query == "w1":
            return self._writes  # goes on where it was left: no month is declared twice
        asked: dict[str, list[dict[str, Any]]] = {
            "q1": [{"community": key} for key in self.communities],
            "q2": [{"id": key} for key in self.partners],
            "q3": [{"since": "2022-01-01", "until": "2024-12-31"}],
        }
        return iter(asked[query])

    @staticmethod
    def _undeclared(agreements: list[str]) -> Iterator[dict[str, Any]]:
        """Months before the first that is declared, neighbours never of one agreement."""
        months = [date(year, month, 1) for year in range(1990, 2022) for month in range(1, 13)]
        for first, after in itertools.pairwise(months):
            for number, agreement in enumerate(agreements):
                yield {
                    "agreement": agreement,
                    "startsOn": first.isoformat(),
                    "endsOn": after.isoformat(),
                    "incomeFen": 100_000 + number * 7_919,
                }
