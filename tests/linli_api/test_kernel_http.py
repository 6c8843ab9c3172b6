"""``/graphql`` over HTTP: which schema, whose session, and what is no request at all."""

import json

import pytest
from django.test import Client

from linli.accounts.policy import Role
from linli.registry.models import Tenant
from linli_api import limits
from tests.support.factories import PersonFactory

PLATFORM, STREET = "linli.localhost", "chezhan.linli.localhost"
VIEWER = {"query": "{ viewer { name permissions } }"}

pytestmark = pytest.mark.django_db


def browser(person=None, host=STREET, **options):
    client = Client(headers={"host": host, "accept-language": "en"}, **options)
    if person:
        client.force_login(person)
    return client


def post(client, body, **options):
    return client.post("/graphql", body, content_type="application/json", **options)


def code(response):
    [error] = response.json()["errors"]
    return error["extensions"]["code"]


@pytest.fixture
def auditor(street, actor_as):
    return actor_as(street, Role.AUDITOR).person


class TestWho:
    def test_a_member_sees_what_they_may_do_here(self, auditor):
        response = post(browser(auditor), VIEWER)
        assert response.status_code == 200
        viewer = response.json()["data"]["viewer"]
        assert viewer["name"] == auditor.name
        assert "audit.read" in viewer["permissions"]
        assert not [p for p in viewer["permissions"] if not p.endswith((".read", ".introspect"))]

    def test_nobody_is_told_to_log_in(self, street):
        response = post(browser(), VIEWER)
        assert response.status_code == 200
        assert response.json()["data"] == {"viewer": None}
        assert code(response) == "UNAUTHENTICATED"

    def test_a_person_without_a_role_here_is_told_nothing(self, other_street, auditor):
        response = post(browser(auditor, host="wenshao.linli.localhost"), VIEWER)
        assert response.json()["data"] == {"viewer": None}
        assert code(response) == "FORBIDDEN"

    def test_whoever_is_logged_in_may_ask_at_the_platform(self):
        person = PersonFactory()
        response = post(browser(person, host=PLATFORM), VIEWER)
        assert response.json()["data"] == {"viewer": {"name": person.name, "permissions": []}}

    def test_a_suspended_unit_can_be_read(self, street, auditor):
        Tenant.objects.filter(pk=street.pk).update(status=Tenant.Status.SUSPENDED)
        assert post(browser(auditor), VIEWER).json()["data"]["viewer"]["name"] == auditor.name


