"""From the platform's log-in to a tenant's own session, and nothing shared on the way."""

from datetime import timedelta
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from linli.accounts import hand_over
from linli.accounts.models import OneTimeCode, Session
from linli.accounts.policy import Role
from linli.accounts.sessions import METHODS
from linli.errors import Refused
from linli.registry.models import Tenant

PLATFORM = "linli.localhost"
CHEZHAN = "chezhan.linli.localhost"
WENSHAO = "wenshao.linli.localhost"
HTTP = "http://{}:8000{}".format


@pytest.fixture
def worker(person, give, street):
    give(person, street, Role.COMMUNITY_WORKER)
    return person


@pytest.fixture
def inside(browser, worker):
    """Somebody logged in at the platform and, from there, at Chezhan."""
    browser.log_in(worker)
    browser.follow(HTTP(CHEZHAN, "/sign-in/"))
    assert browser.person_at(CHEZHAN) == str(worker.pk)
    return browser


def way_back(browser, *, host=CHEZHAN):
    """The address with the code that the platform sends the browser back to."""
    question = browser.get(HTTP(host, "/sign-in/"))["Location"]
    return browser.get(question)["Location"]


def test_log_in_at_the_platform_and_come_out_where_one_wanted_to_go(browser, worker):
    wanted = HTTP(CHEZHAN, "/sign-in/?next=/language/%3Fa%3D1")
    where, page = browser.follow(wanted)
    assert urlsplit(where).path == "/accounts/login/"
    assert page.status_code == 200
    target = parse_qs(urlsplit(where).query)["next"][0]
    answer = browser.post(
        HTTP(PLATFORM, "/accounts/login/"),
        login=worker.username,
        password="chuangye-lu-17",
        next=target,
    )
    back = browser.get(HTTP(PLATFORM, answer["Location"]))["Location"]
    assert back.startswith(HTTP(CHEZHAN, "/sign-in/complete?code="))
    entered = browser.get(back)
    assert (entered.status_code, entered["Location"]) == (302, "/language/?a=1")
    assert browser.person_at(CHEZHAN) == str(worker.pk)


def test_no_cookie_is_set_for_more_than_its_own_host(inside):
    assert set(inside.at) == {PLATFORM, CHEZHAN}
    for client in inside.at.values():
        assert client.cookies[settings.SESSION_COOKIE_NAME].value
        assert all(not cookie["domain"] for cookie in client.cookies.values())
    keys = [c.cookies[settings.SESSION_COOKIE_NAME].value for c in inside.at.values()]
    assert len(set(keys)) == 2


def test_the_new_session_knows_how_the_person_logged_in(inside):
    assert inside.at[CHEZHAN].session[METHODS] == ["password"]


def test_a_code_is_good_once(browser, worker):
    browser.log_in(worker)
    back = way_back(browser)
    saved = SimpleCookie(browser.at[CHEZHAN].cookies.output(header="", sep="; "))
    assert browser.get(back).status_code == 302
    replay = Client()
    replay.cookies = saved
    parts = urlsplit(back)
    answer = replay.get(f"{parts.path}?{parts.query}", headers={"host": parts.netloc})
    assert answer.status_code == 400
    assert OneTimeCode.objects.count() == 0


def test_a_code_is_worth_nothing_in_another_browser(browser, worker):
    """Neither for who stole it, nor for who is made to follow a stranger's link."""
    browser.log_in(worker)
    back = way_back(browser)
    thief = type(browser)()
    thief.get(HTTP(CHEZHAN, "/sign-in/"))
    assert thief.get(back).status_code == 400
    assert thief.person_at(CHEZHAN) is None
    assert browser.get(back).status_code == 400, "shown once, it is gone for its owner too"


def test_a_code_is_worth_nothing_at_another_host(browser, worker, give, other_street):
    give(worker, other_street, Role.AUDITOR)
    browser.log_in(worker)
    back = way_back(browser)
    browser.at[WENSHAO].cookies = browser.at[CHEZHAN].cookies
    assert browser.get(back.replace(CHEZHAN, WENSHAO)).status_code == 400
    assert browser.person_at(WENSHAO) is None


