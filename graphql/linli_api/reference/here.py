"""Ids of this place for the examples, which have those of the demo they were written on."""

from collections.abc import Callable
from functools import cache

from linli.accounts.policy import Actor
from linli.errors import Refused
from linli_api import ids
from linli_api.schema import SCHEMAS
from linli_api.types import Object, types_by_model


def ids_of(side: str, actor: Actor) -> Callable[[str], str]:
    """For an id the same where the actor may see such a row here, or else that of the oldest of its
    type that they may see; any other text, and where there is none, as it is."""
    types = {
        type_.__name__: type_ for type_ in types_by_model(SCHEMAS[side].graphql_schema).values()
    }

    @cache
    def here(text: str) -> str:
        parts = ids.split(text)
        type_ = types.get(parts[0]) if parts else None
        return _here(type_, text, actor) if type_ else text

    return here


def _here(type_: type[Object], text: str, actor: Actor) -> str:
    try:
        rows = type_.rows_for(actor)
        if rows.filter(pk=type_.key_of(text)).exists():
            return text
        oldest = rows.order_by("pk").first()
    except Refused:  # they may see none
        return text
    return ids.encode(type_.__name__, oldest.pk) if oldest else text
