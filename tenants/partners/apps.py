from django.apps import AppConfig


class PartnersConfig(AppConfig):
    name = "tenants.partners"
    label = "partners"

    def ready(self) -> None:
        from tenants.operating_model import dependents
        from tenants.partners.fitting import no_longer_fitting

        dependents.register(no_longer_fitting)
