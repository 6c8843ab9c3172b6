"""Fields beside plain columns: of a root, to one row, worked out for many rows at once."""

from collections.abc import Callable, Mapping
from typing import Any

import graphene
from django.db.models import Model
from graphene.types.utils import get_type

from linli.accounts.policy import Actor
from linli.errors import NotFound
from linli_api.batches import batch_of, together
from linli_api.guard import Rule
from linli_api.ids import noun


class Field(graphene.Field):
    """A field with a permission of its own, on top of that of the type it leads to.

    cost: its points, where they are not those of its kind; rows: how many a list that is no
    connection is priced as (`linli_api.limits.cost`).
    """

    def __init__(
        self,
        *args: Any,
        permission: Rule | None = None,
        cost: int | None = None,
        rows: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.permission, self.cost, self.rows = permission, cost, rows


class ById(Field):
    """Root field: one row by its global id; NOT_FOUND when there is none that the caller may see."""

    def __init__(self, type_: Any, **options: Any) -> None:
        identity = graphene.Argument(graphene.ID, required=True, description="Its global id.")
        super().__init__(type_, id=identity, resolver=self._resolve, **options)

    def _resolve(self, root: None, info: Any, id: str) -> Model:
        return by_id(get_type(self._type), id, info.context.actor)


def by_id(type_: Any, value: str, actor: Actor, *, field: str = "id") -> Any:
    """The row with a global id; NotFound, naming the argument, when the actor may see none."""
    row = type_.rows_for(actor).filter(pk=type_.key_of(value, field=field)).first()
    if row is None:
        raise NotFound(noun(type_._meta.name), field=field)
    return together([row])[0]


class One(Field):
    """The one row of another type that this row points at, or that points back at it.

    ``One(Community, by="community_id")``: the attribute of this row that holds the other's key.
    ``One(Contribution, back="declaration_id")``: the unique column of the other that holds ours.
    Null when there is none or the caller may not see it.
    """

    def __init__(
        self, type_: Any, *, by: str | None = None, back: str | None = None, **options: Any
    ) -> None:
        if (by is None) == (back is None):
            raise TypeError("One() takes either by=… or back=…")
        super().__init__(type_, resolver=self._resolve, **options)
        self.by, self.back = by or "pk", back or "pk"

    def _resolve(self, root: Model, info: Any) -> Model | None:
        def load(rows: list[Model]) -> dict[Any, Model]:
            keys = {getattr(row, self.by) for row in rows} - {None}
            found = get_type(self._type).rows_for(info.context.actor)
            found = together(found.filter(**{f"{self.back}__in": keys})) if keys else []
            return {getattr(row, self.back): row for row in found}

        return batch_of(root).load(id(self), load).get(getattr(root, self.by))


class Computed(Field):
    """A value worked out for all rows of a list at once: ``load(rows, actor) -> {key: value}``.

    A row that the mapping leaves out gets null: missing, never zero.
    """

    def __init__(
        self, type_: Any, *, load: Callable[[list[Any], Actor], Mapping[Any, Any]], **options: Any
    ) -> None:
        super().__init__(type_, resolver=self._resolve, **options)
        self.load = load

    def _resolve(self, root: Model, info: Any) -> Any:
        values = batch_of(root).load(id(self), lambda rows: self.load(rows, info.context.actor))
        return values.get(root.pk)
