"""The rules as they stand, from memory where they were read before: by any process, without a query.

What is kept is kept by schema and stamp, so it never has to be thrown away because something changed,
only because there is too much of it.
"""

from __future__ import annotations

import logging
from functools import partial
from uuid import UUID

from django.db import transaction

from linli.kept import Kept
from linli.tenancy.context import current_schema
from tenants.communities.selectors import community_to_act_on
from tenants.operating_model.rulebook import Rulebook
from tenants.operating_model.stamps import is_deciding, stamp, stamp_anew

logger = logging.getLogger(__name__)

_TRIES = 5

# Room in characters of JSON; in memory a rulebook takes 3 to 8 bytes for each, with its rows.
_books: Kept[tuple[str, str], Rulebook] = Kept(1_000, 5_000_000, Rulebook.weight)
# Communities are never deleted, but a sandbox's go with its rules.
_communities: Kept[tuple[str, str, UUID], bool] = Kept(50_000, 50_000, lambda _here: 1)


def rulebook() -> Rulebook:
    """As it stands; not to be changed. Of who is deciding, as they have it so far."""
    return Rulebook.load() if is_deciding() else rulebook_at(stamp())


def rulebook_at(told: str) -> Rulebook:
    """The one of a stamp that was just read, or of a later one."""
    if is_deciding():
        return Rulebook.load()
    schema, told_first = current_schema(), told
    for _try in range(_TRIES):
        if (known := _books.get((schema, told))) is not None:
            return known
        book = Rulebook.load()
        if book.stamp == told:
            return _books.keep((schema, told), book)
        told = stamp_anew()  # it was changed since, or between the two queries
    logger.error("the rules of %s do not have the stamp %s", schema, told_first)
    return book


def require_community(community_id: UUID) -> None:
    """Raises `NotFound` for one that is not of here. Asks once for those that are."""
    if is_deciding():
        community_to_act_on(community_id)
        return
    key = current_schema(), stamp(), community_id
    if _communities.get(key) is None:
        community_to_act_on(community_id)
        # Only what is there for good: this transaction may yet be rolled back.
        transaction.on_commit(partial(_communities.keep, key, True))
