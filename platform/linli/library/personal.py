"""Texts that people type and that go to other units: whether personal data stand in them (M4).

Found is what has a form: a mobile number of the mainland, with or without +86 and gaps; an ID card
number of 18 digits with a possible day of birth; an e-mail address; in full or half width. Not found is
what has none: names, addresses, a landline, a number written in words or taken apart. So this is a net
under whoever publishes, and no leave to publish without reading.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library import paths

_GAP = r"[-.\s]?"
_FORMS = (
    (
        "id_card",
        _("an ID card number"),
        re.compile(
            r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)"
        ),
    ),
    (
        "mobile",
        _("a mobile number"),
        re.compile(rf"(?<!\d)(?:(?:\+|00)?86{_GAP})?1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}}(?!\d)"),
    ),
    ("email", _("an e-mail address"), re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")),
)


def check_texts(texts: Mapping[str, str]) -> None:
    """Refused: PERSONAL_DATA, one for each text, by its field, in which something has such a form."""
    faults = []
    for field, text in texts.items():
        for what, said, form in _FORMS:
            if form.search(_plain(text)):
                message = _(
                    "Here stands what looks like {what}. Nothing personal goes to other units: "
                    "take it out, or write it so that it is nobody's."
                )
                told = format_lazy(message, what=said)
                faults.append(Refused("PERSONAL_DATA", told, field=field, what=what))
                break
    if len(faults) == 1:
        raise faults[0]
    if faults:
        message = _("In several texts stands what looks like personal data. Take it out.")
        raise Refused("PERSONAL_DATA", message, causes=faults)


def texts_of(document: Any) -> dict[str, str]:
    """Every text in a document, by its path."""
    return dict(_texts(document, ()))


def _texts(value: Any, at: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield paths.join(at), value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _texts(one, (*at, str(name)))
    elif isinstance(value, list):
        keys = paths.keys(value)
        for position, one in enumerate(value):
            yield from _texts(one, (*at, f"[{keys[position]}]" if keys else position))


def _plain(text: str) -> str:
    """Without what nobody sees, such as U+200B between two digits."""
    spelled = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in spelled if unicodedata.category(sign) != "Cf")
