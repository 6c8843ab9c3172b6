"""Exports for programs: asked for, written and fetched with a token that came from /oauth/token."""

import json

import pytest
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.utils import timezone

from linli.accounts.models import Membership
from linli.clients.actions import create_personal_token, revoke_client, revoke_personal_token
from linli.clients.models import Client
from linli.tenancy.context import public_context
from linli.trusted import selectors
from linli.trusted.actions import require_trusted, trust_document
from linli_api.exports import run
from linli_api.exports.actions import request_export
from linli_api.exports.models import Export
from tests.linli_api.exports.conftest import NAMES
from tests.support.programs import graphql, host_of, program

PARTNERS = "{ partners { nodes { name } } }"
FUNDS = "{ funds { nodes { balanceFen } } }"
ASK = """mutation($input: ExportConnectionInput!) { exportConnection(input: $input) {
    export { id status } errors { code field } } }"""


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch):
    """Of documents that other tests trusted and required."""
    monkeypatch.setattr(selectors, "_texts", selectors._Memory())
    monkeypatch.setattr(selectors, "_rules", selectors._Memory())


@pytest.fixture
def tool(town):
    """A BI tool: it reads, and acts by itself."""
    return program(town.administrator, "partners:read", "communities:read", name="报表")


# A request leaves its connection in the public schema.
def token_of(tool, **form) -> str:
    with public_context():
        return tool.token(**form)


def answered(token, document, at, **variables) -> dict:
    with public_context():
        return graphql(token, document, at, **variables).json()["data"]


def asked(token, town, document=PARTNERS, format="CSV") -> dict:
    given = {"document": document, "format": format}
    return answered(token, ASK, town.street, input=given)["exportConnection"]


def written(town) -> Export:
    [export] = Export.objects.all()
    run.write_out(town.street, export.pk)
    export.refresh_from_db()
    return export


def fetch(token, export, at, browser=None):
    headers = {"host": host_of(at), "authorization": f"Bearer {token}", "accept-language": "en"}
    with public_context():
        return (browser or Browser()).get(f"/exports/{export.pk}", headers=headers)


def refusal(answer) -> tuple[int, str]:
    [error] = json.loads(answer.content)["errors"]
    return answer.status_code, error["extensions"]["code"]


INVALID = (401, "TOKEN_INVALID")