def test_a_code_is_good_for_a_minute(browser, worker):
    browser.log_in(worker)
    back = way_back(browser)
    left = OneTimeCode.objects.get().expires_at - timezone.now()
    assert timedelta(seconds=50) < left <= timedelta(seconds=60)
    OneTimeCode.objects.update(expires_at=timezone.now())
    assert browser.get(back).status_code == 400
    assert browser.person_at(CHEZHAN) is None


def test_only_digests_are_kept(browser, worker):
    browser.log_in(worker)
    code = parse_qs(urlsplit(way_back(browser)).query)["code"][0]
    kept = OneTimeCode.objects.get()
    assert kept.digest == hand_over.digest(code)
    assert len(code) >= 43, "256 bits"
    assert code not in str(kept.__dict__)


@pytest.mark.parametrize("change", ["disabled", "new password", "signed out"])
def test_a_code_falls_with_what_it_stands_on(browser, worker, change):
    browser.log_in(worker)
    back = way_back(browser)
    if change == "disabled":
        worker.is_active = False
        worker.save()
    elif change == "new password":
        worker.set_password("lingyige-mima-9")
        worker.save()
    else:
        browser.post(HTTP(PLATFORM, "/sign-out/"))
    assert browser.get(back).status_code == 400
    assert browser.person_at(CHEZHAN) is None


def test_without_a_role_there_is_no_entry_and_no_code(browser, person, street):
    browser.log_in(person)
    refused = browser.get(browser.get(HTTP(CHEZHAN, "/sign-in/"))["Location"])
    state = "0" * 64
    unknown = browser.get(HTTP(PLATFORM, f"/hand-over/?host=nowhere.example&state={state}"))
    assert refused.status_code == unknown.status_code == 403
    assert refused.templates[0].name == unknown.templates[0].name == "accounts/no_entry.html"
    assert OneTimeCode.objects.count() == 0


@pytest.mark.parametrize(
    "host", ["evil.example", "chezhan.linli.localhost:9999", "linli.localhost", ""]
)
def test_a_code_goes_to_tenants_hosts_only(browser, worker, host):
    browser.log_in(worker)
    answer = browser.get(HTTP(PLATFORM, f"/hand-over/?host={host}&state={'0' * 64}"))
    assert answer.status_code == 403
    assert OneTimeCode.objects.count() == 0


def test_a_state_that_is_no_digest_is_refused(browser, worker):
    browser.log_in(worker)
    assert browser.get(HTTP(PLATFORM, f"/hand-over/?host={CHEZHAN}&state=x")).status_code == 400


def test_a_tenant_that_is_not_served_is_not_entered(browser, worker, street):
    browser.log_in(worker)
    question = browser.get(HTTP(CHEZHAN, "/sign-in/"))["Location"]
    Tenant.objects.filter(pk=street.pk).update(status=Tenant.Status.ARCHIVED)
    assert browser.get(question).status_code == 403


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)", "x"],
)
def test_signing_in_leads_to_no_foreign_page(browser, worker, target):
    browser.log_in(worker)
    question = browser.at[CHEZHAN].get(
        "/sign-in/", {"next": target}, headers={"host": f"{CHEZHAN}:8000"}
    )["Location"]
    entered = browser.get(browser.get(question)["Location"])
    assert (entered.status_code, entered["Location"]) == (302, "/")


def test_a_forged_cookie_is_refused(browser, worker):
    browser.log_in(worker)
    back = way_back(browser)
    browser.at[CHEZHAN].cookies["linli_sign_in"] = "secret /:forged"
    assert browser.get(back).status_code == 400


