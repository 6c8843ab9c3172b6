from django.apps import AppConfig


class FundConfig(AppConfig):
    name = "tenants.fund"
    label = "fund"