class TestForm:
    @pytest.mark.parametrize(
        "body",
        [
            " ",
            "{",
            "null",
            '{"query": 5}',
            '{"query": "{ viewer { name } }", "variables": []}',
            '{"query": "{ viewer { name } }", "operationName": 5}',
            '{"query": "{ viewer { name } }", "query": "{ viewer { permissions } }"}',
            '{"query": "{ viewer { name } }", "variables": {"a": {"b": 1, "b": 2}}}',
            '{"query": "{ viewer { name } }", "variables": {"a": NaN}}',
            '{"query": "{ viewer { name } }", "variables": {"a": -Infinity}}',
            b"\xff\xfe",
            '{"query": "{ viewer { name } }", "documentId": "sha256:00"}',
            '{"documentId": 5}',
        ],
    )
    def test_what_is_no_request_is_refused(self, street, body):
        response = post(browser(), body)
        assert (response.status_code, code(response)) == (400, "REQUEST_INVALID")

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (" ", "line 1, column 2."),
            ('{"query":\n  "{ viewer { name } }",\n}', "line 3, column 1."),
            ('{"query": "甲" "乙"}', "line 1, column 15."),
            ('{"query": "{ viewer', "line 1, column 11."),
            ('{"a": "NaN", "b": [1, NaN]}', "NaN is no JSON. Write a number in digits"),
            (r'{"\\": "\" Infinity", "b": -Infinity}', "-Infinity is no JSON."),
            ('{"a": -1e999}', "This number is too large to be read. Write one of at most 2^53 − 1"),
            ('{"a": NaN', "no JSON: it goes wrong at line 1, column 10."),
            ('{"a": {"query": 1, "b": 2, "query": 3}}', "the key query twice in one object."),
            (r'{"\ud800": 1, "\ud800": 2}', "the key ? twice"),
            (b'\xef\xbb\xbf{"query": "{ viewer { name } }"}', "a byte order mark."),
            ('{"query": "{ viewer { name } }"}'.encode("utf-16"), "The body is UTF-16."),
            ('{"query": "{ viewer { name } }"}'.encode("utf-16-le"), "The body is UTF-16-LE."),
            ('{\n"甲": "'.encode() + b'\xff"}', "not UTF-8: it goes wrong at line 2, column 7."),
            ("9" * 5_000, "This number is too large to be read."),
            ("null", "The body must be one JSON object"),
        ],
    )
    def test_what_is_wrong_with_the_json_is_told_and_where(self, street, body, told):
        response = post(browser(), body)
        assert (response.status_code, code(response)) == (400, "REQUEST_INVALID")
        assert told in response.json()["errors"][0]["message"]

    @pytest.mark.parametrize("levels", [60, 900, 100_000])
    def test_what_nests_too_deep_has_one_code_however_deep(self, street, levels):
        deep = '{"a":' * levels + "1" + "}" * levels
        response = post(browser(), f'{{"query": "{{ viewer {{ name }} }}", "variables": {deep}}}')
        assert (response.status_code, code(response)) == (400, "INPUT_TOO_DEEP")

    def test_a_hundred_thousand_keys_and_one_twice_are_told_at_once(self, street):
        keys = ", ".join(f'"{n}": 0' for n in range(60_000))
        response = post(browser(), f'{{{keys}, "59999": 0}}')
        assert "the key 59999 twice" in response.json()["errors"][0]["message"]

    def test_a_body_without_its_length_is_refused(self, street):
        """As one in chunks comes."""
        response = post(
            browser(), VIEWER, CONTENT_LENGTH="", headers={"transfer-encoding": "chunked"}
        )
        assert (response.status_code, code(response)) == (411, "LENGTH_REQUIRED")
        assert "Content-Length" in response.json()["errors"][0]["message"]

    @pytest.mark.parametrize("body", ["[]", '[{"query": "{ viewer { name } }"}]'])
    def test_batches_are_off(self, street, body):
        response = post(browser(), body)
        assert (response.status_code, code(response)) == (400, "BATCH_REFUSED")

    def test_half_a_character_is_refused_and_a_whole_one_is_not(self, auditor):
        query = '{"query": "{ viewer { name } }", "variables": {"a": "%s"}}'
        response = post(browser(auditor), query % r"\ud83d\ude00")
        assert response.json()["data"]["viewer"]["name"] == auditor.name
        response = post(browser(auditor), query % r"\ud83d")
        assert (response.status_code, code(response)) == (400, "TEXT_INVALID")

    @pytest.mark.parametrize(
        ("body", "place"),
        [
            (r'{"query": "\ud83d"}', "query"),
            (
                r'{"query": "{ a }", "variables": {"i": {"x": 1, "of": ["a", "\udfff"]}}}',
                "i.of.1",
            ),
            (r'{"query": "{ a }", "variables": {"i": {"\ud83d": 1}}}', "i"),
        ],
    )
    def test_where_half_a_character_stands_is_told(self, auditor, body, place):
        [error] = post(browser(auditor), body).json()["errors"]
        assert error["extensions"] == {"code": "TEXT_INVALID", "field": place}

    @pytest.mark.parametrize(
        ("variables", "place"),
        [
            ('{"input": {"lines": [{"a": 1}, {"a": 1, "b": 2, "a": 1}]}}', "lines.1.a"),
            ('{"input": {"lines": [{"a": [0, NaN]}]}}', "lines.0.a.1"),
            ('{"input": 1e999}', "input"),
            ('{"a": {"b": NaN, "c": 1, "c": 2}, "d": NaN}', "a.c"),  # the first as it is written
            ('{"a": {"b": NaN, "c": {"d": 1, "d": 2}}}', "a.b"),
            ('{"x": 1, "input": {"a": 1}, "input": {"a": NaN}}', "input"),
            (r'{"input": {"\ud83d": NaN}}', "?"),
            ('{"input": {"document": {"a": [{"key": "k"}, {"key": "m", "b": NaN}]}}}',
             "document.a[m].b"),
            ('{"input": {"document": {"a": [{"key": "k"}, {"key": "k", "b": NaN}]}}}',
             "document.a[1].b"),
            ('{"document": [{"key": "k", "a": 1, "a": 2}]}', "document[k].a"),
            ('{"input": {"document": NaN}}', "document"),
            ('{"a": ' + "9" * 5_000 + "}", "a"),
        ],
    )  # fmt: skip
    def test_where_what_json_does_not_know_stands_is_told(self, street, variables, place):
        body = f'{{"query": "{{ viewer {{ name }} }}", "variables": {variables}}}'
        [error] = post(browser(), body).json()["errors"]
        assert error["extensions"] == {"code": "REQUEST_INVALID", "field": place}

    def test_a_fault_of_the_body_itself_names_its_member(self, street):
        [error] = post(browser(), '{"query": "{ a }", "query": "{ b }"}').json()["errors"]
        assert error["extensions"] == {"code": "REQUEST_INVALID", "field": "query"}

    @pytest.mark.parametrize(
        ("variables", "code", "place"),
        [
            ({"input": {"a": [0] * 10_000}}, "VARIABLES_TOO_LARGE", "a"),
            ({"input": {"a": [0], "b": {"c": [{"d": 0}] * 5_000}}}, "VARIABLES_TOO_LARGE", "b.c"),
            ({"input": dict.fromkeys("abc", [0] * 4_000)}, "VARIABLES_TOO_LARGE", "input"),
            (dict.fromkeys("abc", [0] * 4_000), "VARIABLES_TOO_LARGE", None),
            ({"input": {"b": json.loads("[" * 60 + "]" * 60)}}, "INPUT_TOO_DEEP", "b"),
            ({"b": json.loads("[" * 60 + "]" * 60)}, "INPUT_TOO_DEEP", "b"),
            (json.loads('{"a":' * 60 + "1" + "}" * 60), "INPUT_TOO_DEEP", ".".join("a" * 50)),
        ],
    )
    def test_where_it_is_too_much_or_too_deep_is_told(self, auditor, variables, code, place):
        body = {"query": "{ viewer { name } }", "variables": variables}
        [error] = post(browser(auditor), body).json()["errors"]
        assert (error["extensions"]["code"], error["extensions"].get("field")) == (code, place)

    def test_only_json_is_read(self, street):
        for kind in ("application/graphql", "text/plain", "application/x-www-form-urlencoded"):
            response = browser().post("/graphql", "query=1", content_type=kind)
            assert (response.status_code, code(response)) == (415, "JSON_EXPECTED")

    def test_a_document_in_the_address_is_not_run(self, street, auditor):
        response = browser(auditor).get("/graphql", {"query": "{ viewer { name } }"})
        assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
        assert response["Allow"] == "POST"

    @pytest.mark.parametrize("method", ["put", "delete", "patch"])
    def test_other_methods_are_refused(self, street, method):
        response = getattr(browser(), method)("/graphql")
        assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")

    def test_a_large_body_is_refused(self, street):
        body = json.dumps({"query": "{ viewer { name } }", "x": "x" * limits.BODY_BYTES})
        response = post(browser(), body)
        assert (response.status_code, code(response)) == (413, "BODY_TOO_LARGE")

    def test_a_document_that_cannot_run_is_a_400(self, street):
        response = post(browser(), {"query": "{ nobody }"})
        assert (response.status_code, code(response)) == (400, "REQUEST_INVALID")

    def test_chinese_is_sent_as_it_is(self, auditor):
        assert auditor.name.encode() in post(browser(auditor), VIEWER).content


