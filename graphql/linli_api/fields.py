"""Fields beside plain columns: of a root, to one row, worked out for many rows at once."""

from collections.abc import Callable, Mapping
from functools import wraps
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import graphene
from django.db.models import Model, QuerySet, Sum
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from graphene.types.utils import get_type

from linli.accounts.policy import Actor
from linli.errors import NotFound, Refused
from linli.money import yuan
from linli_api import ids
from linli_api.batches import batch_of, together
from linli_api.guard import Rule
from linli_api.ids import noun
from linli_api.inputs import IdOf, plain

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


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

    def wrap_resolve(self, parent_resolver: Callable[..., Any]) -> Callable[..., Any]:
        """Text that nothing can store never reaches a resolver."""
        resolve = super().wrap_resolve(parent_resolver)
        taken = self.args
        if not taken:
            return resolve

        @wraps(resolve)
        def checked(root: Any, info: Any, **arguments: Any) -> Any:
            plain(taken, arguments)
            return resolve(root, info, **arguments)

        return checked


class Column(Field):
    """A column under another name, or one in which blank text means null."""

    def __init__(self, type_: Any, *, of: str, blank_is_null: bool = False, **options: Any) -> None:
        super().__init__(type_, resolver=self._resolve, **options)
        self.of, self.blank_is_null = of, blank_is_null

    def _resolve(self, root: Model, info: Any) -> Any:
        value = getattr(root, self.of)
        return None if self.blank_is_null and value == "" else value


class Worked(Field):
    """A value of the row's own columns. ``of``: the expression that says how, for the planner; the
    model has a property of the field's name."""

    def __init__(self, type_: Any, *, of: Any, **options: Any) -> None:
        super().__init__(type_, **options)
        self.of = of


class Revealed(Field):
    """A secret, told in the one answer that made it: where the answer is kept to be given again
    (`linli_api.repeats`), null stands in its place. ``of``: the payload's attribute."""

    def __init__(self, *, of: str, **options: Any) -> None:
        super().__init__(graphene.String, resolver=self._resolve, **options)
        self.of = of

    def _resolve(self, root: Any, info: Any) -> str | None:
        secret = getattr(root, self.of)
        if secret is not None:
            info.context.revealed.append(secret)
        return secret


class GlobalId(Field):
    """The global id of a row of another type, whose key stands in the column ``by``."""

    def __init__(self, of: str, *, by: str, **options: Any) -> None:
        super().__init__(graphene.ID, resolver=self._resolve, **options)
        self.of, self.by = of, by

    def _resolve(self, root: Model, info: Any) -> str | None:
        key = getattr(root, self.by)
        return None if key is None else ids.encode(self.of, key)


class ById(Field):
    """Root field: one row by its global id; NOT_FOUND when there is none that the caller may see."""

    def __init__(self, type_: Any, **options: Any) -> None:
        identity = graphene.Argument(graphene.ID, required=True, description="Its global id.")
        super().__init__(type_, id=identity, resolver=self._resolve, **options)

    def _resolve(self, root: None, info: Any, id: str) -> Model:
        return by_id(get_type(self._type), id, info.context.actor)

    def asked(self, arguments: Mapping[str, Any], tenant_id: UUID | None) -> Any:
        """The key that the arguments name; NotFound for what is no id of the type."""
        return get_type(self._type).key_of(arguments["id"])


def by_id(type_: Any, value: str, actor: Actor, *, field: str = "id") -> Any:
    """The row with a global id; NotFound, naming the argument, when the actor may see none."""
    key, found = type_.key_of(value, field=field), type_._meta.found
    row = found(key, actor=actor) if found else type_.rows_for(actor).filter(pk=key).first()
    if row is None:
        raise NotFound(noun(type_._meta.name), field=field)
    return row if found else together([row])[0]


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


