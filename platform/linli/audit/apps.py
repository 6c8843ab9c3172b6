from django.apps import AppConfig


class AuditConfig(AppConfig):
    """In SHARED_APPS and in TENANT_APPS: each schema keeps the trail of its own writes."""

    name = "linli.audit"
    label = "audit"
