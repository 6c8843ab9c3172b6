"""What each documented query costs: its SQL statements are a committed budget, as it is answered,
by a plan mostly, and as the executor would answer it, in a town where each list has several rows.

To raise one on purpose, write the figure the failing test names into query_budgets.json, in the
commit that it is for; where a query has become cheaper, lower it.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from graphql import OperationDefinitionNode, OperationType, parse

from linli.accounts.policy import actor_for, system_actor
from linli.tenancy.context import public_context, tenant_context
from linli.tenancy.unit import unit_of_work
from linli_api import cursors, ids
from linli_api.documents import is_query, read
from linli_api.execution import Answer, Request, executed, run
from linli_api.reference import examples as reference
from linli_api.schema import SCHEMAS, platform_schema, tenant_schema
from tenants.operating_model.actions import publish_version
from tenants.operating_model.models import ModelVersion
from tests.house.pages import Page, examples, pages
from tests.support.two_towns import Town, World, two_towns

BUDGETS = Path(__file__).parent / "query_budgets.json"


class Query(NamedTuple):
    document: str
    variables: dict[str, Any]
    at_a_tenant: bool


# A document as a shell sends it, with its variables; of an export it is a variable itself.
DOCUMENT = re.compile(r'"(?:query|document)": ("(?:[^"\\]|\\.)*")')
VARIABLES = re.compile(r',\s*"variables": (\{.*?\})\}\'', re.DOTALL)
SHELLS = re.compile(r"'\$(\w+)'")  # '$COMMUNITY' in the shell's quotes


def documented() -> dict[str, Query]:
    """Every query of the docs and of the reference, by its page and the root fields it asks for."""
    found: dict[str, Query] = {}
    for page in pages():
        for query in (*_shown(page), *_sent(page)):
            definitions = parse(query.document).definitions
            operation = next(d for d in definitions if isinstance(d, OperationDefinitionNode))
            if operation.operation is OperationType.QUERY:
                roots = ", ".join(one.name.value for one in operation.selection_set.selections)  # type: ignore[union-attr]
                names = (f"{page}: {roots} {n or ''}".strip() for n in range(100))
                name = next(name for name in names if name not in found)
                found[name] = query
    for side, schema in SCHEMAS.items():
        for one in reference.examples(side):
            if is_query(read(schema.graphql_schema, one.document).operation(None)):  # type: ignore[arg-type]
                asked = Query(one.document, one.variables, side == "tenant")
                found[f"reference, {side}: {one.name}"] = asked
    return found


def _shown(page: Page) -> Iterator[Query]:
    for example in examples(page) if any(page.blocks("graphql")) else ():
        yield Query(example.document, example.variables, bool(example.at))


def _sent(page: Page) -> Iterator[Query]:
    """What a page's shell asks a tenant."""
    for block in page.blocks("sh"):
        for document in DOCUMENT.finditer(block.text):
            variables = VARIABLES.match(block.text, document.end())
            given = json.loads(SHELLS.sub(r"$\1", variables[1])) if variables else {}
            yield Query(json.loads(document[1]), given, at_a_tenant=True)


DOCUMENTED = documented()


def test_what_a_shell_sends_is_found() -> None:
    """As many as docs/getting-started.md has."""
    page = next(one for one in pages() if str(one) == "docs/getting-started.md")
    text = "".join(block.text for block in page.blocks("sh"))
    sent = list(_sent(page))
    assert len(sent) == text.count('"query": "') + text.count('"document": "') > 10
    [since] = [one for one in sent if "$after" in one.document]
    assert since.variables == {"after": "$CURSOR"}


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
    assert cost == budget, f'"{name}" takes {cost} statements; its budget is {budget}'


def test_every_budget_is_of_a_documented_query() -> None:
    assert json.loads(BUDGETS.read_text()).keys() == DOCUMENTED.keys()


def _statements(query: Query, town: Town) -> dict[str, int]:
    """Asked in a furnished town, with ids and cursors of its own in place of the demo's."""
    variables = {name: _own(name, value, town) for name, value in query.variables.items()}
    person = town.all_powerful.person
    assert person is not None
    tenant = town.tenant if query.at_a_tenant else None
    schema = tenant_schema if tenant else platform_schema
    actor = actor_for(person, tenant)
    here = tenant_context(tenant) if tenant else public_context()
    with ExitStack() as stack:
        for one in (transaction.atomic(), here, unit_of_work()):  # as a request has it
            stack.enter_context(one)
        request = Request(query.document, variables)
        document = read(schema.graphql_schema, query.document)
        run(schema, request, actor)  # a plan is made once
        return {
            "answered": _counted(lambda: run(schema, request, actor)),
            "executed": _counted(lambda: executed(document, request, actor)),
        }


def _counted(ask: Callable[[], Answer]) -> int:
    with CaptureQueriesContext(connection) as captured, override("en"):
        answer = ask()
    assert answer.errors == [], answer.errors
    return len([one for one in captured if not one["sql"].startswith(("SET", "SAVEPOINT"))])


HELD = {"$EXPORT": "Export"}  # the type of what a variable of a page's shell holds


def _own(name: str, value: object, town: Town) -> object:
    if name == "after":
        return cursors.encode("Event:POSITION", town.tenant.pk, [0, str(UUID(int=0))])
    kind = HELD.get(value, (ids.split(value) or ("",))[0]) if isinstance(value, str) else ""
    return ids.encode(kind, town.keys[kind]) if kind in town.keys else value
