from django.apps import AppConfig


class RepeatsConfig(AppConfig):
    """In SHARED_APPS and in TENANT_APPS: an answer is kept in the schema that was written."""

    name = "linli.repeats"
    label = "repeats"
