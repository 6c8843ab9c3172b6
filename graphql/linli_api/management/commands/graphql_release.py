from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from linli_api.evolution import log
from linli_api.evolution.compare import unfair_at_first


class Command(BaseCommand):
    help = (
        "Freezes the schemas of today as the released ones and dates the change log; refuses what "
        "would break a client without notice. With --check only says whether it would."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail on what would be refused")
        parser.add_argument(
            "--first",
            action="store_true",
            help="forget earlier releases: the schemas of today are the first, whatever they break",
        )

    def handle(self, *args: Any, check: bool, first: bool, **options: Any) -> None:
        today = timezone.localdate()
        if first:
            for promise in log.promised().values():
                self._refuse("Deprecated without notice", unfair_at_first(promise, today=today))
            log.start(today=today)
            return
        self._refuse("Nothing released to compare with", log.missing())
        for side, changes in log.changes(today=today).items():
            self._refuse(f"Breaks clients of {side}.graphql without notice", changes.refused)
        if not check:
            try:
                log.freeze(today=today)
            except log.AlreadyReleased:
                raise CommandError(f"{today} has its release in {log.LOG.name}.") from None

    def _refuse(self, what: str, faults: list[str]) -> None:
        if faults:
            lines = "\n".join(f"  {fault}" for fault in faults)
            raise CommandError(f"{what}:\n{lines}")
