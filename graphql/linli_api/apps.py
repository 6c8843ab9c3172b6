from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Holds the GraphiQL page and the command that writes the SDL; no tables."""

    name = "linli_api"
    verbose_name = "GraphQL API"
