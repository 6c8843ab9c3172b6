from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from linli.accounts.actions import grant_membership, register_person
from linli.accounts.policy import Role, system_actor
from linli.errors import Refused


class Command(BaseCommand):
    help = (
        "Register a platform operator; the first one lets everybody else in. Asks for a password."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="what they log in with")
        parser.add_argument("name", help="what they are called")

    def handle(self, *args: Any, username: str, name: str, **options: Any) -> None:
        password = getpass("Password: ")
        if getpass("Again: ") != password:
            raise CommandError("The two passwords differ; nothing was changed.")
        actor = system_actor(None)
        try:
            with transaction.atomic():
                person = register_person(
                    actor=actor, username=username, name=name, password=password
                )
                grant_membership(actor=actor, person_id=person.pk, role=Role.PLATFORM_OPERATOR)
        except Refused as refused:
            raise CommandError("\n".join(str(fault) for fault in refused.faults)) from refused
        self.stdout.write(f"{username} operates the platform from now on")
