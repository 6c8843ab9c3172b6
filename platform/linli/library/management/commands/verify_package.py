"""`manage.py verify_package FILE --key KEY`: whether a package is what was signed. Asks no database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from linli.errors import Refused
from linli.library.document import digest
from linli.library.packages.reading import open_package
from linli.library.signing import fingerprint, parse_public


class Command(BaseCommand):
    help = "Verifies the signature and the digest of a package."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the package")
        parser.add_argument(
            "--key", required=True, help="the public key of who made it: base64, or a PEM's file"
        )

    def handle(self, *args: Any, file: Path, key: str, **options: Any) -> None:
        try:
            public = parse_public(Path(key).read_text() if Path(key).is_file() else key)
            opened = open_package(file.read_bytes())
            if opened.signature.fingerprint != fingerprint(public):
                raise CommandError(f"signed by another key, {opened.signature.fingerprint}")
            opened.verify(public)
        except (OSError, UnicodeError) as error:
            raise CommandError(str(error)) from error
        except Refused as refused:
            raise CommandError(f"{refused.code}: {refused.message}") from refused
        content = opened.content
        if digest({name: content[name] for name in ("document", "bounds")}) != content["digest"]:
            raise CommandError("the signature holds, and the digest does not: its maker erred")
        author = content["author"]["name"]
        self.stdout.write(
            f"genuine: {content['key']} v{content['number']} of {author}, {content['digest']}"
        )
