"""How a rule says no.

Every refusal carries a stable code for programs, a translated sentence for people and the path
of the input it is about. GraphQL, pages and import reports each turn it into their own form, at
one place each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Refused(Exception):
    """A rule said no, and nothing was changed.

    code: stable, UPPER_SNAKE. message: what is wrong and what would be right; build it with
    `format_lazy` so that it is translated where it is shown. field: path of the offending input.
    data: JSON-able extras. causes: the single refusals when there are several.
    """

    code: str
    message: StrOrPromise
    field: str | None
    causes: tuple[Refused, ...]
    data: dict[str, Any]

    def __init__(
        self,
        code: str,
        message: StrOrPromise,
        *,
        field: str | None = None,
        causes: Iterable[Refused] = (),
        **data: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field
        self.causes = tuple(causes)
        self.data = data

    def __str__(self) -> str:
        where = f" ({self.field})" if self.field else ""
        return f"{self.code}{where}: {self.message}"

    @property
    def faults(self) -> tuple[Refused, ...]:
        """The single refusals: all causes flattened, or this one when it stands alone."""
        return tuple(f for cause in self.causes for f in cause.faults) if self.causes else (self,)


class NotFound(Refused):
    """It does not exist, or is not the caller's to see: one answer, so that nothing is told."""

    def __init__(self, what: StrOrPromise, *, field: str | None = None) -> None:
        message = format_lazy(_("There is no such {what} here. Check the id."), what=what)
        super().__init__("NOT_FOUND", message, field=field)


class Forbidden(Refused):
    """The caller's role does not reach this."""

    def __init__(
        self, message: StrOrPromise | None = None, *, field: str | None = None, **data: Any
    ) -> None:
        default = _("Your role does not allow this. Ask an administrator of your unit.")
        super().__init__("FORBIDDEN", message or default, field=field, **data)
