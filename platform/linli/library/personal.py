"""Texts that people type and that go to other units: whether personal data stand in them (M4).

Found is what has a form: a mobile number of the mainland, with or without +86 or 0 before it; an ID
card number of 18 digits with a possible day of birth; each in one piece or with gaps; an e-mail
address; in full or half width. Not found is what has none: names, addresses, a landline, the old ID
card number of 15 digits, a number written in words. So this is a net under whoever publishes, no proof,
and no leave to publish without reading. `docs/library.md` says exactly what is found.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library import paths

# Groups of digits, and what may stand between two of one number: never a comma, as in 13,800,138,000,
# nor the end of a line.
_GROUP = re.compile(r"[0-9]+[Xx]?|[Xx](?![A-Za-z])")
_GAP = re.compile(r"[ \t\u3000._·•‧∙⋅・()\-‐‑‒–—―−─━﹣]{0,4}")
_MOST_GROUPS = 6
_ID_CARD = re.compile(
    r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]"
)
_MOBILE = re.compile(r"((?:00)?86|0)?1[3-9][0-9]{9}")
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_SAID = {
    "id_card": _("an ID card number"),
    "mobile": _("a mobile number"),
    "email": _("an e-mail address"),
}


def looks_like(text: str) -> str | None:
    """What in a text has a form: id_card, mobile or email, in this order; None: nothing."""
    plain = _plain(text)
    found = {form for run in _runs(plain) for form in _forms_in(run)}
    if _EMAIL.search(plain):
        found.add("email")
    return next((what for what in _SAID if what in found), None)


def check_texts(texts: Mapping[str, str]) -> None:
    """Refused: PERSONAL_DATA, one for each text, by its field, in which something has such a form."""
    faults = []
    for field, text in texts.items():
        if (what := looks_like(text)) is not None:
            message = _(
                "Here stands what looks like {what}. Nothing personal goes to other units: "
                "take it out, or write it so that it is nobody's."
            )
            told = format_lazy(message, what=_SAID[what])
            faults.append(Refused("PERSONAL_DATA", told, field=field, what=what))
    if len(faults) == 1:
        raise faults[0]
    if faults:
        message = _("In several texts stands what looks like personal data. Take it out.")
        raise Refused("PERSONAL_DATA", message, causes=faults)


def texts_of(document: Any) -> dict[str, str]:
    """Every text in a document, by its path."""
    return dict(_texts(document, ()))


def texts_of_bounds(bounds: Mapping[str, Any]) -> dict[str, str]:
    """Every text that a bound allows, by where it stands in the bounds."""
    return {
        f"bounds.{path}.{at}": text
        for path, bound in bounds.items()
        for at, text in texts_of(bound).items()
    }


def _runs(text: str) -> Iterator[list[str]]:
    """Groups of digits that follow one another with no more than a gap between them."""
    run: list[str] = []
    end = 0
    for found in _GROUP.finditer(text):
        if run and _GAP.fullmatch(text, end, found.start()) is None:
            yield run
            run = []
        run.append(found[0])
        end = found.end()
    if run:
        yield run


def _forms_in(run: list[str]) -> Iterator[str]:
    """Of each of the groups in a row whether they make up a number."""
    for first in range(len(run)):
        number = ""
        for last, group in enumerate(run[first:], 1):
            number += group
            if len(number) > 18 or last > _MOST_GROUPS:
                break
            if _ID_CARD.fullmatch(number):
                yield "id_card"
            mobile = _MOBILE.fullmatch(number.rstrip("Xx"))
            if mobile and _begins_as_a_mobile(run[first:], len(mobile[1] or "")):
                yield "mobile"


def _begins_as_a_mobile(groups: list[str], before: int) -> bool:
    """Whether its first three digits stand together, ``before`` being those of 86 or 0: 13 800 138 000
    is an amount."""
    for group in groups:
        if len(group) > before:
            return len(group) - before >= 3
        before -= len(group)
    return False


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
