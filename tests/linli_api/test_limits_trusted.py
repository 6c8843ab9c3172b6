"""Trusted documents: registered once, run by hash, required by a tenant of its programs."""

from hashlib import sha256
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from linli.accounts.policy import Client, Role
from linli.trusted import selectors
from linli.trusted.models import DocumentRule, TrustedDocument
from linli_api.errors import InvalidRequest
from linli_api.trusted.requests import check_untrusted, text_of
from tests.support.api import ask, done, errors, refused

STREET, OTHER = "chezhan.linli.localhost", "wenshao.linli.localhost"
VIEWER = "query Who { viewer { name } } query What { viewer { permissions } }"
VIEWER_ID = f"sha256:{sha256(VIEWER.encode()).hexdigest()}"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_known():
    _forget()
    yield
    _forget()


def _forget():
    """As after FRESH_SECONDS, or in another process."""
    selectors._texts.known.clear()
    selectors._rules.known.clear()


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


def trust(actor, text=VIEWER, **given):
    shows = "document { id documentId cost name withdrawnAt }"
    return done(actor, "trustDocument", shows, text=text, **given)


def post(person, body, host=STREET):
    browser = Browser(headers={"host": host, "accept-language": "en"})
    if person:
        browser.force_login(person)
    return browser.post("/graphql", body, content_type="application/json")


def code(response):
    [error] = response.json()["errors"]
    return error["extensions"]["code"]


class TestRunning:
    def test_by_its_hash(self, administrator):
        assert trust(administrator, name="谁")["documentId"] == VIEWER_ID
        response = post(administrator.person, {"documentId": VIEWER_ID, "operationName": "Who"})
        assert response.json()["data"] == {"viewer": {"name": administrator.person.name}}

    def test_with_variables_that_count(self, administrator):
        text = "query($n: Int) { partners(first: $n) { nodes { community { name } } } }"
        assert trust(administrator, text)["cost"] == 23
        id_ = f"sha256:{sha256(text.encode()).hexdigest()}"
        response = post(administrator.person, {"documentId": id_, "variables": {"n": 5}})
        assert response.json()["extensions"]["cost"]["requested"] == 7

    def test_one_that_is_not_trusted(self, administrator):
        trust(administrator)
        for unknown in ("sha256:" + "0" * 64, VIEWER_ID.upper(), VIEWER_ID[7:], "", "\0"):
            response = post(administrator.person, {"documentId": unknown})
            assert (response.status_code, code(response)) == (400, "DOCUMENT_NOT_TRUSTED")

    def test_not_at_another_tenants_host_nor_at_the_platforms(
        self, administrator, other_street, actor_as
    ):
        trust(administrator)
        other = actor_as(other_street, Role.STREET_ADMINISTRATOR)
        for person, host in ((other.person, OTHER), (administrator.person, "linli.localhost")):
            response = post(person, {"documentId": VIEWER_ID}, host)
            assert code(response) == "DOCUMENT_NOT_TRUSTED"

    def test_a_hash_that_is_known_takes_no_statement(self, administrator, street):
        trust(administrator)
        text_of(street, VIEWER_ID)
        with CaptureQueriesContext(connection) as captured:
            assert text_of(street, VIEWER_ID) == VIEWER
            check_untrusted(street, administrator)
        assert len(captured) == 0


class TestRegistering:
    def test_again_changes_nothing(self, administrator):
        assert trust(administrator, name="a") == trust(administrator, name="b")

    @pytest.mark.parametrize(
        ("text", "codes"),
        [
            ("{ viewer { nobody } }", "DOCUMENT_NOT_VALID"),
            ("{ viewer", "DOCUMENT_NOT_VALID"),
            ("fragment f on Viewer { name }", "DOCUMENT_NOT_VALID"),
            ("{" + "a{" * 15 + "a" + "}" * 16, "DOCUMENT_TOO_DEEP"),
            ("{ viewer {" + "name " * 11 + "} }", "DOCUMENT_TOO_LARGE"),
            (
                "{ partners(first: 100) { nodes { agreements(first: 100) { nodes {"
                " community: partner { name } } } } } }",
                "COST_TOO_HIGH",
            ),
        ],
    )
    def test_what_could_not_run_is_not_trusted(self, administrator, text, codes):
        [(found, _field)] = refused(administrator, "trustDocument", text=text)
        assert found == codes

    def test_it_is_on_the_list_and_in_the_trail(self, administrator):
        trust(administrator, name="谁")
        listed = ask(
            administrator, "{ trustedDocuments { nodes { documentId name text withdrawnAt } } }"
        )
        assert listed["trustedDocuments"]["nodes"] == [
            {"documentId": VIEWER_ID, "name": "谁", "text": VIEWER, "withdrawnAt": None}
        ]

    @pytest.mark.parametrize("role", [Role.COMMUNITY_WORKER, Role.INTEGRATOR, Role.AUDITOR])
    def test_a_program_trusts_nothing_itself(self, street, actor_as, role):
        actor = actor_as(street, role)
        assert refused(actor, "trustDocument", text=VIEWER) == [("FORBIDDEN", None)]
        assert refused(actor, "requireTrustedDocuments", onlyTrusted=True) == [("FORBIDDEN", None)]


