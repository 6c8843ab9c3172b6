"""Documents that are wrong, over HTTP: as a variable that is an object, as one that is a text, and as a
literal of the query; in either language. Each is refused with a stable code, the place, and what would
be right, and nothing is written."""

import json
import re

import httpx
import pytest
from django.test import Client

from linli.accounts.policy import Role
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.operating_model.models import ModelVersion
from tests.linli.library.test_bad_input import (
    BAD,
    RATE,
    REAL_5_MB,
    SOURCE,
    deep,
    with_rate,
    with_uses,
)
from tests.support.gunicorn import gunicorn, post
from tests.support.rows import checksums

STREET = "chezhan.linli.localhost"
HOWS = ("variable", "text", "literal")
WRITE = """mutation%s {
    writeVersion(input: {key: "bad", title: "坏", document: %s}) {
        version { number } errors { code field message }
    }
}"""
PASS_LINE = "evaluation.pass_line"
ONCE = ("Keep one", "保留一个")
DIGITS = ("Write a number in digits", "请写出具体的数字")
TOO_LARGE = ("Write one of at most 2^53 − 1", "不超过 2^53 − 1 的数")
FINITE = ("whole numbers up to 2^53 − 1", "不超过 2^53 − 1 的整数")
WHOLE = ("Write a whole number from 0 to 100.", "请填写 0 至 100 之间的整数。")
LESS_DEEP = ("Nest", "减少")
RIGHT = ('Write "0.03" in place of 3%.', '请把 3% 写成 "0.03"')


def passing(written):
    return SOURCE.replace('"pass_line": 60', f'"pass_line": {written}')


def everywhere(field, *said):
    return dict.fromkeys(HOWS, (200, "DOCUMENT_INVALID", field, said))


def of_json(place, as_variable, as_text, as_literal):
    """What is no JSON: the body's reader refuses it, the document's, or GraphQL's."""
    return {
        "variable": (400, "REQUEST_INVALID", f"document.{place}", as_variable),
        "text": (200, "DOCUMENT_INVALID", place, as_text),
        "literal": as_literal,
    }


CASES = {
    "a key twice": (
        passing('60, "pass_line": 70'),
        of_json(
            PASS_LINE, ONCE, ("Keep one of them", "只保留一个"),
            (400, "REQUEST_INVALID", f"document.{PASS_LINE}", ONCE),
        ),
    ),
    "a key twice in an item": (
        with_rate('"0.03", "rate": "0.04"'),
        of_json(
            RATE, ONCE, ("Keep one of them", "只保留一个"),
            (400, "REQUEST_INVALID", f"document.{RATE}", ONCE),
        ),
    ),
    "NaN": (
        passing("NaN"),
        # In GraphQL a bare word is the name of a choice.
        of_json(PASS_LINE, DIGITS, FINITE, (200, "DOCUMENT_INVALID", PASS_LINE, WHOLE)),
    ),
    "1e999": (
        passing("1e999"),
        of_json(
            PASS_LINE, TOO_LARGE, FINITE,
            (400, "REQUEST_INVALID", f"document.{PASS_LINE}", TOO_LARGE),
        ),
    ),
    "100 levels": (
        passing(deep(100)),
        {
            "variable": (400, "INPUT_TOO_DEEP", f"document.{PASS_LINE}", LESS_DEEP),
            "text": (200, "DOCUMENT_INVALID", PASS_LINE + "[0]" * 30, LESS_DEEP),
            "literal": (400, "DOCUMENT_TOO_DEEP", f"document.{PASS_LINE}", LESS_DEEP),
        },
    ),
    "5 MB": (
        REAL_5_MB,
        # Not read at all, so no place in it is known.
        dict.fromkeys(HOWS, (413, "BODY_TOO_LARGE", None, ("Send less at once", "减少"))),
    ),
    "300 kB": (
        with_uses(500),
        everywhere("document", "262144 at most are read. Leave out", "最多读取 262144 字节。请去掉"),
    ),
    "70 kB": (
        with_uses(115),
        everywhere("document", "65536 at most are kept. Leave out", "最多保留 65536 字节。请去掉"),
    ),
    "12,000 values": (
        passing(f"[{', '.join('1' * 12_000)}]"),
        {
            "variable": (
                400, "VARIABLES_TOO_LARGE", f"document.{PASS_LINE}",
                ("of one document leave out what is not needed", "单个文档请去掉不需要的内容"),
            ),
            "text": (200, "DOCUMENT_INVALID", PASS_LINE, WHOLE),
            "literal": (
                400, "SYNTAX_ERROR", None, ("send its values as variables", "把其中的值作为变量发送")
            ),
        },
    ),
    "a rate in per cent": (with_rate('"3%"'), everywhere(RATE, *RIGHT)),
    "weights": (
        BAD["weights that sum to 1.1"][0],
        everywhere("evaluation.criteria", "0.1 too much", "现在“权重”之和为 1.1，多了 0.1"),
    ),
    "a waterfall of 99.99 %": (
        BAD["a waterfall of 99.99 %"][0],
        everywhere("fund.waterfall", "0.0001 is missing", "现在“比例”之和为 0.9999，少了 0.0001"),
    ),
    "rules that contradict": (
        BAD["two rules that contradict"][0],
        everywhere(
            "partners.rent_free_months",
            "Write at most 12, or raise partners.agreement.longest_term_months",
            "请写不超过 12 的数",
        ),
    ),
}  # fmt: skip
MATRIX = [
    pytest.param(text, how, *told[how], id=f"{name}-{how}")
    for name, (text, told) in CASES.items()
    for how in HOWS
]


