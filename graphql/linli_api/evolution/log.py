"""The change log of the API, docs/changelog-api.md, and the SDL it was last written for.

The newest section tells how the code differs from the last release. It is written with the SDL
(`make sdl`), and becomes a dated one when a release is frozen (`make api-release`).
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from linli.embedded import checkout
from linli_api.evolution.compare import Changes, Element, compare
from linli_api.sdl import SIDES, rendered

RELEASED = Path(__file__).parents[1] / "released"
LOG = (checkout() or Path.cwd()) / "docs/changelog-api.md"

HEAD = """# Change log of the API

What a client can see of each release, newest first. `make sdl` writes the section of what is not
released yet, `make api-release` dates it; `make check` fails where it does not tell of a change.

Nothing is removed without notice: a field, argument, input or enum value is deprecated first, with
the day it was announced and the day after which it may go, at least six months later. Additions
may come with any release, so a client takes no harm from enum values and fields it does not know.
"""
UNRELEASED = "## Not released yet\n"
FIRST = "The first release: everything in `graphql/linli_api/released/`.\n"
HOSTS = {"tenant": "At a tenant's host", "platform": "At the platform's host"}


class AlreadyReleased(Exception):
    """There is a section of this day; a day has one release at most."""


def changes(*, today: date) -> dict[str, Changes]:
    """By side, from the last release to the code as it is."""
    now = rendered()
    return {
        side: compare(released(side).read_text(), now[side], today=today)
        for side in SIDES
        if released(side).exists()
    }


def released(side: str) -> Path:
    return RELEASED / f"{side}.graphql"


def current(*, today: date) -> str:
    """The log as it should be now."""
    return "\n".join([HEAD, UNRELEASED, _told(changes(today=today)), *_past()])


def freeze(*, today: date) -> None:
    """Make the code's schema the released one, and date what is told of it."""
    heading, past = f"## {today}\n", _past()
    if any(section.startswith(heading) for section in past):
        raise AlreadyReleased
    _write(HEAD, UNRELEASED, _told({}), heading, _told(changes(today=today)), *past)


def start(*, today: date) -> None:
    """Begin the log: the code's schema is the first release."""
    _write(HEAD, UNRELEASED, _told({}), f"## {today}\n", FIRST)


def _write(*parts: str) -> None:
    RELEASED.mkdir(exist_ok=True)
    for side, sdl in rendered().items():
        released(side).write_text(sdl)
    LOG.write_text("\n".join(parts))


def _past() -> list[str]:
    """The dated sections, each with its heading."""
    sections = LOG.read_text().split("\n## ")[1:] if LOG.exists() else []
    dated = [section.rstrip("\n") + "\n" for section in sections if section[:1].isdigit()]
    return [f"## {section}" for section in dated]


def _told(changes: dict[str, Changes]) -> str:
    parts = [
        f"### {HOSTS[side]}\n\n{told}" for side, one in changes.items() if (told := _lines(one))
    ]
    return "\n".join(parts) or "Nothing.\n"


def _lines(changes: Changes) -> str:
    return "\n".join(
        [
            *_list("Removed", (f"`{e.coordinate}`" for e in changes.removed)),
            *_list(
                "Deprecated", (f"`{e.coordinate}`: {e.deprecation}" for e in changes.deprecated)
            ),
            *_list("May surprise", changes.dangerous),
            *_list("Added", map(_described, changes.added)),
        ]
    )


def _list(title: str, lines: Iterable[str]) -> list[str]:
    items = [f"- {line}\n" for line in lines]
    return [f"{title}:\n\n{''.join(items)}"] if items else []


def _described(element: Element) -> str:
    type_ = f" {element.type}" if element.type else ""
    sentence = " ".join(element.description.split())
    return f"`{element.coordinate}`{type_}" + (f": {sentence}" if sentence else "")
