"""Scopes as rows keep them; what there is of them is `linli.accounts.scopes`."""

from collections.abc import Collection, Iterable

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Permission
from linli.accounts.scopes import SCOPES, permissions_of, scopes_with
from linli.errors import Refused

__all__ = ["SCOPES", "counting_as", "in_order", "permissions_of", "scopes_with", "written"]

Permissions = frozenset[Permission]


def counting_as(
    scopes: frozenset[str], here: str, below: str
) -> tuple[Permissions, Permissions, Permissions]:
    """What a token's scopes stand for: all of them, those that count at the client's own tenant,
    and those that do in the tenants below. here, below: as the client's row keeps them."""
    own, under = scopes.intersection(here.split()), scopes.intersection(below.split())
    return permissions_of(scopes), permissions_of(own), permissions_of(under)


def written(scopes: Iterable[str]) -> str:
    """As rows keep them and OAuth sends them: each once, in the order of the table.

    Raises `Refused` SCOPES_MISSING, SCOPE_UNKNOWN.
    """
    asked = list(scopes)
    if not asked:
        message = _("Without a scope it may do nothing. Name at least one.")
        raise Refused("SCOPES_MISSING", message, field="scopes")
    for index, scope in enumerate(asked):
        if scope not in SCOPES:
            message = format_lazy(
                _("There is no scope {scope}. There are: {all}."),
                scope=scope[:40],
                all=", ".join(SCOPES),
            )
            raise Refused("SCOPE_UNKNOWN", message, field=f"scopes.{index}", allowed=list(SCOPES))
    return in_order(asked)


def in_order(scopes: Collection[str]) -> str:
    return " ".join(scope for scope in SCOPES if scope in scopes)