class Total(Field):
    """The sum of a column over the rows that belong to this one, 0 where there are none.

    ``summed(actor=actor)`` are the rows, ``by`` their column that holds this row's key, ``amount`` a
    column in whole units (fen, hours) or an expression over such columns.
    """

    def __init__(
        self,
        type_: Any,
        *,
        summed: Callable[..., QuerySet],
        by: str,
        amount: Any,
        **options: Any,
    ) -> None:
        super().__init__(type_, resolver=self._resolve, **options)
        self.summed, self.by, self.amount = summed, by, amount

    def _resolve(self, root: Model, info: Any) -> int:
        def load(parents: list[Model]) -> dict[Any, int]:
            rows = self.summed(actor=info.context.actor).order_by()
            rows = rows.filter(**{f"{self.by}__in": [parent.pk for parent in parents]})
            return dict(rows.values_list(self.by).annotate(_total=Sum(self.amount)))

        return int(batch_of(root).load(id(self), load).get(root.pk, 0))


class Bounded(Field):
    """A list that is no connection: never longer than ``most``, which its description states. What
    writes it keeps to that; where that cannot be known before, LIST_TOO_LONG says how to ask."""

    def __init__(
        self, of: Any, *, most: int, description: str, less: "StrOrPromise" = "", **options: Any
    ) -> None:
        options = {"required": True, "cost": 0, **options}
        listed = graphene.List(graphene.NonNull(of))
        super().__init__(listed, description=f"{description} At most {most:,}.", **options)
        self.most, self.less = most, less

    def wrap_resolve(self, parent_resolver: Callable[..., Any]) -> Callable[..., Any]:
        resolve = super().wrap_resolve(parent_resolver)

        def bounded(root: Any, info: Any, **arguments: Any) -> Any:
            return at_most(self.most, resolve(root, info, **arguments), self.less)

        return bounded


def at_most(most: int, rows: Any, less: "StrOrPromise" = "") -> Any:
    """The rows. Raises `Refused` LIST_TOO_LONG, with how to ask for less."""
    if rows is None or len(rows) <= most:
        return rows
    message = _("This list would be longer than {most}. {less}")
    raise Refused(
        "LIST_TOO_LONG",
        format_lazy(message, most=most, less=less or _("Ask for what it is part of in parts.")),
        most=most,
    )


class Groups(Field):
    """A list of groups of rows: ``groups(actor=actor, **arguments)`` gives a queryset of values, one
    for each group, in order; ``most`` of them, or LIST_TOO_LONG, which says with ``less`` how to ask.
    ``check(**arguments)`` refuses what is no question."""

    def __init__(
        self,
        type_: Any,
        *,
        groups: Callable[..., QuerySet],
        check: Callable[..., None],
        arguments: Mapping[str, Any],
        most: int,
        less: "StrOrPromise",
        description: str,
        **options: Any,
    ) -> None:
        options["description"] = f"{description} At most {most:,}."
        self.most, self.less = most, less
        listed = graphene.List(graphene.NonNull(type_))
        taken = {
            name: one.argument() if isinstance(one, IdOf) else one
            for name, one in arguments.items()
        }
        super().__init__(listed, args=taken, resolver=self._resolve, **options)
        self.groups, self.check = groups, check
        self.inputs = {**self.args, **{n: a for n, a in arguments.items() if isinstance(a, IdOf)}}

    def asked(self, arguments: Mapping[str, Any], tenant_id: UUID | None) -> dict[str, Any]:
        """The arguments as the rows take them."""
        values = {
            name: value
            for name, value in plain(self.inputs, arguments).items()
            if value is not None
        }
        self.check(**values)
        return values

    def _resolve(self, root: None, info: Any, **arguments: Any) -> list[Any]:
        actor = info.context.actor
        found = self.groups(actor=actor, **self.asked(arguments, actor.tenant_id))
        groups = at_most(self.most, found[: self.most + 1], self.less)
        return together(SimpleNamespace(**group) for group in groups)


class InYuan(Field):
    """The amount of the field beside it, ``fen``, as people read it."""

    def __init__(self, fen: str, **options: Any) -> None:
        super().__init__(graphene.String, resolver=self._resolve, **options)
        self.fen = fen

    def _resolve(self, root: Any, info: Any) -> str | None:
        beside = info.parent_type.fields[self.fen]
        fen = beside.resolve(root, info)
        return None if fen is None else yuan(fen)
