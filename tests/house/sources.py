"""The project's own files, found without git: a clean machine need not have it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

from tests.support.databases import ROOT

# The product's packages, by the folder each stands in.
PACKAGES = {
    "linli": "platform/linli",
    "linli_api": "graphql/linli_api",
    "tenants": "tenants",
    "onboarding": "onboarding",
}


@dataclass(frozen=True)
class Source:
    """A file: its path from the root of the checkout, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def app(self) -> str:
        """The app a product's file belongs to: ``tenants.fund``, ``linli.registry``, ``linli_api``."""
        for package, folder in PACKAGES.items():
            if self.path.startswith(f"{folder}/"):
                inside = self.path.removeprefix(f"{folder}/").split("/")
                if package in ("linli", "tenants") and len(inside) > 1:
                    return f"{package}.{inside[0]}"
                return package
        return self.path.partition("/")[0]


def files() -> Iterator[Path]:
    """Every file of the checkout that .gitignore does not name."""
    ignored = [".git", *(line.strip("/") for line in _lines(ROOT / ".gitignore"))]

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if not any(fnmatch(path.name, pattern) for pattern in ignored):
                if path.is_dir():
                    yield from walk(path)
                elif path.is_file():
                    yield path

    return walk(ROOT)


def texts() -> Iterator[Source]:
    """Every file that is text."""
    for path in files():
        try:
            yield Source(path.relative_to(ROOT).as_posix(), path.read_text())
        except UnicodeDecodeError:
            continue


def python(*, tests: bool = False) -> Iterator[Source]:
    """The product's modules without their migrations; with ``tests``, the tests' as well."""
    folders = [*PACKAGES.values(), *(["tests"] if tests else [])]
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" not in name:
                yield Source(name, path.read_text())


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
