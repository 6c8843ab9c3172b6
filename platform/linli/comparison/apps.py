from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ComparisonConfig(AppConfig):
    name = "linli.comparison"
    label = "comparison"

    def ready(self) -> None:
        """Each domain states its measures in a ``measures`` module of its own."""
        autodiscover_modules("measures")
