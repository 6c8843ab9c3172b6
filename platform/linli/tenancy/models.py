"""What every table of a tenant's schema inherits: a UUIDv7 key and guards against crossing over.

Two mistakes write one tenant's facts into another without any error from PostgreSQL, because
every tenant has the same tables: a lazy queryset built in tenant B and evaluated in tenant A, and
an object loaded in B and saved in A. Both raise `CrossedTenants` here.
"""

from typing import Any, Self, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.sql import Query

from linli.ids import uuid7
from linli.tenancy.context import current_schema


class CrossedTenants(ImproperlyConfigured):
    """A query or an object was taken from one tenant's schema into another's: a bug, not input."""

    def __init__(self, what: str, made_in: str, used_in: str) -> None:
        super().__init__(f"{what} belongs to schema {made_in!r} and was used in {used_in!r}")


class TenantQuery(Query):
    """A query that only runs in the schema it was built in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.made_in = current_schema()

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        _same_schema(f"a query on {self.model.__name__}", self.made_in)  # type: ignore[union-attr]
        return super().get_compiler(*args, **kwargs)


_Row = TypeVar("_Row", bound=models.Model)


class TenantQuerySet(models.QuerySet[_Row]):
    def __init__(self, model: Any = None, query: Any = None, **kwargs: Any) -> None:
        super().__init__(model, query or TenantQuery(model), **kwargs)

    # Django turns the query of a write into another class, past the guard above.
    def update(self, **kwargs: Any) -> int:
        self._guard()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._guard()
        return super().delete()

    def _guard(self) -> None:
        made_in = getattr(self.query, "made_in", None)
        if made_in is not None:
            _same_schema(f"a query on {self.model.__name__}", made_in)


class TenantModel(models.Model):
    """A table that every tenant's schema has."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    objects = TenantQuerySet.as_manager()

    # Names of fields the audit trail must not copy (a person's name, a phone number …).
    personal_fields: tuple[str, ...] = ()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.guard()
        super().save(*args, **kwargs)
        self._state.schema = current_schema()  # type: ignore[attr-defined]

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.guard()
        return super().delete(*args, **kwargs)

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        instance = super().from_db(*args, **kwargs)
        instance._state.schema = current_schema()  # type: ignore[attr-defined]
        return instance

    def guard(self) -> None:
        made_in = getattr(self._state, "schema", None)
        if made_in is not None:
            _same_schema(repr(self), made_in)


def _same_schema(what: str, made_in: str) -> None:
    used_in = current_schema()
    if made_in != used_in:
        raise CrossedTenants(what, made_in, used_in)