class TestWithdrawing:
    def test_it_holds_as_soon_as_what_is_known_is_old(self, administrator, monkeypatch):
        document = trust(administrator)
        assert "data" in post(administrator.person, self.body).json()
        done(administrator, "withdrawDocument", "document { id }", trustedDocumentId=document["id"])
        # For FRESH_SECONDS a process may run it on; then none does.
        assert "data" in post(administrator.person, self.body).json()
        monkeypatch.setattr(selectors, "FRESH_SECONDS", 0)
        _expire()
        assert code(post(administrator.person, self.body)) == "DOCUMENT_NOT_TRUSTED"
        again = {"trustedDocumentId": document["id"]}
        assert refused(administrator, "withdrawDocument", **again) == [
            ("DOCUMENT_WITHDRAWN", "trustedDocumentId")
        ]

    def test_it_can_be_trusted_anew(self, administrator):
        first = trust(administrator)
        done(administrator, "withdrawDocument", "document { id }", trustedDocumentId=first["id"])
        assert trust(administrator)["id"] != first["id"]
        _forget()
        assert "data" in post(administrator.person, self.body).json()

    body = {"documentId": VIEWER_ID, "operationName": "Who"}


def _expire():
    """The time of what is known is over, as it will be by itself."""
    for memory in (selectors._texts, selectors._rules):
        for key, known in memory.known.items():
            memory.known[key] = selectors._Known(known.value, until=0)


class TestRequired:
    @pytest.fixture
    def only_trusted(self, administrator):
        trust(administrator)
        shows = "tenant { documentRule { onlyTrusted } }"
        tenant = done(administrator, "requireTrustedDocuments", shows, onlyTrusted=True)
        assert tenant == {"documentRule": {"onlyTrusted": True}}

    def test_a_program_runs_no_other(self, only_trusted, administrator, street):
        program = type(administrator)(None, street, administrator.grants, Client(uuid4(), "小程序"))
        token = type(administrator)(
            administrator.person, street, administrator.grants, Client(uuid4(), "令牌")
        )
        for actor in (program, token, None):
            with pytest.raises(InvalidRequest) as raised:
                check_untrusted(street, actor)
            assert raised.value.code == "DOCUMENT_NOT_TRUSTED"
        assert text_of(street, VIEWER_ID) == VIEWER

    def test_nobody_logged_in_is_a_program_too(self, only_trusted):
        assert code(post(None, {"query": VIEWER})) == "DOCUMENT_NOT_TRUSTED"
        assert code(post(None, {"documentId": VIEWER_ID, "operationName": "Who"})) == (
            "UNAUTHENTICATED"
        )

    def test_people_in_a_session_run_any(self, only_trusted, administrator):
        response = post(administrator.person, {"query": "{ viewer { name } }"})
        assert response.json()["data"]["viewer"]["name"] == administrator.person.name

    def test_other_tenants_are_not_concerned(self, only_trusted, other_street):
        check_untrusted(other_street, None)

    def test_it_can_be_lifted(self, only_trusted, administrator, street):
        done(administrator, "requireTrustedDocuments", "tenant { id }", onlyTrusted=False)
        shown = ask(administrator, "{ tenant { documentRule { onlyTrusted } } }")
        assert shown == {"tenant": {"documentRule": {"onlyTrusted": False}}}
        _forget()
        check_untrusted(street, None)
        assert DocumentRule.objects.filter(pk=street.pk, only_trusted=False).exists()


def test_what_one_tenant_trusts_another_does_not_see(administrator, other_street, actor_as):
    document = trust(administrator)
    other = actor_as(other_street, Role.STREET_ADMINISTRATOR)
    assert ask(other, "{ trustedDocuments { nodes { id } } }")["trustedDocuments"]["nodes"] == []
    assert refused(other, "withdrawDocument", trustedDocumentId=document["id"]) == [
        ("NOT_FOUND", "trustedDocumentId")
    ]
    query = "query($id: ID!) { trustedDocument(id: $id) { text } }"
    assert errors(other, query, id=document["id"]) == [("NOT_FOUND", "id")]
    assert TrustedDocument.objects.filter(withdrawn_at=None).count() == 1
