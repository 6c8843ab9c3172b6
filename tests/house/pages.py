"""The project's own pages, as what can be checked of them: blocks, links, names in code type."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.support.databases import ROOT

_FENCE = re.compile(r"^```(\w*).*\n((?:.*\n)*?)^```$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
# An example's first line says who asks, and where.
_ASKED = re.compile(r"# (\w+) at http://(?:([\w-]+)\.)?linli\.localhost:8000/graphql\n")


@dataclass(frozen=True)
class Block:
    """A fenced block, with the line its text starts on."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Page:
    path: Path

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def prose(self) -> str:
        """Without the fenced blocks."""
        return _FENCE.sub("", self.text)

    def blocks(self, *languages: str) -> Iterator[Block]:
        for found in _FENCE.finditer(self.text):
            if not languages or found[1] in languages:
                yield Block(found[1], found[2], self.text.count("\n", 0, found.start(2)) + 1)

    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    def in_code_type(self) -> list[str]:
        return _CODE.findall(self.prose)

    def anchors(self) -> set[str]:
        """Its headings, as a link names them."""
        plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(self.prose))
        return {title.strip().replace(" ", "-") for title in plain}


@dataclass(frozen=True)
class Example:
    """A document, who sends it to which host (None: the platform's), and what is answered."""

    line: int
    who: str
    at: str | None
    document: str
    variables: dict[str, Any]
    answer: dict[str, Any]


def pages() -> list[Page]:
    """Every page of the project, the shelves' own included."""
    shelves = [ROOT / "platform/README.md", ROOT / "graphql/README.md"]
    return [
        Page(path) for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *shelves)
    ]


def examples(page: Page) -> list[Example]:
    """Each GraphQL block with the JSON that follows it: its answer, or its variables and its answer."""
    found = []
    blocks = [*page.blocks("graphql", "json"), Block("graphql", "", 0)]
    starts = [i for i, block in enumerate(blocks) if block.language == "graphql"]
    for start, following in pairwise(starts):
        asked, told = blocks[start], blocks[start + 1 : following]
        who = _ASKED.match(asked.text)
        assert who, f"{page}:{asked.line} does not say who asks where"
        assert 1 <= len(told) <= 2, f"{page}:{asked.line} is followed by {len(told)} blocks of JSON"
        *variables, answer = (json.loads(block.text) for block in told)
        found.append(Example(asked.line, who[1], who[2], asked.text, *(variables or [{}]), answer))
    return found
