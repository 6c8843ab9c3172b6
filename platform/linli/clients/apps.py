from django.apps import AppConfig


class ClientsConfig(AppConfig):
    name = "linli.clients"
    label = "clients"
