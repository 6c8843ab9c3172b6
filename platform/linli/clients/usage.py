"""When a secret or a token was last used, to the minute: coarse, so that reading is not writing."""

import logging
from time import monotonic
from uuid import UUID

from django.db import DatabaseError, connection

from linli.clients.admission import Admitted

logger = logging.getLogger(__name__)

_SECONDS = 60
_MOST = 10_000
_noted: dict[UUID, int] = {}


def is_due(admitted: Admitted) -> bool:
    """Whether this process has not noted it for a minute."""
    return int(monotonic()) - _noted.get(admitted.key, -_SECONDS) >= _SECONDS


def note(admitted: Admitted) -> None:
    """Keep the time of use; called when the answer is made and not yet sent.

    So nothing fails by it, and nobody waits: a row that somebody else has locked is passed by. A
    process tries once a minute for each key, and of several processes one writes.
    """
    if not is_due(admitted):
        return
    if len(_noted) >= _MOST:
        _noted.clear()
    _noted[admitted.key] = int(monotonic())
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""UPDATE public.{admitted.table} SET last_used_at = statement_timestamp()
                    WHERE id = (
                        SELECT id FROM public.{admitted.table}
                        WHERE id = %s AND (last_used_at IS NULL OR
                            last_used_at < statement_timestamp() - interval '{_SECONDS} seconds')
                        FOR NO KEY UPDATE SKIP LOCKED
                    )""",
                [admitted.key],
            )
    except DatabaseError:
        logger.warning("the last use of %s was not kept", admitted.key, exc_info=True)