def sent(how, text):
    """The body that carries the document; text, for it may be no JSON."""
    if how == "literal":
        literal = re.sub(r'"([a-z_0-9]+)":', r"\1:", text)
        return json.dumps({"query": WRITE % ("", literal)}, ensure_ascii=False).encode()
    query = json.dumps(WRITE % ("($document: Document!)", "$document"))
    document = text if how == "variable" else json.dumps(text, ensure_ascii=False)
    return f'{{"query": {query}, "variables": {{"document": {document}}}}}'.encode()


def error_in(body):
    """The one error, of the request or of the payload: code, field and message."""
    if "data" not in body:
        [error] = body["errors"]
        return {"field": None, "message": error["message"], **error["extensions"]}
    assert "errors" not in body
    payload = body["data"]["writeVersion"]
    assert payload["version"] is None
    [error] = payload["errors"]
    return error


def written(street):
    """All there is but what was paid for asking."""
    tables = checksums("public", street.schema_name).items()
    return {place: rows for place, rows in tables if place != ("public", "budget_account")}


@pytest.fixture
def client(street, actor_as):
    administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
    browser = Client(headers={"host": STREET})
    browser.force_login(administrator.person)
    return browser


@pytest.mark.parametrize(("text", "how", "status", "code", "field", "said"), MATRIX)
def test_each_is_refused_with_its_place_and_what_would_be_right(
    client, street, text, how, status, code, field, said
):
    for language, part in zip(("en", "zh-hans"), said, strict=True):
        before = written(street)
        response = client.post(
            "/graphql",
            sent(how, text),
            content_type="application/json",
            headers={"accept-language": language},
        )
        assert written(street) == before
        error = error_in(response.json())
        assert (response.status_code, error["code"], error["field"]) == (status, code, field)
        assert part in error["message"]


@pytest.mark.parametrize("how", HOWS)
def test_the_good_one_is_taken(client, street, how):
    response = client.post("/graphql", sent(how, SOURCE), content_type="application/json")
    assert response.json()["data"]["writeVersion"] == {"version": {"number": 1}, "errors": []}


@pytest.mark.parametrize("how", ["variable", "text"])
def test_what_is_not_kept_counts_only_as_it_comes(client, street, how):
    """Spaces, and members that say nothing."""
    document = json.loads(SOURCE)
    document["partners"]["admission"] = [
        {"key": f"item{n}", "title": {"zh": "有", "en": None}, "required": True, "evidence": None}
        for n in range(200)
    ]
    text = json.dumps(document, ensure_ascii=False) + " " * 200_000
    response = client.post("/graphql", sent(how, text), content_type="application/json")
    assert response.json()["data"]["writeVersion"]["errors"] == []


def test_over_gunicorn_too(scratch_database, actor_as):
    street = Tenant.objects.get(slug="chezhan")
    administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
    with (
        gunicorn(scratch_database, LINLI_POINTS_A_MINUTE=str(10**9)) as served,
        served.browser(administrator.person, STREET) as browser,
    ):
        for name, (text, told) in CASES.items():
            for how, (status, code, field, (said, _chinese)) in told.items():
                response: httpx.Response = post(browser, sent(how, text))
                error = error_in(response.json())
                found = (response.status_code, error["code"], error["field"])
                assert found == (status, code, field), (name, how)
                assert said in error["message"], (name, how)
        with tenant_context(street):
            assert not ModelVersion.objects.exists()
        for number, how in enumerate(HOWS, start=1):
            text = SOURCE.replace('"pass_line": 60', f'"pass_line": {60 + number}')
            taken = post(browser, sent(how, text)).json()["data"]["writeVersion"]
            assert taken == {"version": {"number": number}, "errors": []}
