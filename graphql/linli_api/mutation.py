"""Base of every mutation: parse, authorize, call one action, answer.

A mutation answers with its payload in any case: what was refused stands in ``errors``, and then
nothing was changed, because the action runs in one transaction that is rolled back.
"""

from inspect import getdoc
from itertools import islice
from typing import Any, ClassVar

import graphene
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from linli.accounts.policy import Actor
from linli.errors import Refused
from linli.registry.models import Tenant
from linli_api.errors import MOST_ERRORS, broken_constraint
from linli_api.guard import INHERITED, MEMBER, check, declared
from linli_api.inputs import plain
from linli_api.types import Object


class Error(Object):
    """Why a mutation was refused. Nothing was changed."""

    class Meta:
        permission = INHERITED

    code = graphene.String(required=True, description="Stable, for programs: OUTSIDE_BOUNDS.")
    field = graphene.String(description="Path of the offending input: lines.0.amountFen.")
    message = graphene.String(required=True, description="What is wrong, and what would be right.")


class Mutation(Object):
    """One write. ``class Input`` holds its input fields, ``act`` calls the action.

    The class's docstring describes the mutation, its fields are the payload's. Meta's ``cost`` are
    its points; with ``per``, a list of its input, for each item of that.
    """

    input_type: ClassVar[type[graphene.InputObjectType] | None] = None
    cost: ClassVar[int]
    per: ClassVar[str | None]

    class Meta:
        abstract = True

    errors = graphene.List(
        graphene.NonNull(Error),
        required=True,
        description="Why it was refused, and nothing changed; empty: it is done. At most 100.",
    )

    @classmethod
    def __init_subclass_with_meta__(
        cls, *, cost: int = 10, per: str | None = None, **options: Any
    ) -> None:
        declared("Mutation", cls.__name__, options.get("permission"))
        cls.cost, cls.per = cost, per
        given = vars(cls).get("Input")
        if given is not None:
            fields = {name: value for name, value in vars(given).items() if name[0] != "_"}
            name = f"{cls.__name__}Input"
            fields["__doc__"] = f"What {cls.__name__} takes."
            cls.input_type = type(name, (graphene.InputObjectType,), fields)
        options.setdefault("name", f"{cls.__name__}Payload")
        options.setdefault("description", f"What {cls.__name__} answers.")
        super().__init_subclass_with_meta__(**options)

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        """Calls the action and returns the payload's fields; raises Refused."""
        raise NotImplementedError

    @classmethod
    def as_field(cls) -> graphene.Field:
        arguments = {}
        if cls.input_type is not None:
            arguments["input"] = graphene.Argument(
                cls.input_type, required=True, description="What is to be done."
            )
        return graphene.Field(
            cls, args=arguments, resolver=cls._resolve, required=True, description=getdoc(cls)
        )

    @classmethod
    def _resolve(cls, root: None, info: Any, input: dict | None = None) -> "Mutation":
        return cls.attempt(info.context.actor, input)

    @classmethod
    def authorize(cls, actor: Actor | None) -> None:
        """Raises Unauthenticated, Forbidden, and Refused TENANT_SUSPENDED."""
        _check_writable(actor)
        check(actor, cls._meta.permission)

    @classmethod
    def attempt(cls, actor: Actor | None, input: dict | None = None) -> "Mutation":
        """The payload: done, or refused with everything as it was."""
        try:
            cls.authorize(actor)
            values = plain(cls.input_type._meta.fields, input or {}) if cls.input_type else {}
            with transaction.atomic():
                return cls(errors=[], **cls.act(actor=actor, **values))  # type: ignore[arg-type]
        except Refused as refused:
            return cls(errors=told(refused))
        except IntegrityError as error:
            rule = broken_constraint(error)
            if rule is None:
                raise
            return cls(errors=told(rule))


def told(refused: Refused) -> list[Error]:
    """Each of the faults of a refusal; of more than a hundred the first, which tell what it is."""
    faults = islice(refused.faults, MOST_ERRORS)
    return [Error(code=f.code, field=f.field, message=str(f.message)) for f in faults]


def _check_writable(actor: Actor | None) -> None:
    """A suspended unit is read-only; only those who may read it are told so."""
    check(actor, MEMBER)
    if actor and actor.tenant and actor.tenant.status == Tenant.Status.SUSPENDED:
        message = _("This unit is suspended: everything can be read, nothing changed.")
        raise Refused("TENANT_SUSPENDED", message)
