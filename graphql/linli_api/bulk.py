"""Many times the same mutation in one: ``class AdmitPartners(Bulk): of = AdmitPartner``.

Each item is tried as if it had come alone, in a savepoint of one transaction, and is answered by
itself. With ``allOrNone`` nothing stays unless all of them could be done. A fault of ours undoes
all of them either way.
"""

from functools import cache
from typing import Any, ClassVar

import graphene
from django.db import transaction
from django.db.models import Model
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor
from linli.errors import Refused
from linli_api.batches import together
from linli_api.guard import INHERITED
from linli_api.mutation import Error, Mutation, told
from linli_api.types import Object

MOST = 500
COST = 5  # of one item: there is one transaction for all


class Bulk(Mutation):
    """A mutation over a list of another's inputs. ``of`` is that other one."""

    of: ClassVar[type[Mutation]]

    class Meta:
        abstract = True

    @classmethod
    def __init_subclass_with_meta__(cls, **options: Any) -> None:
        cls.input_type = _input_of(cls.of, f"{cls.__name__}Input")
        cls.items = graphene.List(
            graphene.NonNull(_item_of(cls.of)),  # type: ignore[arg-type]
            required=True,
            description="What came of each, in the order given; empty where none was tried. "
            f"At most {MOST}.",
        )
        options |= {"permission": cls.of._meta.permission, "cost": COST, "per": "items"}
        super().__init_subclass_with_meta__(**options)

    @classmethod
    def attempt(cls, actor: Actor | None, input: dict | None = None) -> Mutation:
        assert input is not None
        items, all_or_none = input["items"], input["all_or_none"]
        try:
            cls.authorize(actor)
            if len(items) > MOST:
                message = format_lazy(_("At most {most} items at once. Split them."), most=MOST)
                raise Refused("ITEMS_TOO_MANY", message, field="items")
        except Refused as refused:
            return cls(errors=told(refused), items=[])
        with transaction.atomic():
            done = [cls.of.attempt(actor, item) for item in items]
            count = sum(bool(one.errors) for one in done)
            if not (count and all_or_none):
                return cls(errors=[], items=_numbered(done))
            transaction.set_rollback(True)
        undone = [cls.of(errors=one.errors) for one in done]
        message = _("{refused} of {all} were refused, so nothing was changed. Correct those named.")
        why = Refused("ITEMS_REFUSED", format_lazy(message, refused=count, all=len(done)))
        return cls(errors=told(why), items=_numbered(undone))


def _numbered(done: list[Mutation]) -> list[Mutation]:
    """The items with their places; rows of one kind are read together."""
    if not done:
        return []
    for index, one in enumerate(done):
        one.index = index
    for name in _answers(type(done[0])):
        rows = [getattr(one, name) for one in done]
        together(row for row in rows if isinstance(row, Model))
    return done


def _answers(of: type[Mutation]) -> dict[str, Any]:
    return {name: field for name, field in of._meta.fields.items() if name != "errors"}


def _input_of(of: type[Mutation], name: str) -> type[graphene.InputObjectType]:
    fields = {
        "items": graphene.List(
            graphene.NonNull(of.input_type),
            required=True,
            description=f"What {of._meta.name.removesuffix('Payload')} takes, {MOST} times at most.",
        ),
        "all_or_none": graphene.Boolean(
            required=True,
            default_value=False,
            description="True: where one is refused, nothing is changed.",
        ),
        "__doc__": f"What {name.removesuffix('Input')} takes.",
    }
    return type(name, (graphene.InputObjectType,), fields)


@cache
def _item_of(of: type[Mutation]) -> type[Object]:
    """The payload of one, with its place."""
    name = of._meta.name.removesuffix("Payload")
    meta = type(
        "Meta", (), {"permission": INHERITED, "description": f"What came of one {name} of several."}
    )
    fields = {
        "Meta": meta,
        "index": graphene.Int(required=True, description="Its place among those given, from 0 on."),
        "errors": graphene.List(
            graphene.NonNull(Error),
            required=True,
            description="Why this one was refused; empty: it was not. Paths begin at the item. "
            "At most 100.",
        ),
        **_answers(of),
    }
    return type(f"{name}Item", (Object,), fields)
