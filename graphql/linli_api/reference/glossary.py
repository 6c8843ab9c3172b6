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
_CODE = re.compile(r"`([^`]+)`")
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


@cache
def terms() -> list[Term]:
    if not PAGE.exists():  # an installed package without the pages
        return []
    rows = (Term(**row.groupdict()) for row in _ROW.finditer(PAGE.read_text()))
    return [term for term in rows if _HAN.search(term.chinese) or term.chinese == "1+3+N"]


def described(text: str) -> SafeString:
    """The text as HTML, code set as code and each word of the glossary a link to it."""
    html = _CODE.sub(r"<code>\1</code>", escape(text))
    pattern, anchors = _words()
    if not anchors:
        return mark_safe(html)
    return mark_safe(  # escaped above; the words are the glossary's own
        pattern.sub(
            lambda found: format_html(
                '<a href="#term-{}" lang="zh-Hans">{}</a>', anchors[found[0]], found[0]
            ),
            html,
        )
    )


@cache
def _words() -> tuple[re.Pattern[str], dict[str, str]]:
    anchors = {
        word: term.words[0] for term in terms() for word in term.words if _HAN.fullmatch(word[:1])
    }
    longest_first = sorted(anchors, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))), anchors
