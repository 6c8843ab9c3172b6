"""Whatever the product says, it says in Chinese too: one catalogue, whole and without leftovers."""

import re
from collections import Counter

import pytest
from babel.messages.catalog import Catalog, Message

from tests.house.messages import CATALOGUE, allauths, catalogue, singular, updated, wanted

PLACEHOLDER = re.compile(r"%(?:\((?P<named>\w+)\))?[sd]|%%|\{(?P<braced>\w*)[^{}]*\}")


@pytest.fixture(scope="module")
def code() -> Catalog:
    return wanted()


@pytest.fixture(scope="module")
def translated() -> Catalog:
    return catalogue()


def test_every_text_is_translated(code: Catalog, translated: Catalog) -> None:
    done = {_key(message) for message in translated if _complete(message)}
    missing = [
        f"{message.locations[0][0]}: {message.id}"
        for message in code
        if message.id and _key(message) not in done
    ]
    assert not missing, "\n".join(["make messages, then translate:", *missing])


def test_nothing_is_translated_that_is_not_said(code: Catalog, translated: Catalog) -> None:
    said = _ids(code)
    left = {singular(message) for message in translated if message.id and _key(message) not in said}
    assert sorted(left - allauths()) == []
    assert list(translated.obsolete) == []


def test_no_entry_stands_twice() -> None:
    entries = re.split(r"\n\n+", CATALOGUE.read_text())
    keys = Counter(
        re.sub(r"(?m)^#.*\n?", "", entry).partition("\nmsgstr")[0].replace('"\n"', "")
        for entry in entries
    )
    assert [key for key, times in keys.items() if times > 1 and key.strip()] == []


def test_no_translation_is_a_guess(translated: Catalog) -> None:
    """A fuzzy entry is left out when the catalogue is compiled."""
    assert [message.id for message in translated if message.id and message.fuzzy] == []


def test_both_sides_hold_the_same_placeholders(translated: Catalog) -> None:
    assert [message.id for message in translated if message.id and not _same_places(message)] == []


@pytest.mark.parametrize(
    ("english", "chinese", "same"),
    [
        ("%(name)s owes %(fen)s", "%(fen)s 由 %(name)s 承担", True),
        ("from {first} to {last:.2f}", "{first} 至 {last}", True),
        ("%(name)s owes", "%(nane)s 承担", False),
        ("{a}", "{b}", False),
        ("%s", "无", False),
        (("%(n)s day", "%(n)s days"), ("%(n)s 天",), True),
    ],
)
def test_a_placeholder_that_differs_is_seen(english, chinese, same: bool) -> None:
    assert _same_places(Message(english, chinese)) is same


def test_an_update_keeps_translations_adds_and_drops() -> None:
    known, code = Catalog(), Catalog()
    known.add("kept", "留下")
    known.add("gone", "不再")
    known.add("borrowed", "借用")
    code.add("kept", locations=[("a.py", 0)])
    code.add("new", locations=[("b.py", 0)])

    text = updated(known, code, {"borrowed", "not used"}).decode()

    assert 'msgid "kept"\nmsgstr "留下"' in text
    assert 'msgid "new"\nmsgstr ""' in text
    assert 'msgid "borrowed"\nmsgstr "借用"' in text
    assert "gone" not in text
    assert "not used" not in text


def _ids(catalog: Catalog) -> set[tuple[str, str | None]]:
    return {_key(message) for message in catalog if message.id}


def _key(message: Message) -> tuple[str, str | None]:
    return singular(message), message.context


def _complete(message: Message) -> bool:
    strings = message.string if isinstance(message.string, tuple | list) else [message.string]
    return all(strings)


def _same_places(message: Message) -> bool:
    """Of a plural, the second form counts: the first may leave the number out."""
    ids = message.id if isinstance(message.id, tuple | list) else [message.id]
    strings = message.string if isinstance(message.string, tuple | list) else [message.string]
    return all(_places(ids[-1]) == _places(string) for string in strings)


def _places(text: str) -> Counter[str]:
    return Counter(
        found["named"] or found["braced"] or "" if found[0] != "%%" else "%%"
        for found in PLACEHOLDER.finditer(text)
    )
