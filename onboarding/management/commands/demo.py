"""The main job on real input, from one command."""

import socket
from argparse import ArgumentParser
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from linli.accounts.actions import grant_membership, register_person
from linli.accounts.models import Person
from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.registry.divisions import load_divisions
from linli.registry.models import Division, Tenant
from linli.serving import ServingError, only_one, serving, wait
from linli.tenancy.context import tenant_context
from onboarding.demo import arc, program, report, travelled
from onboarding.demo.client import DemoError
from onboarding.demo.stage import OPERATOR, PASSWORD, Stage

_TABLE_WIDTH = 130  # a pipe has no width; addresses must not be cut there


class Command(BaseCommand):
    help = "Load the demo, run its arc through GraphQL, print what stands, and serve it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--check", action="store_true", help="do not serve; fail if anything of it is off"
        )

    def handle(self, *args: Any, port: int, check: bool, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            raise CommandError("The demo has a known password; it does not run in production.")
        self.console = Console()
        if self.console.width < _TABLE_WIDTH:
            self.console = Console(width=_TABLE_WIDTH)
        try:
            if check:
                self._check(_free_port())
            else:
                with only_one():
                    self._serve(port)
        except (DemoError, ServingError) as error:
            raise CommandError(str(error)) from error

    def _serve(self, port: int) -> None:
        self._prepare()
        with serving(settings.LINLI_PLATFORM_HOST, port, **program.ENVIRONMENT):
            stage = Stage(settings.LINLI_PLATFORM_HOST, port)
            self._run_arc(stage)
            self._show(stage)
            self.console.print(report.logins(stage), highlight=False)
            stage.close()
            self.console.print(f"Serving at {report.address(stage)} until Ctrl-C or make stop.")
            wait()

    def _check(self, port: int) -> None:
        self._prepare()
        with serving(settings.LINLI_PLATFORM_HOST, port, **program.ENVIRONMENT):
            stage = Stage(settings.LINLI_PLATFORM_HOST, port)
            self._run_arc(stage)
            self._show(stage)
            faults = report.faults(stage)
            before = _trail()
            again = stage.again()
            self._run_arc(again)
            if again.changes or _trail() != before:
                faults.append(f"a second run changed something: {before} → {_trail()}")
            stage.close()
        if faults:
            raise CommandError("The demo is off:\n  " + "\n  ".join(faults))
        self.console.print("demo-check: all as it should be")

    def _prepare(self) -> None:
        """What comes before the first request: tables, divisions, the first person."""
        steps = [
            ("bringing the tables up to date", _migrate),
            ("loading the national divisions", load_divisions),
            ("registering the platform's operator", _operator),
            ("finishing tenants that a killed run began", _finish),
        ]
        with self._progress() as progress:
            for title, step in steps:
                task = progress.add_task(title, total=1)
                step()
                progress.advance(task)
        self.console.print(f"{Division.objects.count():,} divisions stand.")

    def _run_arc(self, stage: Stage) -> None:
        steps = arc.steps()
        with self._progress() as progress:
            task = progress.add_task("", total=len(steps))
            for title, step in steps:
                progress.update(task, description=title)
                step(stage)
                progress.advance(task)
            progress.update(task, description="the arc")
        program.ensure()
        said = f"{stage.changes} changes made" if stage.changes else "nothing to change"
        self.console.print(f"The arc is run: {said}.")

    def _show(self, stage: Stage) -> None:
        for shown in (report.table(stage), *travelled.tables(stage)):
            self.console.print(shown)

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            console=self.console,
        )


def _migrate() -> None:
    call_command("migrate_all")


def _operator() -> None:
    with transaction.atomic():
        person = Person.objects.filter(username=OPERATOR).first()
        if person is None:
            actor = system_actor(None)
            person = register_person(
                actor=actor, username=OPERATOR, name="平台运营", password=PASSWORD
            )
            grant_membership(actor=actor, person_id=person.pk, role=Role.PLATFORM_OPERATOR)


def _finish() -> None:
    call_command("provision", stdout=StringIO())


def _trail() -> dict[str, int]:
    """How many writes each schema's trail tells of."""
    counts = {"public": Entry.objects.count()}
    for tenant in Tenant.objects.order_by("slug"):
        with tenant_context(tenant):
            counts[tenant.slug] = Entry.objects.count()
    return counts


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
