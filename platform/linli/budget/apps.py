from django.apps import AppConfig


class BudgetConfig(AppConfig):
    """How much of the API each caller may use a minute."""

    name = "linli.budget"

    def ready(self) -> None:
        from linli.budget import checks  # noqa: F401, registers itself
