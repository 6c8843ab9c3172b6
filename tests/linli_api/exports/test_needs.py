"""What an export is read with: as much as its document takes, and no permission beside."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from linli.accounts.models import Membership
from linli.accounts.policy import Actor, Permission, Reach, system_actor
from linli.tenancy.context import public_context
from linli_api.connections import Connection
from linli_api.exports import run
from linli_api.exports.actions import request_export
from linli_api.exports.models import Export
from linli_api.fields import Computed, Groups, Total
from linli_api.planner.compiling import declared_fields
from linli_api.schema import tenant_schema
from linli_api.types import types_by_model
from tests.linli_api.exports.conftest import NAMES
from tests.support.programs import graphql, host_of, program

P = Permission
ASK = """mutation($input: ExportConnectionInput!) { exportConnection(input: $input) {
    export { id } errors { code field } } }"""
WITH_COMMUNITY = "{ partners { nodes { name community { name } } } }"


@pytest.fixture
def tool(town):
    """It may do much, and asks with all of it."""
    return program(
        town.administrator,
        "partners:read", "partners:write", "communities:read", "fund:read", "audit:read",
        "events:read",
    )  # fmt: skip


def token_of(tool, **form) -> str:
    with public_context():
        return tool.token(**form)


def exported(town, tool, document, **variables) -> Export:
    given = {"document": document, "format": "JSONL", "variables": variables}
    with public_context():
        answer = graphql(token_of(tool), ASK, town.street, input=given).json()
    assert answer["data"]["exportConnection"]["errors"] == []
    [export] = Export.objects.all()
    run.write_out(town.street, export.pk)
    export.refresh_from_db()
    assert (export.status, export.error) == ("done", None)
    return export


def status(token, export, at) -> int:
    headers = {"host": host_of(at), "authorization": f"Bearer {token}"}
    with public_context():
        return Browser().get(f"/exports/{export.pk}", headers=headers).status_code


class TestTheFile:
    def test_goes_to_a_token_with_what_it_was_read_with(self, town, tool):
        export = exported(town, tool, WITH_COMMUNITY)
        assert set(export.scope) == {"partners.read", "communities.read"}
        assert export.rows == len(NAMES)
        narrow = token_of(tool, scope="communities:read partners:read")
        assert status(narrow, export, town.street) == 200

    @pytest.mark.parametrize("scope", ["partners:read", "communities:read fund:read audit:read"])
    def test_and_to_none_without(self, town, tool, scope):
        export = exported(town, tool, WITH_COMMUNITY)
        assert status(token_of(tool, scope=scope), export, town.street) == 403

    def test_takes_what_was_asked_for_not_what_was_left_out(self, town, tool):
        document = """query($where: Boolean!) { partners { nodes {
            name community @include(if: $where) { name } } } }"""
        export = exported(town, tool, document, where=False)
        assert status(token_of(tool, scope="partners:read"), export, town.street) == 200

    def test_of_events_takes_what_decides_which_there_are(self, town, tool):
        export = exported(town, tool, "{ events { nodes { type } } }")
        assert set(export.scope) == {
            "events.read", "partners.read", "communities.read", "fund.read"
        }  # fmt: skip
        assert status(token_of(tool, scope="events:read"), export, town.street) == 403


LISTING = "{ exports { nodes { format status } } }"


def test_what_takes_a_role_alone_is_read_with_none_and_fetched_with_one(town):
    export = request_export(actor=town.secretary, document=LISTING, format="jsonl")
    assert export.scope == {}
    run.write_out(town.street, export.pk)
    export.refresh_from_db()
    assert (export.status, export.rows) == ("done", 1)

    def fetched() -> int:
        browser = Browser(headers={"host": host_of(town.street)})
        browser.force_login(town.secretary.person)
        with public_context():
            return browser.get(f"/exports/{export.pk}").status_code

    assert fetched() == 200
    Membership.objects.filter(person=town.secretary.person).update(ended_on=timezone.localdate())
    assert fetched() == 403


@dataclass(frozen=True)
class Noting(Actor):
    """May do everything, and notes what it was asked for."""

    asked: set[Permission] = field(default_factory=set)

    def allows(self, permission: Permission, **place: Any) -> bool:
        self.asked.add(permission)
        return super().allows(permission, **place)

    def communities(self, permission: Permission) -> Any:
        self.asked.add(permission)
        return super().communities(permission)

    def reach(self, permission: Permission) -> Reach | None:
        self.asked.add(permission)
        return super().reach(permission)


SCHEMA = tenant_schema.graphql_schema
TYPES = list(types_by_model(SCHEMA).values())


@pytest.mark.parametrize("type_", TYPES, ids=lambda one: one._meta.name)
def test_no_rows_are_read_with_what_their_type_does_not_declare(town, type_):
    """Else a file could lack rows: its export is read with what is declared."""
    by, declares = system_actor(town.street), {type_._meta.permission, *type_._meta.reads}
    noting = Noting(None, town.street, by.grants)
    type_.rows_for(noting)
    assert noting.asked <= declares
    for declared in type_._meta.reads:
        assert declared in noting.asked, "declared and not read"
    for name, one in declared_fields(SCHEMA.type_map[type_._meta.name]).values():
        noting.asked.clear()
        if isinstance(one, Total):
            one.summed(actor=noting)
        elif isinstance(one, Computed):
            one.load([], noting)
        elif isinstance(one, Connection) and one.selector:
            one.selector(actor=noting)
        assert not isinstance(one, Groups), "to be tried here as well"
        assert noting.asked <= {*declares, getattr(one, "permission", None)}, name


def test_nor_do_lists_at_the_root_take_more():
    for name, one in declared_fields(SCHEMA.query_type).values():
        if isinstance(one, Connection):
            assert one.selector is None, f"{name}: to be tried here as well"
