"""What a model states, said as refusals: its fields before a write, its named constraints during it,
and its version where two people change the same row."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused

# Controls, formats such as U+200B, spaces and marks; and signs that Unicode calls letters or symbols
# and that are empty: Hangul fillers, the blank of Braille.
_UNSEEN = {"Cc", "Cf", "Mc", "Me", "Mn", "Zl", "Zp", "Zs"}
_EMPTY = "\u115f\u1160\u2800\u3164\uffa0"


def one_of(field: str, *values: str | int, name: str) -> models.CheckConstraint:
    """The named CHECK that a column holds one of its field's choices, which validation says in words.

    Of texts a pattern: PostgreSQL writes a list of them in two ways, and schemas are compared.
    """
    if all(isinstance(value, str) for value in values):
        known = models.Q((f"{field}__regex", f"^({'|'.join(map(str, values))})$"))
    else:
        known = models.Q((f"{field}__in", list(values)))
    return models.CheckConstraint(condition=known, name=name)


def check_fields(obj: models.Model) -> None:
    """Each field's own validation: required text, lengths, choices, ranges of whole numbers.

    Raises `Refused` <FIELD>_INVALID, or FIELDS_INVALID with one such cause for each field.
    """
    unknown = [f.name for f in obj._meta.fields if f.null and getattr(obj, f.attname) is None]
    keys = [f.name for f in obj._meta.fields if f.is_relation]  # the database checks those
    faults = [
        Refused(f"{name.upper()}_INVALID", " ".join(messages), field=camel_case(name))
        for name, messages in faults_of_fields(obj, {*unknown, *keys}).items()
    ]
    if len(faults) == 1:
        raise faults[0]
    if faults:
        message = _("Some fields cannot be kept as written. Correct those named.")
        raise Refused("FIELDS_INVALID", message, causes=faults)


def faults_of_fields(obj: models.Model, exclude: Collection[str] = ()) -> dict[str, list[str]]:
    """What is wrong with each field, by its name, in sentences. Required text in which nothing can be
    seen is blank."""
    faults: dict[str, list[str]] = {}
    try:
        obj.clean_fields(exclude=exclude)
    except ValidationError as error:
        faults.update(error.message_dict)
    for field in obj._meta.fields:
        text = getattr(obj, field.attname)
        required = isinstance(field, models.CharField | models.TextField) and not field.blank
        if required and field.name not in exclude and isinstance(text, str) and is_blank(text):
            faults.setdefault(field.name, [str(field.error_messages["blank"])])
    return faults


def is_blank(text: str) -> bool:
    """Whether there is nothing to see in it: spaces, signs without a shape, marks on nothing."""
    return all(sign in _EMPTY or unicodedata.category(sign) in _UNSEEN for sign in text)


@contextmanager
def upheld(**refusals: Callable[[], Refused]) -> Iterator[None]:
    """Write within it, in a savepoint: where the database upholds one of the constraints named,
    that constraint's refusal is raised. It is made after the savepoint, so it may look things up.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if name not in refusals:
            raise
        raise refusals[name]() from error


class Versioned(models.Model):
    """A row that people change: its version counts the changes, from 1 on."""

    version = models.PositiveIntegerField(_("version"), default=1, db_default=1, editable=False)

    class Meta:
        abstract = True


def check_version(row: Versioned | None, expected: int | None) -> None:
    """The row is what its editor saw. For actions that hold its lock; a row that is not there yet
    (None) is at 0, and whoever expects nothing (None) is always right.

    Raises `Refused` VERSION_CONFLICT.
    """
    check_count(row.version if row else 0, expected)


def check_count(now: int, expected: int | None, *, field: str = "expectedVersion") -> None:
    """The same where rows are only added, and what was seen is how many there were."""
    if expected not in (None, now):
        message = _(
            "Somebody has changed it meanwhile: it is at version {now}, not {expected}. "
            "Read it again and decide anew."
        )
        raise Refused(
            "VERSION_CONFLICT",
            format_lazy(message, now=now, expected=expected),
            field=field,
            version=now,
        )


def save_changes(row: Versioned, fields: Iterable[str]) -> None:
    """Write these fields and count the version up, in one UPDATE. The caller holds the row's lock."""
    row.version += 1
    row.save(update_fields=[*fields, "version"])


def camel_case(name: str) -> str:
    """A field's name as inputs spell it: division_code → divisionCode."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)
