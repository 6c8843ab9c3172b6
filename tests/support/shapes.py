"""Whether an event's body has the shape that is promised: graphql/linli_api/events.graphql."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from graphql import GraphQLEnumType, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, is_list_type

from linli.events.types import event_type
from linli_api.events.shapes import member, shapes

_schema = cache(shapes)
TEXTS = {
    "Date": r"\d{4}-\d\d-\d\d",
    "DateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)",
    "String": r"(?s).*",
    "ID": r"\S+",
}
FORMS = {"Boolean": bool, "Int": int, "Fen": int}


def misfits(body: dict[str, Any]) -> list[str]:
    """What is not as promised, by its path in the body."""
    sent = json.loads(json.dumps(body, cls=DjangoJSONEncoder))
    schema: GraphQLSchema = _schema()
    return list(_misfits(schema.type_map["Body"], sent, "body", member(event_type(body["type"]))))


def _misfits(type_: Any, value: Any, path: str, of: str) -> Iterator[str]:
    if isinstance(type_, GraphQLNonNull):
        if value is None:
            yield f"{path} is null"
        else:
            yield from _misfits(type_.of_type, value, path, of)
    elif value is None:
        return
    elif is_list_type(type_):
        for index, item in enumerate(value):
            yield from _misfits(type_.of_type, item, f"{path}.{index}", of)
    elif isinstance(type_, GraphQLObjectType) and type_.name in ("Data", "ObjectId"):
        yield from _misfits(type_.fields[of].type, value, path, of)
    elif isinstance(type_, GraphQLObjectType):
        if value.keys() != type_.fields.keys():
            yield f"{path} has {sorted(value)}, not {sorted(type_.fields)}"
        for name, field in type_.fields.items():
            yield from _misfits(field.type, value.get(name), f"{path}.{name}", of)
    elif isinstance(type_, GraphQLEnumType):
        if value not in type_.values:
            yield f"{path} is {value!r}, none of {sorted(type_.values)}"
    elif not _is_of(type_.name, value):
        yield f"{path} is {value!r}, no {type_.name}"


def _is_of(name: str, value: Any) -> bool:
    if name in FORMS:
        return type(value) is FORMS[name]
    if name in TEXTS:
        return isinstance(value, str) and re.fullmatch(TEXTS[name], value) is not None
    return b64decode(value).decode().startswith(name.removesuffix("Id") + ":")
