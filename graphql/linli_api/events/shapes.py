"""The shapes of webhooks' bodies as a schema of their own: never served, but written and compared as
the two that are, so that a change of what an event carries is noticed and told like one of theirs."""

import json
import re
from collections.abc import Callable, Iterable

from graphql import GraphQLSchema, build_schema

from linli.events.body import BODY
from linli.events.types import EventType, Id, Value, event_types

_SCALARS = {
    "Date": "A day: 2026-11-24.",
    "DateTime": "An instant with its offset: 2026-11-24T05:35:00.25+00:00.",
    "Fen": "Money in whole fen (1/100 yuan), a JSON integer.",
}


def shapes() -> GraphQLSchema:
    types = event_types()
    ids = {one.about for one in types}
    ids |= {field.of for one in types for field in one.data.values() if isinstance(field, Id)}
    scalars = _SCALARS | {f"{of}Id": f"The global id of a type of the API: {of}." for of in ids}
    return build_schema(
        "\n".join(
            [
                _type("Body", "What a webhook carries, and `Event.body`, as JSON.", _plain(BODY)),
                _type(
                    "Object", "What it is about.", _plain({"type": "String!", "id": "ObjectId!"})
                ),
                _by_type("ObjectId", "Which", lambda one: f"{one.about}Id!"),
                _by_type("Data", "What `data` holds", lambda one: f"{_name(one)}!"),
                *(_data(one) for one in types),
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
        _field(member(one), form(one), f"Of {one.name}.", one.deprecation) for one in event_types()
    )
    return _type(name, f"{description}: one of these, by the body's `type`.", fields)


def _data(one: EventType) -> str:
    fields = (
        _field(name, _form(field), field.description, field.deprecation)
        for name, field in one.wire_fields.items()
    )
    return _type(_name(one), f"{one.name}: {one.description}", fields)


def _form(field: Id | Value) -> str:
    return field.form.replace("ID", f"{field.of}Id") if isinstance(field, Id) else field.form


def _plain(forms: dict[str, str]) -> Iterable[str]:
    return (_field(name, form) for name, form in forms.items())


def _type(name: str, description: str, fields: Iterable[str]) -> str:
    body = "\n".join(fields)
    return f"{json.dumps(description)} type {name} " + (f"{{ {body} }}" if body else "")


def _field(name: str, form: str, description: str = "", deprecation: str = "") -> str:
    goes = f" @deprecated(reason: {json.dumps(deprecation)})" if deprecation else ""
    return f"{json.dumps(description) if description else ''} {name}: {form}{goes}"
