"""Two releases of one schema: what came, what went, and what of it breaks a client.

graphql-core finds breaking and dangerous changes. What had its notice, and whose day has passed, is
taken out of the old SDL before they are looked for: what still breaks then is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from graphql import (
    DangerousChangeType,
    GraphQLSchema,
    ast_from_value,
    build_ast_schema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
    is_introspection_type,
    is_specified_scalar_type,
    parse,
    print_ast,
)
from graphql.pyutils import Undefined

from linli_api.evolution.needs import Need, differing, unannounced
from linli_api.evolution.notice import unfair
from linli_api.evolution.passing import without_passed


@dataclass(frozen=True)
class Promise:
    """What clients can count on. needs: by coordinate; announced: the notices that one will need more."""

    sdl: str
    needs: Mapping[str, Need] = field(default_factory=dict)
    announced: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Element:
    """Something with a name. coordinate: ``Partner``, ``Partner.name``, ``Query.partners(first:)``;
    within: that of what it is part of, empty for a type. type: with the default, if there is one."""

    coordinate: str
    within: str
    type: str
    description: str
    deprecation: str


@dataclass(frozen=True)
class Changes:
    """changed, needs: what was and what is; undone: deprecated no more; dangerous: sentences of
    graphql-core; refused: sentences about what breaks clients without notice."""

    added: list[Element]
    changed: list[tuple[Element, Element]]
    needs: list[tuple[str, Need, Need]]
    deprecated: list[Element]
    undone: list[Element]
    announced: list[tuple[str, str]]
    removed: list[Element]
    dangerous: list[str]
    refused: list[str]


def compare(before: Promise, after: Promise, *, today: date) -> Changes:
    old, new = _schema(before.sdl), _schema(after.sdl)
    had, has = ({e.coordinate: e for e in elements(schema)} for schema in (old, new))
    both = had.keys() & has.keys()
    known = build_ast_schema(without_passed(parse(before.sdl), today=today))
    promised = both & {e.coordinate for e in elements(known)}
    return Changes(
        added=[
            e for e in has.values() if e.coordinate not in had and e.within not in has.keys() - had
        ],
        changed=[
            (had[e.coordinate], e)
            for e in has.values()
            if e.coordinate in had and had[e.coordinate].type != e.type
        ],
        needs=list(differing(before.needs, after.needs, both)),
        deprecated=[
            e
            for e in has.values()
            if e.deprecation
            and (e.coordinate not in had or had[e.coordinate].deprecation != e.deprecation)
        ],
        undone=[
            e
            for e in has.values()
            if e.coordinate in had and had[e.coordinate].deprecation and not e.deprecation
        ],
        announced=[
            (coordinate, reason)
            for coordinate, reason in after.announced.items()
            if before.announced.get(coordinate) != reason
        ],
        removed=[
            e for e in had.values() if e.coordinate not in has and e.within not in had.keys() - has
        ],
        dangerous=[
            change.description
            for change in find_dangerous_changes(old, new)
            if change.type is not DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE  # among the changed
        ],
        refused=[
            *(change.description for change in find_breaking_changes(known, new)),
            # graphql-core has no word for a default that is gone.
            *(
                f"{one} could be left out, and has to be given now."
                for one in sorted(promised)
                if " = " in had[one].type and has[one].type.endswith("!")
            ),
            *unfair(_reasons(had), _reasons(has), today=today),
            *unfair(before.announced, after.announced, today=today),
            *unannounced(
                differing(before.needs, after.needs, promised),
                before.announced,
                after.announced,
                today=today,
            ),
            *(
                f"{one} is announced to need more, and not there."
                for one in after.announced.keys() - has
            ),
        ],
    )


def unfair_at_first(promise: Promise, *, today: date) -> list[str]:
    """What is wrong with the notices of a release that none came before."""
    has = {e.coordinate: e for e in elements(_schema(promise.sdl))}
    return [
        *unfair({}, _reasons(has), today=today),
        *unfair({}, promise.announced, today=today),
    ]


@lru_cache(maxsize=6)
def _schema(sdl: str) -> GraphQLSchema:
    """Before and after of each side: they are compared more than once in a run, and built in seconds."""
    return build_schema(sdl)


def elements(schema: GraphQLSchema) -> Iterator[Element]:
    """Everything a client can name, types in the order of their names."""
    for name, type_ in sorted(schema.type_map.items()):
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        yield Element(name, "", "", type_.description or "", "")
        parts: dict[str, Any] = {**getattr(type_, "fields", {}), **getattr(type_, "values", {})}
        for part_name, part in parts.items():
            coordinate = f"{name}.{part_name}"
            yield _element(coordinate, name, part)
            for argument_name, argument in getattr(part, "args", {}).items():
                yield _element(f"{coordinate}({argument_name}:)", coordinate, argument)


def _element(coordinate: str, within: str, part: Any) -> Element:
    type_ = str(getattr(part, "type", ""))
    default = getattr(part, "default_value", Undefined)
    if default is not Undefined:
        value = ast_from_value(default, part.type)
        type_ += f" = {print_ast(value)}" if value else ""
    return Element(coordinate, within, type_, part.description or "", part.deprecation_reason or "")


def _reasons(elements: Mapping[str, Element]) -> dict[str, str]:
    return {e.coordinate: e.deprecation for e in elements.values() if e.deprecation}
