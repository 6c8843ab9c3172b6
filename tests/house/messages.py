"""The texts people read, taken from the code, and the one catalogue that translates them.

`python -m tests.house.messages` (make messages) brings the catalogue up to date: what is new is
added with an empty translation, what is gone is dropped. Django's own makemessages does the same
by the gettext tools, which a clean machine does not have.

The catalogue also holds what allauth and Django's auth say and do not translate themselves.
"""

import re
import sys
from collections.abc import Container, Iterator
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from tests.house.sources import PACKAGES, Source, python
from tests.support.databases import ROOT

CATALOGUE = ROOT / "platform/linli/locale/zh_Hans/LC_MESSAGES/django.po"
EXAMPLES = ROOT / "graphql/linli_api/examples"
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}

Text = tuple[str, Any, str | None]  # file, msgid (a tuple with a plural), context


def texts_in_code() -> Iterator[Text]:
    for source in python():
        yield from _texts(source)
    for folder in PACKAGES.values():
        for path in (*(ROOT / folder).rglob("*.html"), *(ROOT / folder).rglob("*.txt")):
            if "templates" in path.parts:
                yield from _texts(Source(path.relative_to(ROOT).as_posix(), path.read_text()))
    for path in sorted(EXAMPLES.glob("*/*.graphql")):
        title = path.read_text().partition("\n")[0].removeprefix("# ")
        yield path.relative_to(ROOT).as_posix(), title, None


def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh_Hans", domain="django", abort_invalid=True)


def wanted() -> Catalog:
    """A catalogue of what the code says, without translations."""
    catalog = Catalog(domain="django", fuzzy=False)
    for path, msgid, context in texts_in_code():
        catalog.add(msgid, locations=[(path, 0)], context=context)
    return catalog


def allauths() -> set[str]:
    """What allauth, and Django about passwords, say; the catalogues they ship lack some of it."""
    catalog = Catalog()
    allauth, auth = Path(str(files("allauth"))), Path(str(files("django.contrib.auth")))
    for folder in (allauth / "account", allauth / "mfa", allauth / "templates", auth):
        for path in (p for kind in ("py", "html", "txt") for p in folder.rglob(f"*.{kind}")):
            for _, msgid, context in _texts(Source(str(path), path.read_text())):
                catalog.add(msgid, context=context)
    return {singular(message) for message in catalog if message.id}


def updated(known: Catalog, code: Catalog, borrowed: Container[str] = ()) -> bytes:
    """What ``code`` says and ``known`` says of ``borrowed``, as ``known`` translates it: a .po file."""
    result = Catalog(domain="django", fuzzy=False)
    for message in code:
        if message.id:
            before = known.get(message.id, message.context)
            text = before.string if before else message.string
            result.add(message.id, text, message.locations, context=message.context)
    for message in known:
        if message.id and message.id in borrowed and not code.get(message.id, message.context):
            result.add(message.id, message.string, [("allauth", 0)], context=message.context)
    out = BytesIO()
    write_po(out, result, width=100, omit_header=True, include_lineno=False, sort_by_file=True)
    return HEADER.encode() + out.getvalue()


def singular(message: Message) -> str:
    return message.id[0] if isinstance(message.id, tuple | list) else message.id


HEADER = """\
msgid ""
msgstr ""
"Project-Id-Version: linli\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Language: zh_Hans\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""


def _texts(source: Source) -> Iterator[Text]:
    code = source.text
    if not source.path.endswith(".py"):
        # Python calls among letters; Babel's reader minds how far a line of letters is set in.
        code = re.sub(r"(?m)^\s+", "", templatize(code))
    for _line, msgid, _comments, context in extract("python", BytesIO(code.encode()), KEYWORDS):
        yield source.path, msgid, context


def main() -> None:
    known = catalogue()
    CATALOGUE.write_bytes(updated(known, wanted(), allauths()))
    missing = [message.id for message in catalogue() if message.id and not message.string]
    sys.stdout.write("".join(f"not translated yet: {msgid}\n" for msgid in missing))


if __name__ == "__main__":
    main()
