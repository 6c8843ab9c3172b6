"""Runnable examples: a document, and beside it who asks, with what, and what is answered.

``examples/<side>/<number>-<name>.graphql`` begins with a sentence, its title, which is translated; the ``.json`` of the same name
holds ``as``, ``variables`` and ``answer``, and ``again`` where it is asked until it is answered so. A
text that ends with … was cut there. They are run against the demo in the order of their
numbers (tests/demo/test_examples.py), and the generated clients are made of them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext

FOLDER = Path(__file__).parents[1] / "examples"


@dataclass(frozen=True)
class Example:
    """who: the demo's log-in that asks. about: the document's first line. again: what it shows comes
    a moment later, so it is asked again until then."""

    name: str
    who: str
    about: str
    document: str
    variables: dict[str, Any]
    answer: dict[str, Any]
    again: bool = False

    @property
    def title(self) -> str:
        """In the reader's language."""
        return gettext(self.about)

    @property
    def variables_text(self) -> str:
        return _pretty(self.variables) if self.variables else ""

    @property
    def answer_text(self) -> str:
        return _pretty(self.answer)

    def with_ids(self, here: Callable[[str], str]) -> "Example":
        """The same to be run elsewhere. here: an id of there for each text of the variables. A cursor
        is good where it was given only; without one a list begins at its first row."""
        variables = {
            name: None if name == "after" else _each(value, here)
            for name, value in self.variables.items()
        }
        return replace(self, variables=variables)

    @property
    def in_graphiql(self) -> str:
        """The part of GraphiQL's address behind the #."""
        given = {"variables": self.variables_text} if self.variables else {}
        return urlencode({"query": self.document, **given})


@cache
def examples(side: str) -> list[Example]:
    return [_read(path) for path in sorted((FOLDER / side).glob("*.graphql"))]


def _read(path: Path) -> Example:
    told = json.loads(path.with_suffix(".json").read_text())
    about, _newline, document = path.read_text().partition("\n")
    return Example(
        name=path.stem.partition("-")[2],
        who=told["as"],
        about=about.removeprefix("# "),
        document=document,
        variables=told.get("variables", {}),
        answer=told["answer"],
        again=told.get("again", False),
    )


def _each(value: Any, here: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _each(inner, here) for key, inner in value.items()}
    if isinstance(value, list):
        return [_each(inner, here) for inner in value]
    return here(value) if isinstance(value, str) else value


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
