from argparse import ArgumentParser
from difflib import unified_diff
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from linli_api import sdl
from linli_api.evolution import log


class Command(BaseCommand):
    help = (
        "Writes the SDL of both schemas next to the code, and what it changes into the change log; "
        "with --check only compares."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail on a difference")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        differs = []
        wanted = {sdl.committed(side): text for side, text in sdl.rendered().items()}
        wanted[log.LOG] = log.current(today=timezone.localdate())
        for path, now in wanted.items():
            before = path.read_text() if path.exists() else ""
            if before == now:
                continue
            differs.append(path.name)
            if check:
                lines = unified_diff(before.splitlines(), now.splitlines(), "committed", "built")
                self.stdout.write("\n".join(lines))
            else:
                path.write_text(now)
                self.stdout.write(f"{path.name} written")
        if check and differs:
            names = " and ".join(differs)
            raise CommandError(f"{names} differ from the code. Run: make sdl")
