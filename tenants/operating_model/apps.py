from django.apps import AppConfig


class OperatingModelConfig(AppConfig):
    name = "tenants.operating_model"
    label = "operating_model"
