"""`manage.py agree_points <id> 600000`: points a minute for one person or client."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from linli.budget.actions import agree_points


class Command(BaseCommand):
    help = "Agrees points a minute with one caller; without a number, the default again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("caller", type=UUID, help="the id of a person or a client")
        parser.add_argument("points", type=int, nargs="?", help="points a minute")

    def handle(self, *args: Any, caller: UUID, points: int | None, **options: Any) -> None:
        agree_points(caller, points)
