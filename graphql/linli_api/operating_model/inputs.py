"""Values and bounds by path, as inputs spell them: lists, for GraphQL has no maps."""

from collections.abc import Mapping, Sequence
from typing import Any

import graphene
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli_api.scalars import Document

PATH = "A place in the document, items by their key: partners.contributions[stationed].rate."
LABEL = (
    "The place as people call it, in the language of the request: Partners › Contributions › Share of "
    "takings › Rate."
)
IN_WORDS = (
    "as people read it, in the language of the request: 3 %, 50.00 yuan, 18 months, what a choice is "
    "called, an item by its title; none for null. At most 300 characters"
)


class RuleValueInput(graphene.InputObjectType):
    """What is to stand at a place of the model's document."""

    path = graphene.String(required=True, description=PATH)
    value = Document(
        description="A JSON value, rates as text; null takes an item of a list away. Not left out."
    )


class RuleBoundInput(graphene.InputObjectType):
    """How far layers below may move a place: locked, or a range, or a set of values."""

    path = graphene.String(required=True, description=f"{PATH} [*] stands for each item of a list.")
    locked = graphene.Boolean(description="True: nobody below may change it.")
    minimum = Document(description='A whole number, or a decimal as text: "0.01".')
    maximum = Document(description='A whole number, or a decimal as text: "0.05".')
    one_of = graphene.List(Document, description="The values it may have.")


def values_list(**options: Any) -> graphene.List:
    return graphene.List(graphene.NonNull(RuleValueInput), **options)


def bounds_list(**options: Any) -> graphene.List:
    return graphene.List(graphene.NonNull(RuleBoundInput), **options)


def by_path(given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, with ``values`` and ``bounds`` as the mappings that actions take.

    Refused: VALUE_MISSING, PATH_TWICE.
    """
    plain = dict(given)
    if plain.get("values") is not None:
        plain["values"] = {
            path: _value(one, f"values.{index}")
            for index, (path, one) in enumerate(_once(plain["values"], "values"))
        }
    if plain.get("bounds") is not None:
        plain["bounds"] = {path: _bound(one) for path, one in _once(plain["bounds"], "bounds")}
    return plain


def _once(rows: Sequence[dict[str, Any]], field: str) -> list[tuple[str, dict[str, Any]]]:
    seen: set[str] = set()
    for index, row in enumerate(rows):
        if row["path"] in seen:
            message = _("{path} stands here twice. Keep one of them.")
            raise Refused(
                "PATH_TWICE",
                format_lazy(message, path=row["path"]),
                field=f"{field}.{index}.path",
            )
        seen.add(row["path"])
    return [(row["path"], row) for row in rows]


def _value(row: Mapping[str, Any], field: str) -> Any:
    if "value" not in row:
        message = _("Say what is to stand at {path}; null takes an item of a list away.")
        raise Refused(
            "VALUE_MISSING", format_lazy(message, path=row["path"]), field=f"{field}.value"
        )
    return row["value"]


def _bound(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "path" and value is not None}
