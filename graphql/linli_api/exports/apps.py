from django.apps import AppConfig


class ExportsConfig(AppConfig):
    """In TENANT_APPS: each tenant keeps its own. Stands with the API, for an export runs one of its
    documents."""

    name = "linli_api.exports"
    label = "exports"
