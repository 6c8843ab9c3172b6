"""What each documented query costs: its SQL statements are a committed budget.

To raise one on purpose, write the figure the failing test names into query_budgets.json, in the
commit that it is for; where a query has become cheaper, lower it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from graphql import OperationDefinitionNode, OperationType, parse

from linli.accounts.policy import actor_for, system_actor
from linli.tenancy.context import public_context, tenant_context
from linli_api import ids
from linli_api.execution import Request, run
from linli_api.schema import platform_schema, tenant_schema
from tenants.operating_model.actions import publish_version
from tenants.operating_model.models import ModelVersion
from tests.house.pages import Example, examples, pages
from tests.support.two_towns import Town, World, two_towns

BUDGETS = Path(__file__).parent / "query_budgets.json"


def documented() -> dict[str, Example]:
    """Every query of the docs, by its page and the root fields it asks for."""
    found: dict[str, Example] = {}
    for page in pages():
        for example in examples(page) if any(page.blocks("graphql")) else ():
            definitions = parse(example.document).definitions
            operation = next(d for d in definitions if isinstance(d, OperationDefinitionNode))
            if operation.operation is OperationType.QUERY:
                roots = ", ".join(one.name.value for one in operation.selection_set.selections)  # type: ignore[union-attr]
                names = (f"{page}: {roots} {n or ''}".strip() for n in range(100))
                found[next(name for name in names if name not in found)] = example
    return found


DOCUMENTED = documented()


@pytest.fixture(scope="module")
def world(session_database, django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), two_towns(session_database) as made:
        tenant = made.ours.tenant
        with tenant_context(tenant):
            last = ModelVersion.objects.order_by("-number")[0]
            given = {"version_id": last.pk, "profiles": ["ageing"]}
            published = publish_version(actor=system_actor(tenant), **given)
        made.ours.keys["PublishedVersion"] = published.pk
        yield made


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_documented_query_stays_in_its_budget(world: World, name: str) -> None:
    cost = _statements(DOCUMENTED[name], world.ours)
    budget = json.loads(BUDGETS.read_text()).get(name)
    assert budget is not None, f'add "{name}": {cost} to {BUDGETS.name}'
    assert cost <= budget, f'"{name}" takes {cost} statements; its budget is {budget}'


def test_every_budget_is_of_a_documented_query() -> None:
    assert json.loads(BUDGETS.read_text()).keys() == DOCUMENTED.keys()


def _statements(example: Example, town: Town) -> int:
    """Asked in a furnished town, with ids of its own in place of the demo's."""
    variables = {name: _own(value, town) for name, value in example.variables.items()}
    person = town.all_powerful.person
    assert person is not None
    tenant = town.tenant if example.at else None
    schema = tenant_schema if tenant else platform_schema
    actor = actor_for(person, tenant)
    with transaction.atomic(), tenant_context(tenant) if tenant else public_context():
        request = Request(example.document, variables)
        run(schema, request, actor)  # a plan is made once
        with CaptureQueriesContext(connection) as captured, override("en"):
            body = run(schema, request, actor).body
    codes = {error["extensions"]["code"] for error in body.get("errors", ())}
    assert codes == set(), body
    return len([one for one in captured if not one["sql"].startswith(("SET", "SAVEPOINT"))])


def _own(value: object, town: Town) -> object:
    kind = (ids.split(value) or ("",))[0] if isinstance(value, str) else ""
    return ids.encode(kind, town.keys[kind]) if kind in town.keys else value
