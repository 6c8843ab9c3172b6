"""One naming scheme for both schemas, as docs/api.md states it, and everything described."""

import re
from collections import defaultdict
from collections.abc import Iterator

import pytest
from django.utils.translation import override
from graphene.utils.str_converters import to_camel_case
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from linli.errors import Refused
from linli_api.bulk import MOST as MOST_ITEMS
from linli_api.errors import MOST_ERRORS
from linli_api.fields import Bounded, Groups, at_most
from linli_api.inputs import IdOf
from linli_api.planner.compiling import declared_fields
from linli_api.reference import glossary
from linli_api.schema import SCHEMAS

both = pytest.mark.parametrize("side", SCHEMAS)
# The verbs that mutations begin with. A new one is a word here, so that it is chosen on purpose.
VERBS = {
    "add",
    "admit",
    "adopt",
    "approve",
    "apply",
    "archive",
    "brand",
    "cancel",
    "change",
    "create",
    "decide",
    "declare",
    "delete",
    "disable",
    "discard",
    "edit",
    "enable",
    "end",
    "export",
    "give",
    "finish",
    "grant",
    "import",
    "issue",
    "offer",
    "onboard",
    "open",
    "pause",
    "pay",
    "propose",
    "publish",
    "receive",
    "record",
    "refresh",
    "register",
    "replay",
    "request",
    "roll",
    "require",
    "reset",
    "resume",
    "return",
    "reverse",
    "revoke",
    "save",
    "send",
    "set",
    "sign",
    "state",
    "suspend",
    "trust",
    "update",
    "withdraw",
    "write",
}
# Dates that are named by what they are in a sentence: effective from a day, as of a day, on a day,
# binding by a day.
DAYS = {"effectiveFrom", "bindingBy", "asOf", "since", "until", "on", "month"}
INSTANTS = {"at", "since", "until", "stateSince", "failingSince"}
# Ids that are others' to name: OAuth's of a client, GraphQL over HTTP's of a document. They are text
# wherever they stand.
OTHERS_IDS = {"oauthId", "documentId"}
# Why a mutation answers without the object it was about.
NO_OBJECT = {
    "deleteWebhookEndpoint": "it is there no more",
    "discardDraft": "it is there no more",
}
# GraphQL's and Relay's own, whose names are given.
GIVEN = {"PageInfo", "Node"}
# What says nothing of a value.
SMALL = (
    "a an and are as at be been by for has have in is it its of on or set somebody that the there "
    "this to was what where which who with"
)
NOTHING = {word[:3] for word in SMALL.split()}
LOCAL = re.compile(r"[a-z][A-Za-z0-9]*")


def types(side: str) -> Iterator:
    for name, one in SCHEMAS[side].graphql_schema.type_map.items():
        if not name.startswith("__"):
            yield one


