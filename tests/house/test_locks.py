"""The lock files hold every package to its hash, and name no place to get it from."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.databases import ROOT

LOCKS = ["requirements", "requirements-dev", "requirements-clients"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_its_hashes(name: str) -> None:
    entries = _entries(name)

    assert entries
    assert [
        entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)
    ] == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_index_is_named(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text()

    assert re.findall(r"(?m)^.*(?:://|^\s*-i\b|--(?:extra-)?index|--find-links).*$", text) == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_wish_is_in_the_lock(name: str) -> None:
    """`make lock` was run after the last change of the .in file."""
    locked = {}
    for entry in _entries(name):
        pinned = Requirement(entry.split(" --hash")[0])
        locked[canonicalize_name(pinned.name)] = pinned

    for wish in _wishes(name):
        pinned = locked.get(canonicalize_name(wish.name))
        assert pinned, f"{wish} is not in {name}.txt: run make lock"
        (pin,) = pinned.specifier
        assert pin.operator == "=="
        assert wish.specifier.contains(pin.version, prereleases=True), f"{pinned} is not {wish}"


def test_both_locks_agree() -> None:
    runtime, development = (dict(_pin(entry) for entry in _entries(name)) for name in LOCKS[:2])

    assert {name: development.get(name) for name in runtime} == runtime


def _entries(name: str) -> list[str]:
    """One line a package, its hashes with it."""
    text = (ROOT / f"{name}.txt").read_text().replace("\\\n", "")
    return [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]


def _pin(entry: str) -> tuple[str, str]:
    package, _, rest = entry.partition("==")
    return package, rest


def _wishes(name: str) -> list[Requirement]:
    wishes = []
    for line in (ROOT / f"{name}.in").read_text().splitlines():
        if line.startswith("-r "):
            wishes += _wishes(line.removeprefix("-r ").removesuffix(".in"))
        elif line and not line.startswith("#"):
            wishes.append(Requirement(line))
    return wishes
