from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class EventsConfig(AppConfig):
    """In TENANT_APPS only: what the platform itself writes concerns its operator, not integrators."""

    name = "linli.events"
    label = "events"

    def ready(self) -> None:
        """Each domain states what it tells in an ``events`` module of its own."""
        from linli.events import checks  # noqa: F401, registers itself

        autodiscover_modules("events")
