"""Finding published versions by words: any part of their texts, Chinese of two characters too.

A trigram index, which serves the national list, knows nothing shorter than three characters; most
Chinese words have two. So each row keeps its single characters and pairs of neighbours (`grams`) under
an index of arrays, and its texts in one spelling (`searched`) to be sure.
"""

import unicodedata
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused

LONGEST = 100


def one_spelling(*texts: str) -> str:
    """Full and half width, capitals and spaces told apart no more."""
    return " ".join(unicodedata.normalize("NFKC", " ".join(texts)).casefold().split())


def grams(spelled: str) -> list[str]:
    """Each character and each pair of neighbours, once; none reaches over a space."""
    found = set(spelled) - {" "}
    found.update(a + b for a, b in pairwise(spelled) if " " not in (a, b))
    return sorted(found)


def narrowing(words: str) -> Mapping[str, Any]:
    """The lookups that find the rows in whose texts these words stand as they are written, next to each
    other. Refused: SEARCH_TOO_LONG."""
    spelled = one_spelling(words)
    if len(spelled) > LONGEST:
        message = format_lazy(_("Words to look for have {most} characters at most."), most=LONGEST)
        raise Refused("SEARCH_TOO_LONG", message, field="search")
    if not spelled:
        return {}
    return {"grams__contains": tuple(grams(spelled)), "searched__contains": spelled}
