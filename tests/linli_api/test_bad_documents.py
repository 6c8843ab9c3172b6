"""Documents that are wrong, sent to writeVersion as a program sends them, in either language."""

import json

import pytest
from django.test import Client

from linli.accounts.policy import Role
from linli.tenancy.context import tenant_context
from tenants.operating_model.models import ModelVersion
from tests.linli.library.test_bad_input import BAD, SOURCE, deep

pytestmark = pytest.mark.django_db

WRITE = """mutation($document: Document!) {
    writeVersion(input: {key: "bad", title: "坏", document: $document}) {
        version { number } errors { code field message }
    }
}"""
# As text; 5 MB do not come that far.
AS_TEXT = {name: case for name, case in BAD.items() if name != "5 MB"}


@pytest.fixture
def client(street, actor_as):
    administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
    browser = Client(headers={"host": "chezhan.linli.localhost"})
    browser.force_login(administrator.person)
    return browser


def answer(client, street, document, language):
    body = {"query": WRITE, "variables": {"document": document}}
    response = client.post(
        "/graphql",
        json.dumps(body),
        content_type="application/json",
        headers={"accept-language": language},
    )
    with tenant_context(street):
        assert not ModelVersion.objects.exists()
    return response


@pytest.mark.parametrize(("document", "path", "english", "chinese"), AS_TEXT.values(), ids=AS_TEXT)
def test_a_bad_document_is_refused_in_the_callers_language(
    client, street, document, path, english, chinese
):
    told = {}
    for language in ("en", "zh-hans"):
        payload = answer(client, street, document, language).json()["data"]["writeVersion"]
        assert payload["version"] is None
        [error] = payload["errors"]
        assert (error["code"], error["field"]) == ("DOCUMENT_INVALID", path)
        told[language] = error["message"]
    assert told["en"] == english
    assert told["zh-hans"] == chinese or chinese is None
    assert told["zh-hans"] != english


@pytest.mark.parametrize(("change", "path"), [
    ({"rate": "3%"}, "partners.contributions[stationed].rate"),
    ({"rate": 0.03}, "partners.contributions[stationed].rate"),
])  # fmt: skip
def test_as_an_object_it_is_refused_alike(client, street, change, path):
    document = json.loads(SOURCE)
    document["partners"]["contributions"][0] |= change
    payload = answer(client, street, document, "en").json()["data"]["writeVersion"]
    [error] = payload["errors"]
    assert (error["field"], error["message"].partition("Write ")[2][:6]) == (path, '"0.03"')


@pytest.mark.parametrize(("document", "status", "code"), [
    ("x" * 5_000_000, 413, "BODY_TOO_LARGE"),
    (SOURCE + " " * 66_000, 200, "INPUT_TOO_LARGE"),
    (json.loads(deep(100)), 400, "INPUT_TOO_DEEP"),
])  # fmt: skip
def test_what_is_too_large_or_too_deep_is_refused_before_it_is_read(
    client, street, document, status, code
):
    response = answer(client, street, document, "en")
    assert (response.status_code, code in response.content.decode()) == (status, True)


def test_a_body_with_nan_is_no_json(client, street):
    response = answer(client, street, {"fund": float("nan")}, "en")
    assert response.json()["errors"][0]["extensions"]["code"] == "REQUEST_INVALID"
