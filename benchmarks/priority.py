"""A run ahead of what else a busy machine does; for root, and only while it lasts.

Linux shares a busy machine among sessions first. Each of PostgreSQL's processes is a session, all
of gunicorn's are one: whoever works in Python would get less than whoever leaves it to PostgreSQL.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

AHEAD = -15


@contextmanager
def ahead() -> Iterator[None]:
    """This process, what it starts, and what else there is in its session."""
    _set([os.getpid()], AHEAD)
    try:
        yield
    finally:
        _set([os.getpid()], 0)


def put_ahead(backends: Iterable[int]) -> None:
    """PostgreSQL's processes that work for a contestant: each is a session of its own."""
    _set(backends, AHEAD)


def _set(pids: Iterable[int], niceness: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, pid, niceness)
        with suppress(OSError):  # it has ended, or this kernel shares by processes
            Path(f"/proc/{pid}/autogroup").write_text(str(niceness))
