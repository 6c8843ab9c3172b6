from django.apps import AppConfig


class LibraryConfig(AppConfig):
    name = "linli.library"
    label = "library"
