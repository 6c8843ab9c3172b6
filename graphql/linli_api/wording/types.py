"""What a type takes, for those who gave it something else."""

from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from graphql import (
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
)

FORMS: dict[str, Promise] = {
    "Boolean": _("true or false"),
    "Int": _("a whole number of at most 2147483647 either way"),
    "Float": _("a number"),
    "String": _("a text"),
    "ID": _("an id as it was read"),
    "Date": _('a day, like "2026-11-24"'),
    "DateTime": _('an instant with its offset, like "2026-11-24T12:00:00+08:00"'),
    "Fen": _("a whole number of fen (1/100 yuan) of at most 9007199254740991 either way"),
    "Rate": _('an exact decimal as text, like "0.03"'),
    "Document": _("any JSON whose numbers are finite"),
}
# Of a number that reads as an infinite one.
TOO_LARGE = _("This number is too large to be read. Write one of at most 2^53 − 1 either way.")


def expected(type_: Any) -> Any:
    """The type with what it takes: ``Rate! (an exact decimal as text, like "0.03")``, of an enum its
    values."""
    form = _form(get_nullable_type(type_))
    return format_lazy("{type} ({form})", type=str(type_), form=form) if form else str(type_)


def _form(type_: Any) -> Promise | str | None:
    if is_list_type(type_):
        return _("a list")
    if is_input_object_type(type_):
        return _("an object")
    named = get_named_type(type_)
    return " | ".join(named.values) if is_enum_type(named) else FORMS.get(named.name)
