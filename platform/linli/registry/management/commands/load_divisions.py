from typing import Any

from django.core.management.base import BaseCommand

from linli.registry.divisions import load_divisions
from linli.registry.models import Division


class Command(BaseCommand):
    help = "Load the national division list, from provinces to streets."

    def handle(self, *args: Any, **options: Any) -> None:
        added = load_divisions()
        self.stdout.write(f"divisions: {added} added, {Division.objects.count()} in all")
