"""/oauth/token: client credentials for a token, and the errors of RFC 6749."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linli.budget.lease import forget
from linli.budget.models import Account
from linli.clients import actions
from linli.clients.admission import admit
from linli.clients.models import AccessToken, ClientSecret
from linli.clients.oauth import Validator
from linli.registry.models import Tenant
from tests.support.minutes import wait_for_seconds
from tests.support.programs import PLATFORM, host_of, program, token_endpoint

GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def ours(administrator):
    return program(administrator, "partners:read", "partners:write", "fund:read")


def error(answer):
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()["error"]


class TestGiven:
    def test_a_token_for_an_hour_with_all_scopes(self, ours, street):
        answer = ours.asks_for_token(street)
        told = answer.json()
        assert answer.status_code == 200
        assert told.pop("access_token").startswith("linli_at_")
        assert told == {
            "expires_in": 3600,
            "token_type": "Bearer",
            "scope": "partners:read partners:write fund:read",
        }

    def test_with_fewer_when_asked(self, ours, street):
        token = ours.asks_for_token(street, scope="fund:read").json()
        assert token["scope"] == "fund:read"
        assert admit(token["access_token"], street).actor.client.scopes == {"fund:read"}

    def test_the_secret_may_stand_in_the_body(self, ours, street):
        form = {"client_id": ours.client.client_id, "client_secret": ours.secret}
        assert token_endpoint(street, GRANT | form).status_code == 200

    def test_at_the_platform_too(self, ours, street):
        assert admit(ours.asks_for_token(None).json()["access_token"], street)

    def test_what_has_expired_is_swept_up(self, ours, street):
        ours.token()
        AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
        ours.token()
        assert AccessToken.objects.count() == 1


class TestRefused:
    """Nothing is kept, and the answer says no more than the RFC has words for."""

    @pytest.fixture(autouse=True)
    def _no_token(self, ours):
        yield
        assert not AccessToken.objects.exists()

    @pytest.mark.parametrize("secret", ["linli_cs_wrong", " ", "\0", "x" * 5000])
    def test_a_wrong_secret(self, ours, street, secret):
        assert error(ours.asks_for_token(street, secret=secret)) == (401, "invalid_client")

    @pytest.mark.parametrize("client_id", ["linli_nobody", "", "\0", "https://example.org/id"])
    def test_an_unknown_client(self, ours, street, client_id):
        form = GRANT | {"client_id": client_id, "client_secret": ours.secret}
        assert error(token_endpoint(street, form)) == (401, "invalid_client")

    def test_no_client_at_all(self, street):
        assert error(token_endpoint(street, GRANT)) == (401, "invalid_client")

    def test_another_clients_secret(self, ours, administrator, street):
        other = program(administrator, "fund:read", name="另一个")
        assert error(ours.asks_for_token(street, secret=other.secret)) == (401, "invalid_client")

    def test_at_another_tenants_host_there_is_no_such_client(self, ours, other_street, district):
        for elsewhere in (other_street, district):
            assert error(ours.asks_for_token(elsewhere)) == (401, "invalid_client")

    @pytest.mark.parametrize("scope", ["fund:pay", "fund:read fund:pay", "no:such", "fund:read\0"])
    def test_a_scope_it_has_not(self, ours, street, scope):
        assert error(ours.asks_for_token(street, scope=scope)) == (400, "invalid_scope")

    @pytest.mark.parametrize(
        "grant_type", ["password", "authorization_code", "refresh_token", "implicit", "x"]
    )
    def test_other_grants(self, ours, street, grant_type):
        answer = ours.asks_for_token(
            street, grant_type=grant_type, username="a", password="b", code="c", refresh_token="d"
        )
        assert error(answer) == (400, "unsupported_grant_type")

    def test_the_grant_of_devices(self, ours, street):
        answer = ours.asks_for_token(
            street, grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code="x"
        )
        assert error(answer) == (400, "unsupported_grant_type")

    def test_no_grant(self, street):
        assert error(token_endpoint(street, {})) == (400, "invalid_request")

    def test_a_revoked_secret_and_a_revoked_client(self, ours, administrator, street):
        first = ours.client.secrets.get()
        _second, text = actions.add_client_secret(actor=administrator, client_id=ours.client.pk)
        actions.revoke_client_secret(actor=administrator, secret_id=first.pk)
        assert error(ours.asks_for_token(street)) == (401, "invalid_client")
        actions.revoke_client(actor=administrator, client_id=ours.client.pk)
        assert error(ours.asks_for_token(street, secret=text)) == (401, "invalid_client")

    def test_what_is_not_posted(self, street):
        browser = Browser(headers={"host": f"chezhan.{PLATFORM}"})
        for method in ("get", "put", "delete", "patch"):
            answer = getattr(browser, method)("/oauth/token")
            assert error(answer) == (405, "invalid_request")
            assert answer["Allow"] == "POST"

    def test_a_client_that_is_not_known_is_told_the_scheme_it_may_use(self, ours, street):
        """As RFC 6749, section 5.2, has it: that of the attempt, which is none of tokens."""
        for answer in (ours.asks_for_token(street, secret="no"), token_endpoint(street, GRANT)):
            assert error(answer) == (401, "invalid_client")
            assert answer["WWW-Authenticate"].startswith("Basic realm=")

    def test_at_a_host_that_is_not_served(self, ours, street):
        Tenant.objects.filter(pk=street.pk).update(status=Tenant.Status.ARCHIVED)
        assert ours.asks_for_token(street).status_code == 503


def test_two_secrets_are_good_at_once(ours, administrator, street):
    _second, text = actions.add_client_secret(actor=administrator, client_id=ours.client.pk)
    assert ours.asks_for_token(street).status_code == 200
    assert ours.asks_for_token(street, secret=text).status_code == 200


def test_secrets_are_compared_in_constant_time_and_all_of_them(ours, administrator, monkeypatch):
    """However much of it is right, and whichever secret it is."""
    actions.add_client_secret(actor=administrator, client_id=ours.client.pk)
    compared = []

    def watched(one, other):
        compared.append((one, other))
        return real(one, other)

    from linli.clients import oauth

    real = oauth.constant_time_compare
    monkeypatch.setattr(oauth, "constant_time_compare", watched)
    digests = set(ClientSecret.objects.values_list("digest", flat=True))
    for secret, right in ((ours.secret, True), (ours.secret[:-1] + "?", False), ("", False)):
        compared.clear()
        client = type(ours.client).objects.get()
        assert Validator()._check_secret(secret, client.client_secret) is right
        assert {other for _one, other in compared} == digests
        assert {len(one) for one, _other in compared} == {64}


class TestPoints:
    """A request for a token costs its address, and whose secret is right the client too."""

    @pytest.fixture(autouse=True)
    def _few_points(self, settings, db):
        """In a minute that does not turn while they are counted: it waits for the next."""
        settings.LINLI_POINTS_A_MINUTE, settings.LINLI_POINTS_A_MINUTE_ANONYMOUS = 100, 50
        wait_for_seconds(10)
        forget()
        yield
        forget()

    @staticmethod
    def ask(ours, street, secret=None, address="203.0.113.7"):
        form = {"client_id": ours.client.client_id, "client_secret": secret or ours.secret}
        browser = Browser(headers={"host": host_of(street)}, REMOTE_ADDR=address)
        return browser.post("/oauth/token", GRANT | form)

    def test_an_answer_says_what_is_left(self, ours, street):
        answer = self.ask(ours, street)
        assert answer.status_code == 200
        assert answer["RateLimit-Policy"] == '"points";q=50;w=60'
        assert re.fullmatch(r'"points";r=40;t=[1-9]\d?', answer["RateLimit"])
        assert "Retry-After" not in answer
        assert ours.client.pk in Account.objects.values_list("pk", flat=True)

    def test_who_tries_secrets_is_stopped_and_the_client_is_not(self, ours, street):
        statuses = [self.ask(ours, street, "linli_cs_wrong").status_code for _ in range(5)]
        assert statuses == [401] * 5
        with CaptureQueriesContext(connection) as captured:
            answer = self.ask(ours, street, "linli_cs_wrong")
        assert error(answer) == (429, "temporarily_unavailable")
        assert not [one for one in captured if "clients_" in one["sql"]]  # not even looked up
        assert answer["RateLimit"].startswith('"points";r=0;t=')
        seconds = int(answer["Retry-After"])
        assert f"Ask again in {seconds} seconds" in answer.json()["error_description"]
        assert self.ask(ours, street).status_code == 429  # from there nobody is let in
        assert not Account.objects.filter(pk=ours.client.pk).exists()
        assert self.ask(ours, street, address="198.51.100.9").status_code == 200

    def test_a_client_that_asks_on_and_on_is_stopped_wherever_it_asks(self, ours, street):
        """Out of the points it asks the API with."""
        answers = [self.ask(ours, street, address=f"198.51.100.{n}") for n in range(11)]
        assert [one.status_code for one in answers] == [200] * 10 + [429]
        assert error(answers[-1]) == (429, "temporarily_unavailable")
        assert answers[-1]["RateLimit-Policy"] == '"points";q=100;w=60'
        assert AccessToken.objects.count() == 10
        wrong = self.ask(ours, street, "linli_cs_wrong", address="198.51.100.99")
        assert wrong.status_code == 401
