from django.apps import AppConfig


class CommunitiesConfig(AppConfig):
    name = "tenants.communities"
    label = "communities"
