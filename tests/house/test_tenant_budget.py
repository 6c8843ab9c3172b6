"""What an empty tenant costs: every table, index and byte of it is paid once a tenant, 9,100 times.

To raise the budget on purpose, write the figure the failing test names into tenant_budget.json, in
the same commit as the table or index it is for; the commit's message says what that is worth.
"""

import json
from pathlib import Path

import pytest

from linli import database
from tests.support.databases import Database

BUDGET: dict[str, int] = json.loads((Path(__file__).parent / "tenant_budget.json").read_text())
# docs/architecture.md: where 3,000 tenants on one node still hold.
CEILING = {"tables": 50, "indexes": 160, "bytes": 4 * 1024 * 1024}

COST = """
    SELECT count(*) FILTER (WHERE relkind IN ('r', 'p')) AS tables,
           count(*) FILTER (WHERE relkind IN ('i', 'I')) AS indexes,
           sum(pg_total_relation_size(oid)) FILTER (WHERE relkind IN ('r', 'S'))::bigint AS bytes
    FROM pg_class WHERE relnamespace = 't_datong'::regnamespace
"""


@pytest.fixture
def cost(scratch_database: Database) -> dict[str, int]:
    """Of a tenant that was provisioned and never used, in a database no other test has touched."""
    with database.connect("app", scratch_database.name) as connection:
        row = connection.execute(COST).fetchone()
    assert row
    return dict(zip(("tables", "indexes", "bytes"), row, strict=True))


def test_an_empty_tenant_stays_in_its_budget(cost: dict[str, int]) -> None:
    over = {what: figure for what, figure in cost.items() if figure > BUDGET[what]}

    assert over == {}, f"over the budget {BUDGET}; what to do stands at the top of {__file__}"


@pytest.mark.parametrize("what", CEILING)
def test_the_budget_stays_under_the_ceiling(what: str) -> None:
    assert 0 < BUDGET[what] <= CEILING[what]
