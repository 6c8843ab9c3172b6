"""What a password may be, beyond what Django's own validators say."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

LONGEST = 128


class NotTooLong:
    """A longer one is no safer, and takes whoever checks it longer."""

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) > LONGEST:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> Any:
        return format_lazy(_("A password has {most} characters at most."), most=LONGEST)
