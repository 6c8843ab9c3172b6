"""Living on another day: rules may not be changed for the past, and periods must have ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from unittest.mock import patch


@contextmanager
def on_day(day: date) -> Iterator[None]:
    """Noon of that day in Shanghai, for everything that asks Django what time it is."""
    noon = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    with patch("django.utils.timezone.now", lambda: noon):
        yield