class TestCsrf:
    def test_a_session_alone_is_not_enough(self, auditor):
        client = browser(auditor, enforce_csrf_checks=True)
        response = post(client, VIEWER)
        assert (response.status_code, code(response)) == (403, "CSRF_FAILED")

    def test_with_the_token_it_is(self, auditor):
        client = browser(auditor, enforce_csrf_checks=True)
        token = client.get("/graphql", headers={"accept": "text/html"}).cookies["csrftoken"].value
        response = post(client, VIEWER, headers={"x-csrftoken": token})
        assert response.json()["data"]["viewer"]["name"] == auditor.name


class TestGraphiQL:
    """What a browser asks for; in production as in development."""

    def get(self, person=None, path="/graphql"):
        return browser(person).get(path, headers={"accept": "text/html,*/*;q=0.8"})

    def test_it_is_for_those_who_are_logged_in(self, auditor):
        page = self.get(auditor).content.decode()
        assert "/static/vendor/graphiql/graphiql.js" in page
        assert "://" not in page  # nothing from another host
        response = self.get()
        assert response.status_code == 302
        assert response["Location"] == "/sign-in/?next=/graphql"

    def test_it_loads_and_runs_nothing_of_another_host_nor_of_the_page_itself(self, auditor):
        policy = self.get(auditor)["Content-Security-Policy"]
        assert policy.startswith("default-src 'self'; ")
        assert "script-src" not in policy
        assert "<script>" not in self.get(auditor).content.decode()

    def test_a_document_in_its_address_is_not_run_either(self, auditor):
        page = self.get(auditor, "/graphql?query={viewer{name}}").content.decode()
        assert auditor.name not in page


class TestReference:
    def test_it_is_for_those_who_are_logged_in(self, auditor):
        assert browser().get("/graphql/docs")["Location"] == "/sign-in/?next=/graphql/docs"
        assert browser(auditor).get("/graphql/docs").status_code == 200
