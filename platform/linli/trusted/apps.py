from django.apps import AppConfig


class TrustedConfig(AppConfig):
    """Documents that a tenant trusts: registered once, run by their hash."""

    name = "linli.trusted"
