"""What is left out of an update stays, and null clears what may be empty or is refused: one rule for
every update of both schemas, as its descriptions say. In other mutations null is as left out. And
where a blank text is refused, so is one in which nothing can be seen."""

from typing import Any

import pytest
from django.db import transaction
from graphql import get_named_type, is_leaf_type, is_non_null_type

from linli.tenancy.context import tenant_context
from linli_api.schema import platform_schema, tenant_schema
from tests.support.api import ask, do
from tests.support.deeds import DEEDS, Place
from tests.support.two_towns import two_towns

CLEARS, REFUSES = "null clears it.", "null is refused."
SCHEMAS = [tenant_schema.graphql_schema, platform_schema.graphql_schema]
MUTATIONS = {
    name: field for schema in SCHEMAS for name, field in schema.mutation_type.fields.items()
}
# What something may be changed to, by its name in inputs; a list is told by its first.
NEW: dict[str, Any] = {
    "name": "另一个名字",
    "profile": "MIXED",
    "residents": 9_001,
    "buildings": 91,
    "operatingCostFen": 9_100,
    "description": "换了用处",
}
UNSEEN = "\u200b\ufeff\u2060 \u3164"


def _input(name: str) -> dict[str, Any]:
    given = MUTATIONS[name].args.get("input")
    return get_named_type(given.type).fields if given else {}


def _nullable(name: str) -> list[str]:
    return [field for field, one in _input(name).items() if not is_non_null_type(one.type)]


def _optional(name: str) -> list[str]:
    """The same without the version that is expected: what an update may change."""
    return [field for field in _nullable(name) if field != "expectedVersion"]


UPDATES = [name for name in MUTATIONS if name.startswith("update") and "items" not in _input(name)]
PARTS = [(name, part) for name in UPDATES for part in _optional(name)]
OTHERS = [(name, part) for name in MUTATIONS if name not in UPDATES for part in _nullable(name)]


@pytest.fixture(scope="module")
def world(session_database, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), two_towns(session_database) as made:
        yield made


@pytest.fixture
def place(world):
    with transaction.atomic(), tenant_context(world.ours.tenant):
        yield Place(world.ours)
        transaction.set_rollback(True)


class Update:
    """One that is made ready: ``does`` sends it, and answers with the object's parts and the faults."""

    def __init__(self, place: Place, name: str) -> None:
        deed = DEEDS[name][0](place)
        self.name, self.actor = name, deed.actor
        self.which = {
            key: value
            for key, value in deed.given.items()
            if is_non_null_type(_input(name)[key].type) and key != "reason"
        }
        payload = get_named_type(MUTATIONS[name].type)
        [self.answers] = [one for one in payload.fields if one != "errors"]
        shown = get_named_type(payload.fields[self.answers].type)
        self.parts = [one for one in _optional(name) if one in shown.fields]
        assert self.parts == _optional(name), "the object shows what of it may be changed"
        assert all(is_leaf_type(get_named_type(shown.fields[one].type)) for one in self.parts)

    def does(self, **changes: Any) -> tuple[dict[str, Any] | None, list[tuple[str, str]]]:
        shows = f"{self.answers} {{ {' '.join(self.parts)} }}"
        answer = do(self.actor, self.name, shows, **self.which, **changes)
        return answer[self.answers], [(e["code"], e["field"]) for e in answer["errors"]]


def test_there_are_some():
    assert {name for name, _part in PARTS} == set(UPDATES)
    assert len(UPDATES) >= 3


@pytest.mark.parametrize("name", MUTATIONS)
def test_an_update_says_of_each_part_what_null_does_and_nothing_else_does(name):
    """Of many at once each takes the same input."""
    told = {
        part
        for part, one in _input(name).items()
        if " Left out, it stays; null " in one.description
    }
    assert told == (set(_optional(name)) if name in UPDATES else set())


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_null_does_in_an_update_what_is_said_of_it(place, name, part):
    update = Update(place, name)
    before, faults = update.does()
    assert faults == []
    said = _input(name)[part].description
    if before[part] in (None, "", []) and part in NEW:
        before, faults = update.does(**{part: NEW[part]})
        assert faults == []
    assert before[part] not in (None, "", []), f"give NEW something for {part}"
    after, faults = update.does(**{part: None})
    if said.endswith(CLEARS):
        assert faults == []
        assert after == before | {part: after[part]}
        assert after[part] in (None, "")
    else:
        assert said.endswith(REFUSES)
        code = "".join(f"_{sign}" if sign.isupper() else sign for sign in part).upper()
        assert faults == [(f"{code}_INVALID", part)]
        assert update.does() == (before, [])


@pytest.mark.parametrize("name", UPDATES)
def test_each_null_that_is_refused_is_told(place, name):
    update = Update(place, name)
    before, _faults = update.does()
    refused = [part for part in update.parts if _input(name)[part].description.endswith(REFUSES)]
    _none, faults = update.does(**dict.fromkeys(refused))
    assert [field for _code, field in faults] == refused
    assert update.does() == (before, [])


def test_of_many_at_once_the_path_begins_at_the_item(place):
    update = Update(place, "updateCommunity")
    item = {**update.which, "name": None}
    document = """mutation($items: [UpdateCommunityInput!]!) { updateCommunities(input: {items: $items}) {
        items { errors { code field } } } }"""
    [done] = ask(update.actor, document, items=[item])["updateCommunities"]["items"]
    assert done["errors"] == [{"code": "NAME_INVALID", "field": "name"}]


@pytest.mark.parametrize(("name", "part"), OTHERS)
def test_null_is_as_left_out_in_every_other_mutation(place, name, part):
    found = []
    for more in ({}, {part: None}):
        with transaction.atomic():
            deed = DEEDS[name][0](place)
            given = {key: value for key, value in deed.given.items() if key != part}
            errors = do(deed.actor, name, **given | more)["errors"]
            transaction.set_rollback(True)
        found.append([(error["code"], error["field"]) for error in errors])
    assert found[0] == found[1]


def _texts() -> list[tuple[str, str]]:
    return [
        (name, field)
        for name in MUTATIONS
        for field, one in _input(name).items()
        if str(one.type) in ("String", "String!")
    ]


@pytest.mark.parametrize(("name", "field"), _texts())
def test_where_a_blank_text_is_refused_one_without_a_sign_to_see_is_too(place, name, field):
    found = []
    for text in (" ", UNSEEN):
        with transaction.atomic():
            deed = DEEDS[name][0](place)
            errors = do(deed.actor, name, **deed.given | {field: text})["errors"]
            transaction.set_rollback(True)
        found.append([(error["code"], error["field"]) for error in errors])
    blank, unseen = found
    assert not blank or unseen == blank
