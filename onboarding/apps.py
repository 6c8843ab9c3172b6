from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    """Brings tenants and their communities on board; it has no tables of its own."""

    name = "onboarding"
