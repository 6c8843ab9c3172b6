"""``/graphql`` with a bearer token: no cookie, no CSRF token, and 401 for what is not valid here."""

import pytest
from django.core.handlers.base import BaseHandler
from django.test import Client as Browser
from django.utils import timezone

from linli.accounts.policy import Role
from linli.clients import actions, usage
from linli.clients.models import AccessToken, ClientSecret, PersonalToken
from linli.registry.models import Tenant
from tests.support.programs import graphql, host_of, program

VIEWER = "{ viewer { name permissions } }"

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


@pytest.fixture
def ours(administrator):
    return program(administrator, "partners:read", "tenants:read", "communities:write")


def refused(response):
    [error] = response.json()["errors"]
    return response.status_code, error["extensions"]["code"], response["WWW-Authenticate"]


def _beside_points(response):
    return {name: value for name, value in response.items() if name != "RateLimit"}


INVALID = (401, "TOKEN_INVALID", 'Bearer error="invalid_token"')


class TestAdmitted:
    def test_it_asks_as_itself_without_a_cookie(self, ours, street):
        answer = graphql(ours.token(), VIEWER, street)
        assert answer.json()["data"]["viewer"] == {
            "name": "小程序", "permissions": ["communities.onboard", "partners.read", "tenants.read"],
        }  # fmt: skip
        assert "sessionid" not in answer.cookies

    def test_it_writes_without_a_csrf_token(self, ours, administrator, street):
        document = """mutation { addCommunity(input: {name: "新社区", openedOn: "2024-05-01"}) {
            errors { code } } }"""
        answer = graphql(ours.token(), document, street)
        assert answer.json()["data"]["addCommunity"]["errors"] == []

    def test_at_the_platform_it_sees_its_own(self, ours, street, city):
        document = "{ tenants { totalCount nodes { slug } } }"
        found = graphql(ours.token(), document, None).json()["data"]["tenants"]
        assert found == {"totalCount": 1, "nodes": [{"slug": street.slug}]}

    def test_without_the_scope_it_is_forbidden(self, ours, street):
        answer = graphql(ours.token(), "{ funds { nodes { id } } }", street).json()
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        document = """mutation { registerPerson(input: {username: "w", name: "w"}) {
            errors { code } } }"""
        answer = graphql(ours.token(), document, None).json()
        assert answer["data"]["registerPerson"]["errors"] == [{"code": "FORBIDDEN"}]

    def test_it_is_told_which_scope_is_missing_and_who_gives_it(self, ours, administrator, street):
        funds = "{ funds { nodes { id } } }"
        [error] = graphql(ours.token(), funds, street).json()["errors"]
        assert error["message"] == (
            "This token has not the scope fund:read, which this takes. Ask for a token with it. If "
            "the client has it not, it can be given to one by: platform operator, street "
            "administrator, host charity approver, host charity cashier."
        )
        pays = """mutation { paySpending(input: {spendingId: "x", paidOn: "2026-01-01"}) {
            errors { message } } }"""
        answer = graphql(ours.token(), pays, street).json()["data"]["paySpending"]
        [error] = answer["errors"]
        assert "the scope fund:pay" in error["message"]
        assert error["message"].endswith("by: host charity cashier.")
        _row, own = actions.create_personal_token(
            actor=administrator, name="我的", scopes=["partners:read", "fund:pay"], tenant=street
        )
        [error] = graphql(own, funds, street).json()["errors"]
        assert error["message"] == (
            "This token has not the scope fund:read, which this takes. Make one with it."
        )
        # The token has it, so it is the person's role.
        [error] = graphql(own, pays, street).json()["data"]["paySpending"]["errors"]
        assert error["message"] == (
            "Your role does not allow this. Ask an administrator of your unit."
        )

    def test_it_is_told_where_a_scope_does_not_count(self, district, street, actor_as):
        maker = actor_as(district, Role.DISTRICT_ADMINISTRATOR)
        made = program(maker, "models:write", "fund:read", covers_below=True)
        write = """mutation { publishVersion(input: {
            versionId: "x", profiles: [AGEING], caseText: "x"}) { errors { message } } }"""
        answer = graphql(made.token(), write, street).json()["data"]["publishVersion"]
        assert answer["errors"][0]["message"] == (
            "The scope models:write of this program does not count at this unit. It counts where "
            "whoever made the client held it. It can be given here by: street administrator."
        )

    def test_of_token_and_cookie_the_token_counts(self, ours, street, actor_as):
        browser = Browser(enforce_csrf_checks=True)
        browser.force_login(actor_as(street, Role.AUDITOR).person)
        answer = graphql(ours.token(), VIEWER, street, browser)
        assert answer.json()["data"]["viewer"]["name"] == "小程序"
        assert refused(graphql("linli_at_nobody", VIEWER, street, browser)) == INVALID

    def test_a_suspended_unit_is_read(self, ours, street):
        token = ours.token()
        Tenant.objects.filter(pk=street.pk).update(status=Tenant.Status.SUSPENDED)
        viewer = graphql(token, VIEWER, street).json()["data"]["viewer"]
        assert viewer["permissions"] == ["partners.read", "tenants.read"]

    @pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
    def test_the_scheme_is_read_in_any_case(self, ours, street, scheme):
        answer = Browser().post(
            "/graphql", {"query": VIEWER}, content_type="application/json",
            headers={"host": host_of(street), "authorization": f"{scheme} {ours.token()}"},
        )  # fmt: skip
        assert answer.json()["data"]["viewer"]["name"] == "小程序"