class TestAClient:
    def test_asks_waits_and_fetches_without_a_person(self, town, tool):
        token = token_of(tool)
        assert asked(token, town)["errors"] == []
        export = written(town)
        assert (export.person_id, export.client_id) == (None, tool.client.pk)
        listing = "{ exports { nodes { status rows url } } }"
        [told] = answered(token, listing, town.street)["exports"]["nodes"]
        assert (told["status"], told["rows"]) == ("DONE", 250)
        assert told["url"].endswith(f"/exports/{export.pk}")
        answer = fetch(token, export, town.street)
        assert answer.status_code == 200
        content = b"".join(answer.streaming_content).decode("utf-8-sig")
        assert content.split() == ["name", *NAMES]
        assert "sessionid" not in answer.cookies

    def test_exports_no_more_than_its_scopes_let_it_read(self, town, tool):
        refused = asked(token_of(tool), town, FUNDS)
        assert refused == {"export": None, "errors": [{"code": "FORBIDDEN", "field": None}]}
        assert not Export.objects.exists()

    def test_shares_its_exports_with_nobody(self, town, tool):
        """Neither with who made it, nor with another client of theirs."""
        token = token_of(tool)
        asked(token, town)
        export = written(town)
        other = program(town.administrator, "partners:read", name="另一个")
        listing = "{ exports { totalCount } }"
        assert answered(token_of(other), listing, town.street)["exports"] == {"totalCount": 0}
        assert refusal(fetch(token_of(other), export, town.street)) == (404, "NOT_FOUND")
        browser = Browser(headers={"host": host_of(town.street)})
        browser.force_login(town.administrator.person)
        with public_context():
            assert refusal(browser.get(f"/exports/{export.pk}")) == (404, "NOT_FOUND")
            # Nor does the session of who made it help a token that is none.
        assert refusal(fetch("linli_at_none", export, town.street, browser)) == INVALID

    def test_revoked_it_gets_no_rows_and_no_file(self, town, tool):
        token = token_of(tool)
        asked(token, town)
        done = written(town)
        asked(token, town)
        with public_context():
            revoke_client(actor=town.administrator, client_id=tool.client.pk)
        answer = fetch(token, done, town.street)
        assert refusal(answer) == INVALID
        assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        later = Export.objects.exclude(pk=done.pk).get()
        run.write_out(town.street, later.pk)
        later.refresh_from_db()
        assert (later.status, later.error["code"], later.rows) == ("failed", "FORBIDDEN", 0)

    def test_revoked_in_the_middle_it_gets_no_further_row(self, town, tool, monkeypatch):
        monkeypatch.setattr(run, "PART_BYTES", 1000)
        asked(token_of(tool), town)
        ask_page, pages = run.ask, []

        def ask_and_revoke(*given, **paging):
            pages.append(paging)
            if len(pages) == 2:
                Client.objects.update(revoked_at=timezone.now())
            return ask_page(*given, **paging)

        monkeypatch.setattr(run, "ask", ask_and_revoke)
        export = written(town)
        # The page on its way when it was revoked is the last.
        assert (export.status, export.error["code"], export.rows) == ("failed", "FORBIDDEN", 200)

    def test_without_the_scope_it_gets_no_rows_and_no_file(self, town, tool):
        token = token_of(tool)
        asked(token, town)
        done = written(town)
        narrower = token_of(tool, scope="communities:read")
        assert refusal(fetch(narrower, done, town.street)) == (403, "FORBIDDEN")
        asked(token, town)
        Client.objects.update(scope="communities:read")
        later = Export.objects.exclude(pk=done.pk).get()
        run.write_out(town.street, later.pk)
        later.refresh_from_db()
        assert (later.status, later.error["code"], later.rows) == ("failed", "FORBIDDEN", 0)

    def test_asked_with_a_narrower_token_it_holds_no_more(self, town, tool):
        asked(token_of(tool, scope="partners:read"), town)
        assert set(written(town).scope) == {"partners.read"}

    def test_its_token_opens_nothing_at_another_street(self, town, tool, other_street):
        token = token_of(tool)
        asked(token, town)
        export = written(town)
        assert refusal(fetch(token, export, other_street)) == INVALID

    def test_brings_no_document_that_is_not_trusted(self, town, tool):
        """The mutation that is trusted is no way around: what it exports has to be trusted too."""
        token = token_of(tool)
        with public_context():
            trusted = trust_document(actor=town.administrator, text=ASK, name="导出", cost=10)
            require_trusted(actor=town.administrator, only_trusted=True)
        assert sent(token, town, trusted)["errors"] == [
            {"code": "DOCUMENT_NOT_TRUSTED", "field": "document"}
        ]
        with public_context():
            trust_document(actor=town.administrator, text=PARTNERS, name="伙伴", cost=41)
        assert sent(token, town, trusted)["errors"] == []
        assert Export.objects.get().client_id == tool.client.pk


def sent(token, town, trusted) -> dict:
    body = {
        "documentId": f"sha256:{trusted.digest}",
        "variables": {"input": {"document": PARTNERS, "format": "CSV"}},
    }
    headers = {"host": host_of(town.street), "authorization": f"Bearer {token}"}
    with public_context():
        answer = Browser().post("/graphql", body, content_type="application/json", headers=headers)
    return answer.json()["data"]["exportConnection"]


class TestATokenOfAPerson:
    @pytest.fixture
    def token(self, town):
        with public_context():
            return create_personal_token(
                actor=town.administrator, tenant=town.street, name="脚本", scopes=["partners:read"]
            )

    def test_is_narrower_than_the_person(self, town, token):
        assert asked(token[1], town, FUNDS)["errors"] == [{"code": "FORBIDDEN", "field": None}]
        assert asked(token[1], town)["errors"] == []
        export = written(town)
        assert set(export.scope) == {"partners.read"}
        assert fetch(token[1], export, town.street).status_code == 200

    def test_revoked_it_ends_what_it_asked_for(self, town, token):
        asked(token[1], town)
        with public_context():
            revoke_personal_token(actor=town.administrator, token_id=token[0].pk)
        export = written(town)
        assert (export.status, export.error["code"], export.rows) == ("failed", "FORBIDDEN", 0)
        assert refusal(fetch(token[1], export, town.street)) == INVALID

    def test_lets_nothing_through_that_the_person_lost(self, town, token):
        asked(token[1], town)
        Membership.objects.filter(person=town.administrator.person).delete()
        export = written(town)
        assert (export.status, export.error["code"], export.rows) == ("failed", "FORBIDDEN", 0)


def test_what_nobody_asked_for_is_no_row(town):
    export = request_export(actor=town.administrator, document=PARTNERS, format="csv")
    with pytest.raises(IntegrityError, match="export_requested_by_somebody"), transaction.atomic():
        Export.objects.filter(pk=export.pk).update(person_id=None)
