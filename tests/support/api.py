"""The API as a client uses it, without HTTP: documents in, JSON values out."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from linli.accounts.policy import Actor
from linli.tenancy.context import current_schema, public_context, tenant_context
from tests.support.rows import rows_unchanged


def send(actor: Actor | None, document: str, /, **variables: Any) -> dict[str, Any]:
    """The whole answer, in English, where the actor stands: their tenant's, or the platform's.

    Nobody (None) asks the tenant of the moment.
    """
    # Only here, so that a test without the API does not build its schemas.
    from linli_api.execution import Request, run
    from linli_api.schema import platform_schema, tenant_schema

    schema = platform_schema if actor and actor.tenant is None else tenant_schema
    with override("en"), _standing(actor):
        return run(schema, Request(document, variables), actor).body


def statements(actor: Actor, document: str, /, **variables: Any) -> int:
    """How many SQL statements an answer without errors takes, when its plan is made."""
    ask(actor, document, **variables)
    with CaptureQueriesContext(connection) as captured:
        ask(actor, document, **variables)
    # Where the connection stood before is not the document's.
    return sum(not query["sql"].startswith("SET search_path") for query in captured)


def ask(actor: Actor | None, document: str, /, **variables: Any) -> dict[str, Any]:
    """The data of an answer without errors."""
    body = send(actor, document, **variables)
    assert "errors" not in body, body["errors"]
    return body["data"]


def errors(actor: Actor | None, document: str, /, **variables: Any) -> list[tuple[str, str | None]]:
    """The code and field of each error of a query that is refused."""
    found = send(actor, document, **variables)["errors"]
    return [(error["extensions"]["code"], error["extensions"].get("field")) for error in found]


def do(actor: Actor | None, name: str, shows: str = "", /, **given: Any) -> dict[str, Any]:
    """What a mutation answers: ``do(actor, "admitPartner", "partner { name }", name=…)``."""
    document = f"""mutation($input: {name[0].upper()}{name[1:]}Input!) {{
        {name}(input: $input) {{ {shows} errors {{ code field message }} }}
    }}"""
    return ask(actor, document, input=given)[name]


def done(actor: Actor | None, name: str, shows: str, /, **given: Any) -> Any:
    """The one payload field of a mutation that succeeds."""
    payload = do(actor, name, shows, **given)
    assert payload.pop("errors") == []
    [answer] = payload.values()
    return answer


def refused(actor: Actor | None, name: str, /, **given: Any) -> list[tuple[str, str | None]]:
    """The code and field of each fault of a mutation that is refused; nothing was written."""
    with _standing(actor), unchanged():
        faults = do(actor, name, **given)["errors"]
    assert faults
    assert all(fault["message"] for fault in faults)
    return [(fault["code"], fault["field"]) for fault in faults]


@contextmanager
def unchanged() -> Iterator[None]:
    """No row of the schema of the moment, nor of the public one, differs afterwards."""
    with rows_unchanged(current_schema()):
        yield


def _standing(actor: Actor | None) -> AbstractContextManager[None]:
    if actor is None:
        return nullcontext()
    return tenant_context(actor.tenant) if actor.tenant else public_context()
