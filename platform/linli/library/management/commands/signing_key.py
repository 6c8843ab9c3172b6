"""`manage.py signing_key`: the public key that others register to believe this installation's
packages; with `--new` a private key to set as LINLI_SIGNING_KEY."""

from argparse import ArgumentParser
from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management.base import BaseCommand, CommandError

from linli.errors import Refused
from linli.library.signing import fingerprint, public_text, signing_key


class Command(BaseCommand):
    help = "Shows this installation's public key, or makes a new private one."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--new", action="store_true", help="make a private key; nothing is kept"
        )

    def handle(self, *args: Any, new: bool, **options: Any) -> None:
        if new:
            made = Ed25519PrivateKey.generate()
            self.stdout.write(b64encode(made.private_bytes_raw()).decode())
            return
        try:
            public = signing_key().public_key()
        except Refused as refused:
            raise CommandError(str(refused.message)) from refused
        self.stdout.write(f"public key:  {public_text(public)}\nfingerprint: {fingerprint(public)}")
