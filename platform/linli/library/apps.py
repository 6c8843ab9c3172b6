from django.apps import AppConfig


class LibraryConfig(AppConfig):
    name = "linli.library"
    label = "library"

    def ready(self) -> None:
        from linli.library import checks  # noqa: F401, registers itself
