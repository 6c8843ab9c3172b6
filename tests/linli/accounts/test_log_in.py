"""Logging in at the platform's host."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connections
from django.test import Client

from linli.accounts import actions
from linli.accounts.adapter import AccountAdapter
from linli.accounts.models import Person
from linli.accounts.policy import system_actor
from linli.audit.models import Entry
from linli.errors import Refused

from .conftest import PASSWORD, Browser, somebody

LOGIN = "http://linli.localhost:8000/accounts/login/"
# What allauth shows when the pair is wrong, in the language the tests ask for.
WRONG = "The username and/or password you specified are not correct."
TOO_MANY = "Too many failed login attempts. Try again later."


@pytest.fixture
def english(browser):
    browser.at["linli.localhost"] = Client(headers={"accept-language": "en"})
    return browser


def test_passwords_are_hashed_with_argon2(person):
    assert person.password.startswith("argon2$argon2id$")


def test_by_log_in_name_in_any_case(browser, person):
    answer = browser.post(LOGIN, login=person.username.upper(), password=PASSWORD)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert browser.person_at("linli.localhost") == str(person.pk)


def test_by_email_in_any_case(browser, new_person):
    person = new_person(email="sun@example.cn")
    assert browser.post(LOGIN, login="SUN@example.cn", password=PASSWORD).status_code == 302
    assert browser.person_at("linli.localhost") == str(person.pk)


def test_a_log_in_name_cannot_stand_for_somebody_elses_email(browser, new_person):
    """People without an e-mail are not found by an empty one."""
    new_person()
    assert browser.post(LOGIN, login=" ", password=PASSWORD).status_code == 200


def test_the_disabled_do_not_get_in(browser, person):
    person.is_active = False
    person.save()
    browser.log_in(person)
    assert browser.person_at("linli.localhost") is None


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(english, person):
    """So that nobody can find out who is registered."""

    def page(login):
        answer = english.post(LOGIN, login=login, password="not-the-password")
        token = answer.context["csrf_token"]
        text = answer.content.decode().replace(str(token), "").replace(login, "")
        return answer.status_code, WRONG in text, len(text)

    assert page(person.username) == page("nobody-of-this-name")
    assert page(person.username)[:2] == (200, True)


def test_the_wrong_password_five_times_and_the_right_one_is_refused_too(english, person):
    for _attempt in range(5):
        assert WRONG in english.post(LOGIN, login=person.username, password="no").content.decode()
    answer = english.log_in(person)
    assert TOO_MANY in answer.content.decode()
    assert english.person_at("linli.localhost") is None


def test_one_persons_throttle_does_not_stop_another(english, person, new_person):
    for _attempt in range(6):
        english.post(LOGIN, login=person.username, password="no")
    other = new_person()
    english.log_in(other)
    assert english.person_at("linli.localhost") == str(other.pk)


def test_a_forged_forwarded_for_does_not_escape_the_throttle(person):
    """Ten wrong log-ins a minute from one address, whatever it claims to be."""
    client = Client(headers={"host": "linli.localhost:8000", "accept-language": "en"})
    pages = [
        client.post(
            "/accounts/login/",
            {"login": f"guess{n}", "password": "no"},
            headers={"x-forwarded-for": f"10.0.0.{n}"},
        ).content.decode()
        for n in range(11)
    ]
    assert [WRONG in page for page in pages] == [True] * 10 + [False]
    assert TOO_MANY in pages[-1]


def test_the_throttle_counts_where_all_workers_see_it():
    assert isinstance(caches["default"], DatabaseCache)
    assert caches["default"]._max_entries == 100_000


@pytest.mark.parametrize("path", ["signup/", "email/", "password/reset/"])
def test_what_is_not_offered_is_not_there(browser, path):
    assert browser.get(f"http://linli.localhost:8000/accounts/{path}").status_code == 404


def test_log_in_exists_at_the_platform_only(browser, street):
    for path in ("accounts/login/", "accounts/2fa/", "hand-over/"):
        assert browser.get(f"http://chezhan.linli.localhost:8000/{path}").status_code == 404


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"]
)
def test_log_in_leads_to_no_foreign_page(browser, person, target):
    answer = browser.post(LOGIN, login=person.username, password=PASSWORD, next=target)
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_new_password_is_recorded_and_ends_the_other_sessions(browser, person):
    elsewhere = type(browser)()
    for one in (browser, elsewhere):
        one.log_in(person)
    answer = browser.post(
        "http://linli.localhost:8000/accounts/password/change/",
        oldpassword=PASSWORD,
        password1="xinmima-zhen-chang",
        password2="xinmima-zhen-chang",
    )
    assert answer.status_code == 302
    assert browser.person_at("linli.localhost") == str(person.pk)
    assert elsewhere.person_at("linli.localhost") is None
    entry = Entry.objects.get(action="accounts.password_changed")
    assert (entry.person_id, entry.before, entry.after) == (
        person.pk,
        {"password": "…"},
        {"password": "…"},
    )


def _changes_own(browser):
    return browser.post(
        "http://linli.localhost:8000/accounts/password/change/",
        oldpassword=PASSWORD,
        password1="xinmima-zhen-chang",
        password2="xinmima-zhen-chang",
    )


def test_a_new_password_of_ones_own_counts_as_a_change(browser, person):
    """An administrator who read the person before does not overwrite it unawares."""
    browser.log_in(person)
    assert _changes_own(browser).status_code == 302
    system, given = system_actor(None), {"person_id": person.pk, "expected_version": 1}
    for action, more in (
        (actions.set_password, {"password": "other-harbour-42"}),
        (actions.disable_person, {}),
    ):
        with pytest.raises(Refused) as refused:
            action(actor=system, **given, **more)
        assert refused.value.code == "VERSION_CONFLICT"
    person.refresh_from_db()
    assert person.check_password("xinmima-zhen-chang")
    assert (person.version, person.is_active) == (2, True)


@pytest.mark.parametrize(
    ("action", "given"),
    [(actions.disable_person, {}), (actions.set_password, {"password": "other-harbour-42"})],
    ids=["disabled", "given another"],
)
def test_ones_own_password_overwrites_nothing_that_came_between(
    scratch_database, monkeypatch, action, given
):
    """Between the request's look at the person and its write, as long as hashing takes."""
    browser, person = Browser(), somebody()
    browser.log_in(person)
    changes = AccountAdapter.set_password

    def administrator():
        try:
            action(actor=system_actor(None), person_id=person.pk, **given)
        finally:
            connections.close_all()

    def meanwhile(*arguments):
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(administrator).result()
        return changes(*arguments)

    monkeypatch.setattr(AccountAdapter, "set_password", meanwhile)
    assert _changes_own(browser).status_code == 403
    after = Person.objects.get(pk=person.pk)
    assert after.version == 2
    assert after.is_active == (action is not actions.disable_person)
    assert after.check_password(given.get("password", PASSWORD))
    assert not Entry.objects.filter(action="accounts.password_changed").exists()


def test_second_factors_lie_encrypted_and_are_recorded(person):
    secret = generate_totp_secret()
    totp = TOTP.activate(person, secret)
    codes = RecoveryCodes.activate(person).get_unused_codes()
    stored = str(list(Authenticator.objects.filter(user=person).values_list("data", flat=True)))
    assert secret not in stored
    assert not any(code in stored for code in codes)
    totp.instance.delete()
    trail = Entry.objects.filter(person_id=person.pk, action__startswith="accounts.factor_")
    assert [(e.action, (e.after or e.before)["type"]) for e in trail.order_by("id")] == [
        ("accounts.factor_added", "totp"),
        ("accounts.factor_added", "recovery_codes"),
        ("accounts.factor_removed", "totp"),
    ]


def test_with_a_second_factor_the_password_alone_does_not_log_in(browser, person):
    TOTP.activate(person, generate_totp_secret())
    answer = browser.log_in(person)
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert browser.person_at("linli.localhost") is None


def test_changing_factors_asks_for_the_password_again(browser, person):
    browser.log_in(person)
    for page in ("2fa/totp/activate/", "passkeys/add/"):
        answer = browser.get(f"http://linli.localhost:8000/accounts/{page}")
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