class TestWithoutAToken:
    """Neither a token nor a session: what a program is to do, not what a browser is."""

    @pytest.mark.parametrize("scheme", [None, "Basic YTpi", "Token linli_at_x", "linli_at_x"])
    def test_it_is_told_to_send_one(self, street, scheme):
        headers = {"host": host_of(street), "accept-language": "en"}
        if scheme:
            headers["authorization"] = scheme
        for checks in (True, False) if scheme else (True,):
            answer = Browser(enforce_csrf_checks=checks).post(
                "/graphql", {"query": VIEWER}, content_type="application/json", headers=headers
            )
            assert refused(answer) == (401, "TOKEN_MISSING", "Bearer")
            assert "/oauth/token" in answer.json()["errors"][0]["message"]

    def test_a_session_is_told_of_its_csrf_token(self, street, administrator):
        browser = Browser(enforce_csrf_checks=True)
        browser.force_login(administrator.person)
        answer = browser.post(
            "/graphql", {"query": VIEWER}, content_type="application/json",
            headers={"host": host_of(street), "accept-language": "en"},
        )  # fmt: skip
        assert answer.status_code == 403
        assert "X-CSRFToken" in answer.json()["errors"][0]["message"]
        assert "WWW-Authenticate" not in answer


class TestRefused:
    @pytest.mark.parametrize("token", ["", "nobody", "linli_at_nobody", "linli_pt_nobody", "é"])
    def test_what_is_no_token(self, street, token):
        assert refused(graphql(token, VIEWER, street)) == INVALID

    def test_another_tenants_token_is_like_no_token(self, ours, other_street):
        theirs, none = (
            graphql(token, VIEWER, other_street) for token in (ours.token(), "linli_at_nobody")
        )
        assert refused(theirs) == INVALID
        assert theirs.content == none.content
        # Each costs its address the same: what is left is less by the first.
        assert _beside_points(theirs) == _beside_points(none)

    def test_what_has_expired(self, ours, street):
        token = ours.token()
        AccessToken.objects.update(expires=timezone.now())
        assert refused(graphql(token, VIEWER, street)) == INVALID

    def test_what_was_revoked_midway(self, ours, administrator, street):
        token = ours.token()
        assert graphql(token, VIEWER, street).status_code == 200
        actions.revoke_client(actor=administrator, client_id=ours.client.pk)
        assert refused(graphql(token, VIEWER, street)) == INVALID

    def test_a_document_of_it_is_not_even_read(self, street):
        answer = Browser().post(
            "/graphql", "{", content_type="application/json",
            headers={"host": host_of(street), "authorization": "Bearer linli_at_nobody"},
        )  # fmt: skip
        assert refused(answer) == INVALID


class TestLastUse:
    @pytest.fixture(autouse=True)
    def _nothing_noted(self):
        usage._noted.clear()

    def test_it_is_kept_of_the_secret_and_of_the_token(self, ours, administrator, street):
        _row, personal = actions.create_personal_token(
            actor=administrator, name="我的", scopes=["partners:read"], tenant=street
        )
        token = ours.token()
        assert ClientSecret.objects.get().last_used_at is None
        graphql(token, VIEWER, street)
        graphql(personal, VIEWER, street)
        assert ClientSecret.objects.get().last_used_at is not None
        assert PersonalToken.objects.get().last_used_at is not None

    def test_a_second_read_within_the_minute_writes_nothing(
        self, ours, street, django_assert_max_num_queries
    ):
        token = ours.token()
        graphql(token, VIEWER, street)
        first = ClientSecret.objects.get().last_used_at
        with django_assert_max_num_queries(50) as captured:
            graphql(token, VIEWER, street)
        assert [q["sql"] for q in captured if q["sql"].lstrip().startswith("UPDATE")] == []
        usage._noted.clear()  # as another process would
        graphql(token, VIEWER, street)
        assert ClientSecret.objects.get().last_used_at == first

    def test_it_is_kept_once_the_answer_is_made(self, ours, street, rf, monkeypatch):
        """The statement is sent when the response is closed, not while it is made."""
        noted = []
        monkeypatch.setattr(usage, "note", noted.append)
        request = rf.post(
            "/graphql", {"query": VIEWER}, content_type="application/json",
            headers={"authorization": f"Bearer {ours.token()}", "host": host_of(street)},
        )  # fmt: skip
        handler = BaseHandler()
        handler.load_middleware()
        response = handler.get_response(request)
        assert response.status_code == 200
        assert noted == []
        response.close()
        assert len(noted) == 1