def test_a_session_of_the_platform_opens_no_tenants_host(browser, worker):
    browser.log_in(worker)
    stolen = browser.at[PLATFORM].cookies[settings.SESSION_COOKIE_NAME].value
    browser.at[CHEZHAN].cookies[settings.SESSION_COOKIE_NAME] = stolen
    assert browser.person_at(CHEZHAN) is None
    assert browser.person_at(PLATFORM) == str(worker.pk), "and it still stands where it was made"


def test_a_tenants_session_opens_neither_the_platform_nor_another_tenant(
    inside, worker, give, other_street
):
    give(worker, other_street, Role.AUDITOR)
    stolen = inside.at[CHEZHAN].cookies[settings.SESSION_COOKIE_NAME].value
    for host in (PLATFORM, WENSHAO):
        thief = type(inside)()
        thief.at[host].cookies[settings.SESSION_COOKIE_NAME] = stolen
        assert thief.person_at(host) is None


def test_signing_out_at_a_tenant_ends_that_session_only(inside, worker):
    assert inside.post(HTTP(CHEZHAN, "/sign-out/")).status_code == 302
    assert inside.person_at(CHEZHAN) is None
    assert inside.person_at(PLATFORM) == str(worker.pk)


def test_signing_out_at_the_platform_ends_all_that_came_from_it(inside, worker, give, other_street):
    give(worker, other_street, Role.AUDITOR)
    inside.follow(HTTP(WENSHAO, "/sign-in/"))
    another_device = type(inside)()
    another_device.log_in(worker)
    another_device.follow(HTTP(CHEZHAN, "/sign-in/"))
    inside.post(HTTP(PLATFORM, "/sign-out/"))
    assert [inside.person_at(host) for host in (PLATFORM, CHEZHAN, WENSHAO)] == [None] * 3
    assert another_device.person_at(CHEZHAN) == str(worker.pk)


def test_allauths_own_sign_out_does_the_same(inside):
    inside.post(HTTP(PLATFORM, "/accounts/logout/"))
    assert inside.person_at(CHEZHAN) is None


def test_signing_out_is_a_post(inside):
    for host in (PLATFORM, CHEZHAN):
        assert inside.get(HTTP(host, "/sign-out/")).status_code == 405


def test_the_disabled_are_out_everywhere_at_once(inside, worker):
    worker.is_active = False
    worker.save()
    assert [inside.person_at(host) for host in (PLATFORM, CHEZHAN)] == [None, None]


def test_a_new_password_ends_the_sessions_at_the_tenants(inside, worker):
    worker.set_password("lingyige-mima-9")
    worker.save()
    assert inside.person_at(CHEZHAN) is None


def test_who_is_signed_in_already_is_sent_on(inside):
    answer = inside.get(HTTP(CHEZHAN, "/sign-in/?next=/x"))
    assert (answer.status_code, answer["Location"]) == (302, "/x")


def test_old_codes_and_sessions_are_swept_when_a_new_one_is_issued(inside, worker):
    long_ago = timezone.now() - timedelta(days=1)
    OneTimeCode.objects.create(
        digest="0" * 64, person=worker, host="x", state="x", facts={}, expires_at=long_ago
    )
    Session.objects.create(session_key="old", session_data="", expire_date=long_ago)
    inside.get(HTTP(PLATFORM, f"/hand-over/?host={CHEZHAN}&state={'0' * 64}"))
    assert not OneTimeCode.objects.filter(digest="0" * 64).exists()
    assert not Session.objects.filter(session_key="old").exists()


def test_the_refusal_is_the_same_whatever_is_wrong(worker):
    code = hand_over.issue(
        person=worker,
        host=CHEZHAN,
        state=hand_over.digest("s"),
        family=str(uuid4()),  # signed out since: no session has it
        methods=[],
    )
    refusals = set()
    for attempt in ({"code": "none"}, {"code": code}):
        with pytest.raises(Refused) as refusal:
            hand_over.redeem(**attempt, secret="s", host=CHEZHAN)
        refusals.add((refusal.value.code, str(refusal.value.message)))
    assert len(refusals) == 1
    assert refusals.pop()[0] == "SIGN_IN_EXPIRED"
