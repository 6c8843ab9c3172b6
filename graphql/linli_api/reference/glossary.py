"""The words of docs/glossary.md, and descriptions in which they lead there."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from linli.embedded import checkout

PAGE = (checkout() or Path.cwd()) / "docs/glossary.md"
_ROW = re.compile(r"^\| (?P<chinese>[^|]+?) \| (?P<code>[^|]+?) \| (?P<meaning>[^|]+?) \|$", re.M)
# Of one backtick as in GraphQL and Markdown, or of two as in a docstring of Python.
_CODE = re.compile(r"(``?[^`]+``?)")
_HAN = re.compile(r"[一-鿿]")


@dataclass(frozen=True)
class Term:
    chinese: str
    code: str
    meaning: str

    @property
    def words(self) -> list[str]:
        """街道办事处、镇 are two."""
        return self.chinese.split("、")

    @property
    def anchor(self) -> str:
        return f"term-{self.words[0]}"

    @property
    def english(self) -> str:
        """The word that stands first beside it; empty where only a name of the code does."""
        first = re.split("[,:]", self.code)[0]
        return "" if "`" in first else first

    @property
    def types(self) -> list[str]:
        """Names of types of the API: `PartnerKind`."""
        return re.findall(r"`([A-Z]\w+)`", self.code)


@cache
def terms() -> list[Term]:
    if not PAGE.exists():  # an installed package without the pages
        return []
    rows = (Term(**row.groupdict()) for row in _ROW.finditer(PAGE.read_text()))
    return [term for term in rows if _HAN.search(term.chinese) or term.chinese == "1+3+N"]


def of_type(name: str) -> list[Term]:
    """What a type of the API is called in Chinese."""
    return [term for term in terms() if name in term.types]


def coded(text: str) -> SafeString:
    """The text as HTML, code set as code."""
    html = _CODE.sub(lambda found: f"<code>{found[0].strip('`')}</code>", escape(text))
    return mark_safe(html)  # escaped here


def described(text: str) -> SafeString:
    """The text as HTML, code set as code, and each term of the glossary a link to it, in Chinese or in
    English, where it is said first."""
    said: set[str] = set()

    def link(found: re.Match[str]) -> str:
        term = _term(found[0])
        if term.anchor in said:
            return found[0]
        said.add(term.anchor)
        lang = mark_safe(' lang="zh-Hans"') if _HAN.match(found[0]) else ""
        return format_html(
            '<a class="term" href="#{}" title="{}"{}>{}</a>',
            term.anchor,
            term.chinese,
            lang,
            found[0],
        )

    # Every other part is code. What is escaped holds no word of the glossary but its own.
    parts = _CODE.split(text)
    html = (
        coded(part) if index % 2 else _words().sub(link, escape(part))
        for index, part in enumerate(parts)
    )
    return mark_safe("".join(html))


@cache
def _words() -> re.Pattern[str]:
    """The longest first: city supervisor is no city."""
    words = sorted(_by_word(), key=len, reverse=True)
    patterns = (word if _HAN.match(word) else rf"\b{_plural(word)}\b" for word in words)
    # Of nothing there is no match, where an empty choice would match everywhere.
    return re.compile("|".join(patterns) or r"(?!)", re.IGNORECASE)


def _plural(word: str) -> str:
    return rf"{word[:-1]}(?:y|ies)" if word.endswith("y") else rf"{re.escape(word)}s?"


@cache
def _by_word() -> dict[str, Term]:
    chinese = {word: term for term in terms() for word in term.words if _HAN.match(word)}
    return chinese | {term.english: term for term in terms() if term.english}


def _term(found: str) -> Term:
    if found in _by_word():
        return _by_word()[found]
    word = found.lower()
    singular = (word, word.removesuffix("s"), word.removesuffix("ies") + "y")
    return next(_by_word()[one] for one in singular if one in _by_word())
