"""Fetching the file: over HTTP at the tenant's host, by who asked for it, for seven days."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from linli.accounts.models import Membership
from linli.accounts.policy import Role
from linli.tenancy.context import public_context
from linli_api.exports import run
from linli_api.exports.actions import request_export
from linli_api.exports.jobs import forget_export
from linli_api.exports.models import Export
from tests.linli_api.exports.conftest import NAMES
from tests.support.api import ask

PARTNERS = "{ partners { nodes { name } } }"


@pytest.fixture
def export(town):
    made = request_export(actor=town.administrator, document=PARTNERS, format="csv")
    run.write_out(town.street, made.pk)
    made.refresh_from_db()
    return made


def fetch(person, export, host="chezhan.linli.localhost"):
    client = Client(headers={"host": host, "accept-language": "en"})
    if person:
        client.force_login(person)
    with public_context():
        return client.get(f"/exports/{export.pk}")


def refusal(answer) -> tuple[int, str]:
    [error] = json.loads(answer.content)["errors"]
    assert error["message"]
    return answer.status_code, error["extensions"]["code"]


def test_it_comes_as_an_attachment_that_nothing_guesses_at(town, export):
    answer = fetch(town.administrator.person, export)
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content)
    assert content.decode("utf-8-sig").split() == ["name", *NAMES]
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="2')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert int(answer["Content-Length"]) == len(content)


def test_its_address_is_told_when_it_is_done(town, export):
    [told] = ask(town.administrator, "{ exports { nodes { url status rows total } } }")["exports"][
        "nodes"
    ]
    assert told == {
        "url": f"http://chezhan.linli.localhost:8000/exports/{export.pk}",
        "status": "DONE",
        "rows": 250,
        "total": 250,
    }


def test_nobody_else_gets_it(town, export, actor_as):
    colleague = actor_as(town.street, Role.STREET_ADMINISTRATOR).person
    assert refusal(fetch(None, export)) == (401, "TOKEN_MISSING")
    assert refusal(fetch(colleague, export)) == (404, "NOT_FOUND")
    operator = actor_as(None, Role.PLATFORM_OPERATOR).person
    assert refusal(fetch(operator, export)) == (404, "NOT_FOUND")


def test_nor_does_another_host_have_it(town, export, other_street):
    person = town.administrator.person
    assert refusal(fetch(person, export, "wenshao.linli.localhost")) == (404, "NOT_FOUND")
    assert fetch(person, export, "linli.localhost").status_code == 404


@pytest.mark.parametrize("change", ["another role", "one community", "ended"])
def test_who_may_no_longer_read_all_of_it_does_not_get_it(town, export, change):
    mine = Membership.objects.filter(person=town.administrator.person)
    if change == "another role":
        mine.update(role=Role.PARTNER)
    elif change == "one community":
        mine.update(community_id=town.chengnan.pk, role=Role.COMMUNITY_SECRETARY)
    else:
        mine.update(ended_on=timezone.localdate())
    assert refusal(fetch(town.administrator.person, export)) == (403, "FORBIDDEN")


def test_one_of_ones_community_is_fetched_by_its_secretary(town):
    export = request_export(actor=town.secretary, document=PARTNERS, format="jsonl")
    run.write_out(town.street, export.pk)
    answer = fetch(town.secretary.person, export)
    assert answer["Content-Type"] == "application/x-ndjson; charset=utf-8"
    assert len(b"".join(answer.streaming_content).splitlines()) == 125


def test_what_is_not_done_is_not_fetched(town):
    export = request_export(actor=town.administrator, document=PARTNERS, format="csv")
    assert refusal(fetch(town.administrator.person, export)) == (409, "EXPORT_NOT_DONE")


def test_after_its_days_it_is_gone(town, export, folder):
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refusal(fetch(town.administrator.person, export)) == (410, "EXPORT_EXPIRED")
    assert any(path.is_file() for path in folder.rglob("*"))
    forget_export(tenant_id=str(town.street.pk), export_id=str(export.pk))
    assert not any(path.is_file() for path in folder.rglob("*"))
    export.refresh_from_db()
    assert export.status == "expired"
    assert refusal(fetch(town.administrator.person, export)) == (410, "EXPORT_EXPIRED")
    forget_export(tenant_id=str(town.street.pk), export_id=str(export.pk))


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_is_fetched_by_no_other_method(town, export, method):
    browser = Client(headers={"host": "chezhan.linli.localhost"}, enforce_csrf_checks=True)
    answer = getattr(browser, method)(f"/exports/{export.pk}")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "METHOD_NOT_ALLOWED"
