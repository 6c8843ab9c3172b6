"""Where there is no page: a person is shown that, a program told it in JSON."""

import pytest
from django.test import Client

HOSTS = ["linli.localhost", "chezhan.linli.localhost"]
PAGE, JSON = "text/html,application/xhtml+xml,*/*;q=0.8", "application/json"
OF_PROGRAMS = [
    "/graphql/", "/graphqls", "/oauth/", "/oauth/token/", "/oauth/authorize",
    "/exports/", "/exports/abc", "/exports/01a20de1-d95f-760f-89ca-978d870b7601/",
]  # fmt: skip
OF_PEOPLE = ["/nothing", "/graphql/docs/nothing", "/people/", "/favicon.png"]


def ask(host, path, accept, method="get", **more):
    headers = {"host": host, "accept": accept, "accept-language": "en"}
    return getattr(Client(headers=headers, enforce_csrf_checks=True), method)(path, **more)


def is_told(answer):
    [error] = answer.json()["errors"]
    assert "/graphql" in error["message"]
    return (answer.status_code, error["extensions"]["code"]) == (404, "PATH_UNKNOWN")


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", OF_PROGRAMS)
@pytest.mark.parametrize("accept", [PAGE, JSON, "*/*", ""])
def test_at_the_apis_paths_everybody_is_told(street, host, path, accept):
    assert is_told(ask(host, path, accept))
    assert is_told(ask(host, path, accept, "post", data="{}", content_type="application/json"))


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", OF_PEOPLE)
def test_elsewhere_who_reads_pages_is_shown_one_and_who_does_not_is_told(street, host, path):
    shown = ask(host, path, PAGE)
    assert (shown.status_code, shown["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert is_told(ask(host, path, JSON))


def test_a_host_that_is_not_there_is_told_too(db):
    answer = ask("nobody.linli.localhost", "/graphql/", JSON)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (404, "HOST_UNKNOWN")
