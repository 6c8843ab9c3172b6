"""The change log of the API, docs/changelog-api.md, and the promises it was last written for.

The newest section tells how the code differs from the last release. It is written with the SDL
(`make sdl`), and becomes a dated one when a release is frozen (`make api-release`).
"""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from linli.embedded import checkout
from linli_api.evolution.compare import Changes, Element, Promise, compare
from linli_api.evolution.needs import ANNOUNCED, Need, needs
from linli_api.sdl import SIDES, rendered

RELEASED = Path(__file__).parents[1] / "released"
LOG = (checkout() or Path.cwd()) / "docs/changelog-api.md"

HEAD = """# Change log of the API

What a client can see of each release, newest first. `make sdl` writes the section of what is not
released yet, `make api-release` dates it; `make check` fails where it does not tell of a change.

Nothing is removed without notice: a field, argument, input or enum value, an event, a key of its
data or a value that it holds, a code of an error or a header is deprecated first, with the day it was
announced and the day after which it may go, at least six months after the release that says so. What
is going to need another permission is announced as long before. Additions may come with any release,
so a client takes no harm from enum values, fields, keys, codes and headers it does not know.
"""
UNRELEASED = "## Not released yet\n"
FIRST = "The first release: everything in `graphql/linli_api/released/`.\n"
PLACES = {
    "tenant": "At a tenant's host",
    "platform": "At the platform's host",
    "events": "In the events of webhooks (`graphql/linli_api/events.graphql`)",
    "http": "In codes of errors and in headers (`graphql/linli_api/http.graphql`)",
}


class AlreadyReleased(Exception):
    """There is a section of this day; a day has one release at most."""


def changes(*, today: date) -> dict[str, Changes]:
    """By side, from the last release to the code as it is."""
    now = promised()
    return {
        side: compare(_released(side), now[side], today=today)
        for side in SIDES
        if side not in missing()
    }


def missing() -> list[str]:
    """Sides that nothing was released of: there is nothing to hold them to."""
    return [s for s in SIDES if not (released(s).exists() and released_needs(s).exists())]


def released(side: str) -> Path:
    return RELEASED / f"{side}.graphql"


def released_needs(side: str) -> Path:
    return RELEASED / f"{side}.needs.json"


def _released(side: str) -> Promise:
    kept = json.loads(released_needs(side).read_text())
    known = {coordinate: Need.read(written) for coordinate, written in kept["needs"].items()}
    return Promise(released(side).read_text(), known, kept["announced"])


def promised() -> dict[str, Promise]:
    """By side, what the code promises."""
    return {side: Promise(sdl, needs(side), ANNOUNCED[side]) for side, sdl in rendered().items()}


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
    for side, promise in promised().items():
        released(side).write_text(promise.sdl)
        kept = {
            "needs": {coordinate: need.written for coordinate, need in promise.needs.items()},
            "announced": promise.announced,
        }
        released_needs(side).write_text(json.dumps(kept, ensure_ascii=False, indent=2) + "\n")
    LOG.write_text("\n".join(parts))


def _past() -> list[str]:
    """The dated sections, each with its heading."""
    sections = LOG.read_text().split("\n## ")[1:] if LOG.exists() else []
    dated = [section.rstrip("\n") + "\n" for section in sections if section[:1].isdigit()]
    return [f"## {section}" for section in dated]


def _told(changes: dict[str, Changes]) -> str:
    parts = [
        f"### {PLACES[side]}\n\n{told}" for side, one in changes.items() if (told := _lines(one))
    ]
    return "\n".join(parts) or "Nothing.\n"


def _lines(changes: Changes) -> str:
    return "\n".join(
        [
            *_list("Removed", (f"`{e.coordinate}`" for e in changes.removed)),
            *_list(
                "Changed",
                (f"`{is_.coordinate}` {is_.type}, was {was.type}" for was, is_ in changes.changed),
            ),
            *_list(
                "Needs", (f"`{one}` needs {is_}; it was {was}" for one, was, is_ in changes.needs)
            ),
            *_list(
                "Deprecated", (f"`{e.coordinate}`: {e.deprecation}" for e in changes.deprecated)
            ),
            *_list("Deprecated no more", (f"`{e.coordinate}`" for e in changes.undone)),
            *_list("Will need more", (f"`{one}`: {why}" for one, why in changes.announced)),
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
