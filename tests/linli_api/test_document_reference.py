"""The page of the operating model's document says what its published schema says, place by place."""

import json
import re
from html import unescape

import pytest
from django.test import Client

from linli.accounts.policy import Role
from linli.library.document import json_schema
from linli.library.document.parts import RATE_PATTERN

SCHEMA = json_schema()
TAG = "type"  # which of several types an item is of
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-hans"])


def named(node):
    return SCHEMA["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node


def options(node):
    """What a place may be, but null."""
    several = node.get("anyOf") or node.get("oneOf") or [node]
    return [named(one) for one in several if one.get("type") != "null"]


def places(node, path):
    """Path, type of the item, field and whether it is required, for all that a node holds."""
    for form in options(node):
        if form is SCHEMA["$defs"]["Text"] and path != "Text":
            continue
        if "items" in form:
            yield from places(form["items"], f"{path}[*]")
        of = form.get("properties", {}).get(TAG, {}).get("const")
        for name, inner in form.get("properties", {}).items():
            yield f"{path}.{name}", of, inner, name in form.get("required", ())
            yield from places(inner, f"{path}.{name}")


SECTIONS = {**SCHEMA["properties"], "Text": SCHEMA["$defs"]["Text"]}
PLACES = [place for name, node in SECTIONS.items() for place in places(node, name)]


@pytest.fixture
def page(db, street, actor_as):
    person = actor_as(street, Role.AUDITOR).person

    def get(host: str, language: str) -> str:
        client = Client(headers={"host": host, "accept-language": language})
        client.force_login(person)
        return client.get("/graphql/docs/operating-model").content.decode()

    return get


def shown(page):
    """What stands at each anchor, as text, up to the next."""
    pieces = re.split(r'<(?:details|div) class="(?:entry|part)" id="([^"]+)">', page)[1:]
    texts = {}
    for anchor, html in zip(pieces[::2], pieces[1::2], strict=True):
        assert anchor not in texts
        plain = re.sub(r"<[^>]+>", " ", html.partition("</details>")[0])
        texts[anchor] = re.sub(r"\s+", " ", unescape(plain)).replace("： ", "：")
    return texts


def told(texts, path, of):
    """The piece about a place: of one type where the types differ."""
    [of_type] = [
        text
        for anchor, text in texts.items()
        if anchor.partition(":")[0] == path and (":" not in anchor or re.search(rf"\b{of}\b", text))
    ]
    return of_type


def words(node, language):
    """All that the schema says of a field, as it is to be read."""
    zh = language != "en"
    yield node["x-zh"]["title"] if zh else node["title"]
    means = node["x-zh"]["description"] if zh else node["description"]
    if "const" in node:  # one of several types, told in one place
        yield f" {node['const']} {means}"
        return
    yield means
    yield json.dumps(node["examples"][0], ensure_ascii=False)
    for value, label in node.get("x-labels", {}).items():
        yield f" {value} {label['zh' if zh else 'en']}"
    if unit := node.get("x-unit"):
        yield f"单位：{unit} " if zh else f"Unit: {unit} "
    [form, *_others] = options(node)
    if form.get("type") == "integer":
        yield f"{form['minimum']} {'至' if zh else 'to'} {form['maximum']}"
    if form.get("pattern") == RATE_PATTERN:
        yield '"0.03"'
    if form.get("type") == "array":
        yield f"{form.get('minItems', 0)} {'至' if zh else 'to'} {form['maxItems']}"
    if "maxLength" in form:
        yield str(form["maxLength"])


@LANGUAGES
@pytest.mark.parametrize("host", ["chezhan.linli.localhost", "linli.localhost"])
def test_every_place_of_the_schema_is_told(page, host, language):
    zh = language != "en"
    texts = shown(page(host, language))
    assert len({(path, of) for path, of, _node, _required in PLACES}) == len(PLACES) > 250
    for path, of, node, required in PLACES:
        text = told(texts, path, of)
        assert [word for word in words(node, language) if word not in text] == [], path
        assert (" 必填 " if zh else " required ") in text or not required, path
        default = node.get("default")
        if default is not None and not isinstance(default, dict):
            assert json.dumps(default) in text, path
        elif not required:
            assert ("可以不填。" if zh else "May be left out.") in text, path
    known = {path for path, _of, _node, _required in PLACES}
    assert {anchor.partition(":")[0] for anchor in texts} == known


@LANGUAGES
def test_sections_are_told_and_led_to(page, language):
    html = page("linli.localhost", language)
    for name, node in SCHEMA["properties"].items():
        said = node["x-zh"] if language != "en" else node
        assert f'<a href="#{name}">{said["title"]}</a>' in html
        assert f"<p>{unescape(said['description'])}</p>" in unescape(html)
    assert "http://linli.localhost:8000/schemas/operating-model-1.json" in html
    assert 'href="/graphql/docs"' in html


def test_the_reference_leads_there(db, street, actor_as):
    client = Client(headers={"host": "chezhan.linli.localhost"})
    assert client.get("/graphql/docs/operating-model")["Location"] == (
        "/sign-in/?next=/graphql/docs/operating-model"
    )
    client.force_login(actor_as(street, Role.AUDITOR).person)
    assert 'href="/graphql/docs/operating-model"' in client.get("/graphql/docs").content.decode()
