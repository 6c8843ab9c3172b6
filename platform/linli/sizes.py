"""How much a text or a JSON value may hold where it is kept. The database holds the rule."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, IntegerField, TextField
from django.db.models.functions import Cast, Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.deconstruct import deconstructible
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

REASON = 1_000  # characters of a sentence that says why
TEXT = 10_000  # characters of a text of several paragraphs
VALUE = 16_384  # bytes of one JSON value, such as a fact's
DOCUMENT = 65_536  # bytes of a whole document: a model, a policy's values


def longest(field: str, name: str, most: int) -> models.CheckConstraint:
    """The named CHECK that a text holds at most so many characters."""
    return models.CheckConstraint(
        condition=LessThanOrEqual(Length(F(field)), most),
        name=name,
        violation_error_code="TEXT_TOO_LONG",
        violation_error_message=format_lazy(
            _("A text here has {most} characters at most."), most=most
        ),
    )


def largest(field: str, name: str, most: int) -> models.CheckConstraint:
    """The named CHECK that a JSON value holds at most so many bytes, as PostgreSQL writes it."""
    written = Cast(F(field), TextField())
    size = Func(written, function="octet_length", output_field=IntegerField())
    return models.CheckConstraint(
        condition=LessThanOrEqual(size, most),
        name=name,
        violation_error_code="VALUE_TOO_LARGE",
        violation_error_message=format_lazy(_("A value here has {most} bytes at most."), most=most),
    )


def size_of(value: Any) -> int:
    """Bytes of a JSON value, as PostgreSQL writes it."""
    return len(json.dumps(value, ensure_ascii=False).encode())


@deconstructible
class AtMost:
    """Validates that a JSON value holds at most so many bytes."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, value: Any) -> None:
        if size_of(value) > self.most:
            message = _("A value here has {most} bytes at most.")
            raise ValidationError(format_lazy(message, most=self.most))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AtMost) and other.most == self.most

    def __hash__(self) -> int:
        return hash(self.most)
