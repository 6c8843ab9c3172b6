"""The shapes of webhooks' bodies as a schema of their own: never served, but written and compared as
the two that are, so that a change of what an event carries is noticed and told like one of theirs."""

import json
import re
from collections.abc import Callable, Iterable
from functools import cache

from django.db.models import TextChoices
from graphql import GraphQLEnumType, GraphQLSchema, build_schema

from linli.events.body import BODY
from linli.events.types import EventType, Id, Value, event_types
from linli_api.evolution.writing import written_enum, written_field, written_type
from linli_api.schema import SCHEMAS

_SCALARS = {
    "Date": "A day: 2026-11-24.",
    "DateTime": "An instant with its offset: 2026-11-24T05:35:00.25+00:00.",
    "Fen": "Money in whole fen (1/100 yuan), a JSON integer.",
}


def shapes() -> GraphQLSchema:
    types = event_types()
    ids = {one.about for one in types}
    ids |= {field.of for one in types for field in one.data.values() if isinstance(field, Id)}
    few = {
        f.one_of for one in types for f in one.data.values() if isinstance(f, Value) and f.one_of
    }
    scalars = _SCALARS | {f"{of}Id": f"The global id of a type of the API: {of}." for of in ids}
    return build_schema(
        "\n".join(
            [
                written_type(
                    "Body", "What a webhook carries, and `Event.body`, as JSON.", _plain(BODY)
                ),
                written_type(
                    "Object", "What it is about.", _plain({"type": "String!", "id": "ObjectId!"})
                ),
                _by_type("ObjectId", "Which", lambda one: f"{one.about}Id!"),
                _by_type("Data", "What `data` holds", lambda one: f"{_name(one)}!"),
                *(_data(one) for one in types),
                *sorted(map(_few, few)),
                *(f"{json.dumps(text)} scalar {name}" for name, text in sorted(scalars.items())),
            ]
        )
    )


def member(one: EventType) -> str:
    """partner.admitted → PARTNER_ADMITTED, as in the API's enum."""
    return one.name.replace(".", "_").upper()


def _name(one: EventType) -> str:
    return "".join(word.capitalize() for word in re.split(r"[._]", one.name))


def _by_type(name: str, description: str, form: Callable[[EventType], str]) -> str:
    fields = (
        written_field(member(one), form(one), f"Of {one.name}.", one.deprecation)
        for one in event_types()
    )
    return written_type(name, f"{description}: one of these, by the body's `type`.", fields)


def _data(one: EventType) -> str:
    fields = (
        written_field(name, _form(field), field.description, field.deprecation)
        for name, field in one.wire_fields.items()
    )
    return written_type(_name(one), f"{one.name}: {one.description}", fields)


def _form(field: Id | Value) -> str:
    if isinstance(field, Id):
        return field.form.replace("ID", f"{field.of}Id")
    return field.form.replace(
        "String", _of_the_api(field.one_of).name if field.one_of else "String"
    )


def _few(one_of: type[TextChoices]) -> str:
    """The API's enum of the same, its values spelled as bodies have them."""
    same = _of_the_api(one_of)
    told = {one_of[name].value: value.description or "" for name, value in same.values.items()}
    goes = {one_of[name].value: v.deprecation_reason or "" for name, v in same.values.items()}
    return written_enum(same.name, f"As `{same.name}` of the API, in small letters.", told, goes)


@cache
def _of_the_api(one_of: type[TextChoices]) -> GraphQLEnumType:
    """ValueError for what a body would promise and the API did not know."""
    [found] = (
        type_
        for type_ in SCHEMAS["tenant"].graphql_schema.type_map.values()
        if isinstance(type_, GraphQLEnumType)
        and getattr(getattr(type_, "graphene_type", None), "_meta", None)
        and type_.graphene_type._meta.enum is one_of  # type: ignore[attr-defined]
    )
    return found


def _plain(forms: dict[str, str]) -> Iterable[str]:
    return (written_field(name, form) for name, form in forms.items())
