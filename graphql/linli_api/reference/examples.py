"""Runnable examples: a document, and beside it who asks, with what, and what is answered.

``examples/<side>/<number>-<name>.graphql`` begins with a sentence, its title, which is translated; the ``.json`` of the same name
holds ``as``, ``variables`` and ``answer``. They are run against the demo in the order of their
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
    """who: the demo's log-in that asks. about: the document's first line."""

    name: str
    who: str
    about: str
    document: str
    variables: dict[str, Any]
    answer: dict[str, Any]

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
        """The same to be run elsewhere. here: an id of there for each text of the variables."""
        return replace(self, variables=_each(self.variables, here))

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
    )


def _each(value: Any, here: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _each(inner, here) for key, inner in value.items()}
    if isinstance(value, list):
        return [_each(inner, here) for inner in value]
    return here(value) if isinstance(value, str) else value


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
