"""House style of the published schema: no field without a word in both languages, a unit, an example."""

import json
import re
from itertools import pairwise

import pytest

from linli.accounts.roles import Role
from linli.library.document import OperatingModel, json_schema, parse_document
from linli.library.document import parts as built
from linli.library.document.examples import with_examples
from linli.library.document.parts import RATE_PATTERN, STEP_LABELS
from linli.library.document.wording import UNITS

CHINESE = re.compile("[\u4e00-\u9fff]")


def _parts(model=built.Part):
    for one in model.__subclasses__():
        yield one
        yield from _parts(one)


MODELS = {one.__name__: one for one in _parts() if one.__module__.startswith("linli.")}
SCHEMA = json_schema()
NODES = {"OperatingModel": SCHEMA, **SCHEMA["$defs"]}
FIELDS = [
    pytest.param(NODES[name]["properties"][field], id=f"{name}.{field}")
    for name in MODELS
    if name in NODES
    for field in NODES[name]["properties"]
]


def _plain(node):
    """Behind "or null", and into the items of a list of plain values."""
    node = next((o for o in node.get("anyOf", ()) if o.get("type") != "null"), node)
    return node.get("items", node)


def test_every_part_of_the_document_is_in_the_schema():
    assert len(FIELDS) > 150
    assert set(MODELS) - set(NODES) == {"Titled"} - set(NODES)
    for node in NODES.values():
        assert node["additionalProperties"] is False


@pytest.mark.parametrize("node", FIELDS)
def test_a_field_has_title_and_help_in_both_languages(node):
    for text in (node["title"], node["description"]):
        assert text
        assert not CHINESE.search(text)
    for text in (node["x-zh"]["title"], node["x-zh"]["description"]):
        assert CHINESE.search(text)
    assert node["description"].endswith(".")
    assert node["x-zh"]["description"].endswith("。")


@pytest.mark.parametrize("node", FIELDS)
def test_a_number_says_its_unit(node):
    plain = _plain(node)
    counts = plain.get("type") == "integer" or plain.get("pattern") == RATE_PATTERN
    assert ("x-unit" in node) is counts
    assert node.get("x-unit") in {None, *UNITS}


@pytest.mark.parametrize("node", FIELDS)
def test_a_choice_says_what_each_value_means(node):
    plain = _plain(node)
    allowed = [plain["const"]] if "const" in plain else plain.get("enum", [])
    assert set(node.get("x-labels", ())) == set(allowed)
    for label in node.get("x-labels", {}).values():
        assert CHINESE.search(label["zh"])
        assert label["en"]
        assert not CHINESE.search(label["en"])


@pytest.mark.parametrize("name", [name for name in MODELS if name in NODES])
def test_every_example_may_stand_where_it_is_shown(name):
    model, properties = MODELS[name], NODES[name]["properties"]
    needed = {
        field: node["examples"][0]
        for field, node in properties.items()
        if field in NODES[name].get("required", ())
    }
    for field, node in properties.items():
        assert node["examples"], field
        for example in node["examples"]:
            assert model.model_validate_json(json.dumps({**needed, field: example}))


def test_the_examples_together_are_a_document():
    assert parse_document(
        {name: node["examples"][0] for name, node in SCHEMA["properties"].items()}
    )


def test_a_field_with_no_example_of_its_own_has_one_of_what_is_inside():
    text = {"type": "string", "examples": ["村"]}
    schema = with_examples(
        {
            "properties": {"a": {"type": "array", "items": {"$ref": "#/$defs/A"}}},
            "$defs": {"A": {"properties": {"b": text, "c": text}, "required": ["b"]}},
        }
    )
    assert schema["properties"]["a"]["examples"] == [[{"b": "村"}]]


def test_the_schema_is_the_callers_own_copy():
    mine = json_schema()
    mine["title"] = "changed"
    assert json_schema()["title"] == "OperatingModel" == OperatingModel.__name__
    assert SCHEMA["$id"] == "/schemas/operating-model-1.json"


def test_the_roles_of_a_document_are_the_platforms():
    """All of them but who answers for no partner and no money."""
    assert list(STEP_LABELS) == [
        role.value for role in Role if role not in (Role.PLATFORM_OPERATOR, Role.INTEGRATOR)
    ]


def test_units_differ():
    words = sorted(UNITS.values())
    assert all(one != other for one, other in pairwise(words))
