from django.apps import AppConfig


class DueConfig(AppConfig):
    name = "linli.due"
    label = "due"