def fields(side: str) -> Iterator[tuple[str, str, object]]:
    """Path, name and type of every field, argument and input."""
    for one in types(side):
        if isinstance(one, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, field in one.fields.items():
                yield f"{one.name}.{name}", name, field
                for argument, given in getattr(field, "args", {}).items():
                    yield f"{one.name}.{name}({argument})", argument, given


@both
def test_everything_is_described_in_english(side):
    bare = [one.name for one in types(side) if not one.description]
    bare += [path for path, _name, field in fields(side) if not field.description]
    for one in types(side):
        if isinstance(one, GraphQLEnumType):
            bare += [f"{one.name}.{v}" for v, told in one.values.items() if not told.description]
    assert bare == []


@both
def test_an_enum_value_is_described_by_more_than_its_name(side):
    """A sentence, which says something that neither the name nor the label in the pages says."""
    with override("en"):
        bare = [f"{path}: {told}" for path, told, said in values(side) if not _tells(told, said)]
    assert bare == []


def _tells(told: str, said: str) -> bool:
    new = _words(told) - _words(said)
    return bool(re.match(r"[A-Z`\d].*\.$", told)) and len(new) >= 2


def _words(text: str) -> set[str]:
    """Those that carry something, without their endings: 3 letters tell approve from approval."""
    return {word[:3] for word in re.findall(r"[a-z]+", text.lower())} - NOTHING


@pytest.mark.parametrize(
    ("told", "said", "tells"),
    [
        ("The host charity has said yes, and its cashier may pay.", "APPROVED approved", True),
        ("approved", "APPROVED approved", False),
        ("It is approved.", "APPROVED approved", False),
        ("By name.", "NAME", False),
        ("The spending has been approved.", "APPROVED approved", False),
        ("the host charity has said yes, the cashier may pay", "APPROVED", False),
    ],
)
def test_the_reader_of_descriptions_sees(told, said, tells):
    assert _tells(told, said) is tells


def values(side: str) -> Iterator[tuple[str, str, str]]:
    """Of each value the path, its description, and what else it is called: its name and its label."""
    for one in types(side):
        for name, value in one.values.items() if isinstance(one, GraphQLEnumType) else ():
            members = one.graphene_type._meta.enum.__members__
            label = getattr(members[name], "label", "")
            yield f"{one.name}.{name}", value.description, f"{name} {label}".replace("_", " ")


@both
def test_a_chinese_term_is_one_of_the_glossary(side):
    words = {word for term in glossary.terms() for word in term.words}
    told = [one.description for one in types(side)]
    told += [field.description for _path, _name, field in fields(side)]
    told += [told for _path, told, _said in values(side)]
    # (区、县) is two of them.
    found = [re.findall(r"\(([\u4e00-\u9fff、]+)[),]", text) for text in told]
    terms = {term for texts in found for text in texts for term in text.split("、")}
    assert terms - words == set()
    assert "glossary" in SCHEMAS[side].graphql_schema.query_type.description


@both
def test_mutations_are_verbs_with_input_and_payload_of_their_name(side):
    for name, field in SCHEMAS[side].graphql_schema.mutation_type.fields.items():
        verb = re.match(r"[a-z]+", name)[0]
        assert verb in VERBS, name
        pascal = name[0].upper() + name[1:]
        assert str(field.type) == f"{pascal}Payload!"
        assert {n: str(a.type) for n, a in field.args.items()} == {"input": f"{pascal}Input!"}
        payload = get_named_type(field.type)
        assert str(payload.fields["errors"].type) == "[Error!]!"
        for shown, answer in payload.fields.items():
            # What was done is null where it was refused; a bulk's items always tell.
            assert shown in ("errors", "items") or not isinstance(answer.type, GraphQLNonNull)


@both
def test_names_say_what_they_hold(side):
    wrong = []
    for path, name, field in fields(side):
        type_, named = str(field.type).strip("[]!"), get_named_type(field.type)
        if path.split(".")[0] in GIVEN:
            continue
        is_id = type_ == "ID"
        if is_id != (name not in OTHERS_IDS and (name == "id" or name.endswith(("Id", "Ids")))):
            wrong.append(f"{path}: ids, and nothing else, end in Id")
        if type_ == "Date" and not (name.endswith("On") or name in DAYS):
            wrong.append(f"{path}: a day ends in On")
        if type_ == "DateTime" and not (name.endswith("At") or name in INSTANTS):
            wrong.append(f"{path}: an instant ends in At")
        if (name == "at" or name.endswith("At")) and type_ != "DateTime":
            wrong.append(f"{path}: what ends in At is an instant")
        if name.endswith("On") and type_ != "Date":
            wrong.append(f"{path}: what ends in On is a day")
        if type_ == "Float":
            wrong.append(f"{path}: nothing here is inexact")
        if (type_ == "Fen") != name.endswith("Fen"):
            wrong.append(f"{path}: money in fen, and nothing else, ends in Fen")
        if not LOCAL.fullmatch(name):
            wrong.append(f"{path}: names are camelCase")
        if isinstance(named, GraphQLEnumType) and name == "kind":
            assert named.name.endswith(("Kind", "Level")), path
    assert wrong == []


@both
def test_money_goes_in_as_fen_and_comes_out_as_both(side):
    for one in types(side):
        for name in getattr(one, "fields", {}):
            if isinstance(one, GraphQLInputObjectType):
                assert not name.endswith("Yuan"), (one.name, name)
            elif name.endswith("Fen"):
                assert f"{name[:-3]}Yuan" in one.fields, (one.name, name)
        if str(getattr(getattr(one, "fields", {}).get("value"), "type", "")) == "Decimal":
            assert "text" in one.fields, one.name


@both
def test_an_id_by_one_name_is_of_one_type(side):
    """What answered an id takes it back under the same name, and no other name means it."""
    types_of = defaultdict(set)
    for one in types(side):
        declared = getattr(getattr(one, "graphene_type", None), "_meta", None)
        for name, given in getattr(declared, "fields", {}).items():
            if isinstance(given, IdOf):
                types_of[to_camel_case(name)].add(given.type_name)
            for taken in getattr(given, "inputs", {}).items():
                if isinstance(taken[1], IdOf):
                    types_of[to_camel_case(taken[0])].add(taken[1].type_name)
    assert len(types_of) > 5
    assert {name: found for name, found in types_of.items() if len(found) > 1} == {}


@both
def test_whatever_has_an_id_is_a_node(side):
    """docs/api.md: node(id) takes any. An Error or an edge has none."""
    for one in types(side):
        if isinstance(one, GraphQLObjectType) and "id" in one.fields:
            assert [i.name for i in one.interfaces] == ["Node"], one.name
            assert str(one.fields["id"].type) == "ID!"


@both
def test_a_field_of_one_name_has_one_type(side):
    """bounds, createdAt, documentId … are the same thing wherever they stand."""
    held = defaultdict(set)
    for _path, name, field in fields(side):
        if name in ("bounds", "documentId", "createdAt", "at"):
            held[name].add(str(get_named_type(field.type)).removesuffix("Input"))
    assert all(len(found) == 1 for found in held.values()), held


@both
def test_a_mutation_answers_with_the_object(side):
    for name, field in SCHEMAS[side].graphql_schema.mutation_type.fields.items():
        answers = get_named_type(field.type).fields
        shown = [
            get_named_type(one.type)
            for key, one in answers.items()
            if key not in ("errors", "items")
        ]
        objects = [one for one in shown if isinstance(one, GraphQLObjectType)]
        assert objects or "items" in answers or name in NO_OBJECT, name


@both
def test_types_and_enum_values_are_spelled_one_way(side):
    for one in types(side):
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", one.name)
        if isinstance(one, GraphQLEnumType):
            assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", value) for value in one.values), one.name
        if isinstance(one, GraphQLInputObjectType):
            assert one.name.endswith("Input")
        if one.name.endswith("Order"):
            assert all(not value.startswith("BY_") for value in one.values)


@both
def test_every_list_is_a_connection_or_states_its_bound(side):
    """`Bounded` and `Groups` refuse what is longer; the others are held to it where they are written."""
    enforced = 0
    for one in types(side):
        if not isinstance(one, GraphQLObjectType) or one.name.endswith("Connection"):
            continue
        declared = declared_fields(one)
        for name, field in one.fields.items():
            if not is_list_type(get_nullable_type(field.type)):
                continue
            if isinstance(get_named_type(field.type), GraphQLEnumType):
                continue  # as long as the enum
            path, said = f"{one.name}.{name}", re.search(r"At most ([\d,]+)", field.description)
            assert said, path
            most = int(said[1].replace(",", ""))
            held = declared[name][1]
            if isinstance(held, Bounded | Groups):
                assert held.most == most, path
                enforced += 1
            else:
                assert {"errors": MOST_ERRORS, "items": MOST_ITEMS, "oneOf": 200}[name] == most, (
                    path
                )
    assert enforced >= 5


def test_a_list_that_is_too_long_is_refused_and_says_how_to_ask():
    assert at_most(2, ["a", "b"]) == ["a", "b"]
    with (
        override("en"),
        pytest.raises(Refused, match=r"longer than 2\. Ask for one month\.") as told,
    ):
        at_most(2, ["a", "b", "c"], "Ask for one month.")
    assert told.value.code == "LIST_TOO_LONG"


@both
def test_a_list_of_rows_is_a_connection_and_its_name_a_plural(side):
    for name, field in SCHEMAS[side].graphql_schema.query_type.fields.items():
        if get_named_type(field.type).name.endswith("Connection"):
            assert name.endswith("s") or name == "people", name
